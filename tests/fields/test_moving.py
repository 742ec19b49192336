"""An application moves from one storage to another by an alias, whatever the two are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.io.interfaces import FileStorage
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger
from depot.transactions.sweeper import sweep

from ..services.storages import KINDS, MakeStorage
from ..services.storages import make_storage as make_storage
from ..transactions.laws import contents

#: Each pair, and each kind with another storage of its own kind.
PAIRS = [*itertools.product(KINDS, KINDS)]

#: The storages whose ids are not UUIDs, so that no file can have the id that it has elsewhere.
OTHER_IDS = {'secantusdb'}


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = 'moved_document'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[UploadedFile | None] = mapped_column(UploadedFileField(upload_storage='uploads'))


class Move(NamedTuple):
    """A row that was stored before the move, and the two storages."""

    session: Session
    document: Document
    old: FileStorage
    new: FileStorage

    def contents(self) -> tuple[list[bytes], list[bytes]]:
        return contents(self.old), contents(self.new)


@pytest.fixture(params=PAIRS, ids=lambda pair: ' to '.join(pair))
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def move(kinds: tuple[str, str], make_storage: MakeStorage, engine: Engine) -> Iterator[Move]:
    """The moment after the move: a row that is older, and an alias that leads to the new storage."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        old = DepotManager._depots['old'] = make_storage(kinds[0])
        DepotManager.alias('uploads', 'old')
        document = Document(content=b'before')
        session.add(document)
        session.commit()
        new = DepotManager._depots['new'] = make_storage(kinds[1])
        DepotManager.alias('uploads', 'new')
        yield Move(session, document, old, new)


def read(file: Any) -> bytes:
    with file:
        content: bytes = file.read()
        return content


def test_new_files_go_to_the_new_storage_and_old_rows_keep_working(move: Move) -> None:
    added = Document(content=b'after')
    move.session.add(added)
    move.session.commit()
    assert move.contents() == ([b'before'], [b'after'])
    for each, name, content in (move.document, 'old', b'before'), (added, 'new', b'after'):
        move.session.refresh(each)
        assert each.content.depot_name == name
        assert read(each.content.file) == read(DepotManager.get_file(each.content.path)) == content


def test_replacing_an_old_file_moves_its_row(move: Move) -> None:
    move.document.content = b'rolled back'
    move.session.flush()
    assert move.contents() == ([b'before'], [b'rolled back'])
    move.session.rollback()
    assert move.contents() == ([b'before'], [])
    move.document.content = b'replaced'
    move.session.commit()
    assert move.contents() == ([], [b'replaced'])
    assert read(move.document.content.file) == b'replaced'


def test_deleting_an_old_row_reaches_the_old_storage(move: Move) -> None:
    move.session.delete(move.document)
    move.session.flush()
    move.session.rollback()
    assert move.contents() == ([b'before'], [])
    move.session.delete(move.document)
    move.session.commit()
    assert move.contents() == ([], [])


def test_a_file_that_is_assigned_to_its_own_row_moves(move: Move) -> None:
    for end in move.session.rollback, move.session.commit:
        assert move.contents() == ([b'before'], [])
        with move.document.content.file as file:
            move.document.content = file
        end()
    assert move.contents() == ([], [b'before'])
    assert move.document.content.depot_name == 'new'


def test_copied_files_are_found_by_the_name_of_the_storage_that_has_gone(move: Move, kinds: tuple[str, str]) -> None:
    if OTHER_IDS & {*kinds} and kinds[0] != kinds[1]:
        with move.document.content.file as file, pytest.raises(ValueError, match='Invalid file id'):
            move.new.replace(file, file)
        return
    for each in move.old.iter_ids():
        with move.old.get(each) as file:
            move.new.replace(file, file)
    assert move.contents() == ([b'before'], [b'before'])
    del DepotManager._depots['old']
    DepotManager.alias('old', 'new')
    move.session.refresh(move.document)
    assert read(move.document.content.file) == b'before'
    move.session.delete(move.document)
    move.session.commit()
    assert move.contents() == ([b'before'], [])


# With a ledger


class Counted(DeclarativeBase):
    pass


ledger = Ledger(Counted.metadata)


class Letter(Counted):
    __tablename__ = 'moved_letter'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[UploadedFile | None] = mapped_column(UploadedFileField(upload_storage='uploads'))


def test_a_sweep_takes_no_file_that_has_moved(make_storage: MakeStorage, engine: Engine) -> None:
    def swept(dry_run: bool = False) -> list[Any]:
        return [*sweep(engine, Counted.metadata, grace=timedelta(0), full=True, dry_run=dry_run).findings]

    Counted.metadata.create_all(engine)
    old = DepotManager._depots['old'] = make_storage('local')
    new = DepotManager._depots['new'] = make_storage('memory')
    DepotManager.set_default('new')
    with Session(engine) as session:
        DepotManager.alias('uploads', 'old')
        session.add_all([Letter(id=1, content=b'first'), Letter(id=2, content=b'second')])
        session.commit()
        DepotManager.alias('uploads', 'new')
        session.add(Letter(id=3, content=b'third'))
        session.commit()
        assert swept() == []
        for each in old.iter_ids():
            with old.get(each) as file:
                new.replace(file, file)
        del DepotManager._depots['old']
        DepotManager.alias('old', 'new')
        assert swept(dry_run=True) == swept() == []
        assert contents(new) == [b'first', b'second', b'third']
        session.delete(session.get(Letter, 1))
        session.get(Letter, 2).content = b'replaced'
        session.commit()
        assert swept() == []
        assert contents(new) == [b'replaced', b'third']
