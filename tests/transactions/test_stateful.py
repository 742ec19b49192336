"""Random work in nested savepoints, on a real database: the storage holds exactly the files that the rows name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..services.sqlite import sqlite_engine
from .models import Album, Base, Document

ENGINE = sqlite_engine(Path(':memory:'))
Base.metadata.create_all(ENGINE)

NAMES = st.sampled_from('pqr')
FLUSH = st.booleans()


class Rows(RuleBasedStateMachine):
    """Three documents and one album; ``self.table`` is what the database should say."""

    def __init__(self) -> None:
        super().__init__()
        DepotManager._clear()
        self.storage = DepotManager._depots['default'] = MemoryFileStorage()
        DepotManager.set_default('default')
        with Session(ENGINE) as session:
            session.execute(delete(Document))
            session.execute(delete(Album))
            session.add(Album(id=1))
            session.commit()
        self.number = 0
        self.session = Session(ENGINE)
        self.table: dict[str, Any] = {'album': []}
        self.begin()

    def begin(self) -> None:
        self.savepoints: list[Any] = []
        self.snapshots = [copy.deepcopy(self.table)]
        self.held: list[Any] = []

    def teardown(self) -> None:
        self.session.close()
        self.check(self.snapshots[0])
        DepotManager._clear()

    def content(self) -> bytes:
        self.number += 1
        return b'%d' % self.number

    def document(self, name: str) -> Any:
        found = self.session.scalars(select(Document).filter_by(name=name)).one_or_none()
        self.held.append(found)
        return found

    def album(self) -> Album:
        return self.session.scalars(select(Album)).one()

    # Changes

    @rule(name=NAMES, flush=FLUSH, with_none=st.booleans())
    def put(self, name: str, flush: bool, with_none: bool) -> None:
        document = self.document(name)
        content = None if with_none else self.content()
        if document is None:
            self.session.add(Document(name=name, content=content))
        else:
            document.content = content
        self.table[name] = content
        self.flush(flush)

    @rule(name=NAMES, flush=FLUSH)
    def remove(self, name: str, flush: bool) -> None:
        document = self.document(name)
        if document is not None:
            self.session.delete(document)
            del self.table[name]
            self.flush(flush)

    @rule(name=NAMES)
    def replace_the_whole_row(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            heir = Document(id=document.id, name=name, content=self.content())
            self.session.delete(document)
            self.session.add(heir)
            self.table[name] = b'%d' % self.number
            self.session.flush()

    @rule(name=NAMES, heir=NAMES, flush=FLUSH)
    def move(self, name: str, heir: str, flush: bool) -> None:
        source, target = self.document(name), self.document(heir)
        if source is not None and target is not None and source is not target:
            target.content = source.content
            self.flush(flush)
            source.content = None
            self.table[heir], self.table[name] = self.table[name], None

    @rule(name=NAMES, flush=FLUSH)
    def change_and_restore(self, name: str, flush: bool) -> None:
        document = self.document(name)
        if document is not None:
            before = document.content
            document.content = self.content()
            self.flush(flush)
            document.content = before

    @rule(name=NAMES)
    def assign_unloaded(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            self.session.expire(document)
            document.content = self.table[name] = None
            self.session.expire(document, ['content'])
            document.content = self.content()
            self.table[name] = b'%d' % self.number

    @rule(name=NAMES)
    def assign_and_refresh(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            document.content = self.content()
            with self.session.no_autoflush:
                self.session.refresh(document)

    @rule(name=NAMES)
    def merge(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            self.session.merge(Document(id=document.id, content=self.content()))
            self.table[name] = b'%d' % self.number

    @rule(name=NAMES)
    def change_the_key(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            self.number += 1
            document.id = -self.number  # which no sequence gives
            self.session.flush()

    @rule()
    def add_and_expunge(self) -> None:
        document = Document(content=self.content())
        self.session.add(document)
        self.session.expunge(document)

    @rule()
    def forget_a_new_object(self) -> None:
        Document(content=self.content())

    @rule(flush=FLUSH)
    def append_to_the_album(self, flush: bool) -> None:
        self.album().photos.append(self.content())
        self.table['album'].append(b'%d' % self.number)
        self.flush(flush)

    @rule(index=st.integers(0, 2), flush=FLUSH)
    def take_from_the_album(self, index: int, flush: bool) -> None:
        if index < len(self.table['album']):
            del self.album().photos[index]
            del self.table['album'][index]
            self.flush(flush)

    @rule(name=NAMES)
    def give_the_album_a_documents_file(self, name: str) -> None:
        document = self.document(name)
        if document is not None and document.content is not None:
            self.album().photos = [document.content]
            document.content = None
            self.table['album'], self.table[name] = [self.table[name]], None

    # What a session does in between

    def flush(self, really: bool) -> None:
        if really:
            self.session.flush()

    @rule()
    def forget_all_objects(self) -> None:
        self.session.flush()
        self.session.expunge_all()
        self.held.clear()

    @rule()
    def expire_all(self) -> None:
        self.session.flush()
        self.session.expire_all()

    @rule()
    def begin_savepoint(self) -> None:
        self.savepoints.append(self.session.begin_nested())
        self.snapshots.append(copy.deepcopy(self.table))

    @precondition(lambda self: self.savepoints)
    @rule(released=st.booleans())
    def end_savepoint(self, released: bool) -> None:
        snapshot = self.snapshots.pop()
        if released:
            self.savepoints.pop().commit()
        else:
            self.savepoints.pop().rollback()
            self.table = snapshot
        self.check_nothing_dangles()

    @rule(way=st.sampled_from(['commit', 'commit', 'rollback', 'close', 'reset']))
    def end(self, way: str) -> None:
        if way != 'commit':
            self.table = self.snapshots[0]
        getattr(self.session, way)()
        self.begin()
        self.check(self.table)

    # What must hold

    def check_nothing_dangles(self) -> None:
        assert set(self.named_by_rows(self.session)) <= set(self.storage.list())

    def named_by_rows(self, session: Session) -> list[str]:
        """The ids of the files that the rows name, as the database has them now."""
        texts = 'SELECT content FROM document UNION ALL SELECT photos FROM album'
        return [each for value in session.connection().scalars(text(texts)) for each in named(value)]

    def check(self, table: dict[str, Any]) -> None:
        with Session(ENGINE) as session:
            documents = {each.name: each.content for each in session.scalars(select(Document))}
            photos = session.scalars(select(Album.photos)).one()
            found = {name: content and content.file.read() for name, content in documents.items()}
            assert found | {'album': [each.file.read() for each in photos]} == table
            assert sorted(self.storage.list()) == sorted(self.named_by_rows(session))


def named(value: str | None) -> list[str]:
    """The ids of the files that a stored JSON text names."""
    decoded = json.loads(value or '[]')
    infos = decoded if isinstance(decoded, list) else [decoded]
    return [each.partition('/')[2] for info in infos for each in info['files']]


TestRows = Rows.TestCase
TestRows.settings = settings(max_examples=60, stateful_step_count=40)
