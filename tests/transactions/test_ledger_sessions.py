"""With a ledger: what sessions and statements do to files that rows share, and to those that cannot be removed."""

from __future__ import annotations

import contextlib
import gc
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from depot.errors import FileMissing
from depot.fields.upload import UploadedFile
from depot.io.faults import Fault
from depot.transactions.sweeper import sweep

from .ledgers import BY_TRANSACTIONS, BY_TRIGGERS, Counted, in_database
from .ledgers import engine as engine
from .ledgers import session as session
from .ledgers import storage as storage


@pytest.fixture(params=[BY_TRANSACTIONS, BY_TRIGGERS], ids=['transactions', 'triggers'])
def counted(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Counted]:
    yield from in_database(request.param, engine)


def test_a_file_is_counted_as_long_as_it_lives(session: Session, counted: Counted, storage: Any) -> None:
    document = counted.Document(content=b'one', scan=b'two')
    session.add(document)
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 1), ('live', 1)]
    document.content = b'three'
    session.commit()
    assert len(storage.list()) == 2
    assert {file.partition('/')[2] for file in counted.entries(session)} == {*storage.list()}
    session.delete(document)
    session.commit()
    assert storage.list() == []
    assert counted.entries(session) == {}


def test_a_shared_file_lives_as_long_as_one_row_needs_it(session: Session, counted: Counted, storage: Any) -> None:
    first = counted.Document(content=b'shared')
    session.add(first)
    session.commit()
    second, album = counted.Document(content=first.content), counted.Album(photos=[first.content, b'own'])
    session.add_all([second, album])
    session.commit()
    assert counted.entries(session)[first.content.path] == ('live', 3)
    for let_go in (lambda: session.delete(first), lambda: setattr(album, 'photos', album.photos[1:])):
        let_go()
        session.commit()
        assert len(storage.list()) == 2
    session.delete(second)
    session.commit()
    assert len(storage.list()) == 1


def test_a_file_shared_by_two_columns_of_a_row_counts_twice(session: Session, counted: Counted, storage: Any) -> None:
    document = counted.Document(content=b'shared')
    document.scan = document.content
    session.add(document)
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 2)]
    document.content = None
    session.commit()
    assert len(storage.list()) == 1


def test_statements_count(session: Session, counted: Counted, storage: Any) -> None:
    session.execute(insert(counted.Document), [{'content': b'one'}, {'content': b'two'}])
    session.commit()
    shared = session.query(counted.Document.content).first()[0]
    session.execute(update(counted.Document).values(scan=shared))
    session.commit()
    assert sorted(counted.entries(session).values()) == [('live', 1), ('live', 3)]
    session.execute(update(counted.Document).values(content=None))
    session.commit()
    assert len(storage.list()) == 1
    session.execute(delete(counted.Document))
    session.commit()
    assert storage.list() == []
    assert counted.entries(session) == {}


def test_what_a_savepoint_undid_is_not_counted(session: Session, counted: Counted, storage: Any) -> None:
    document = counted.Document(content=b'kept')
    session.add(document)
    savepoint = session.begin_nested()
    document.content = b'tried'
    session.flush()
    savepoint.rollback()
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 1)]
    assert len(storage.list()) == 1


def test_a_rollback_leaves_no_entry(session: Session, counted: Counted, storage: Any) -> None:
    session.add(counted.Document(content=b'never mind'))
    session.flush()
    session.rollback()
    assert counted.entries(session) == {}
    assert storage.list() == []


def test_a_file_that_was_assigned_and_replaced_leaves_no_entry(
    session: Session, counted: Counted, storage: Any
) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    for content in b'two', b'three':
        session.flush()
        document.content = content
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 1)]
    assert len(storage.list()) == 1


def test_a_file_that_cannot_be_removed_is_marked(session: Session, counted: Counted, storage: Any) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    old = document.content.path
    document.content = b'two'
    storage.faults.append(Fault('delete'))
    session.commit()
    assert len(storage.list()) == 2
    assert counted.entries(session) == {old: ('marked', 0), document.content.path: ('live', 1)}


def test_who_has_kept_a_removed_file_cannot_assign_it(session: Session, counted: Counted) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    kept = UploadedFile(dict(document.content))
    session.delete(document)
    session.commit()
    session.add(counted.Document(content=kept))
    with pytest.raises(FileMissing, match='an earlier commit removed'):
        session.commit()


@pytest.mark.parametrize('counted', [BY_TRIGGERS], indirect=True, ids=['triggers'])
def test_raw_sql_that_shares_a_file_is_counted(session: Session, counted: Counted, storage: Any) -> None:
    document = counted.Document(content=b'shared')
    session.add(document)
    session.commit()
    table = counted.Document.__tablename__
    session.execute(text(f'INSERT INTO {table} (id, content) SELECT id + 1, content FROM {table}'))
    session.commit()
    session.delete(document)
    session.commit()
    assert len(storage.list()) == 1
    session.execute(text(f'DELETE FROM {table}'))
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 0)]


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
@pytest.mark.parametrize('ending', ['COMMIT', 'ROLLBACK'])
def test_what_a_process_prepared_another_may_end(
    engine: Engine, counted: Counted, session: Session, storage: Any, ending: str
) -> None:
    session.add(counted.Document(content=b'old'))
    session.commit()
    name = uuid.uuid4().hex
    connection = engine.connect()
    transaction = connection.begin_twophase(name)
    connection.execute(update(counted.Document).values(content=b'new'))
    transaction.prepare()
    connection.invalidate()  # the process is gone
    connection.close()
    del connection, transaction
    gc.collect()
    assert sweep(engine, counted.metadata).findings == []
    assert len(storage.list()) == 2
    _end_prepared(engine, name, ending)
    report = sweep(engine, counted.metadata, grace=timedelta(0))
    assert [each.what for each in report.findings] == ['removed']
    with session.get_one(counted.Document, 1).content.file as file:
        assert file.read() == (b'new' if ending == 'COMMIT' else b'old')
    assert len(storage.list()) == 1


def _end_prepared(engine: Engine, name: str, how: str) -> None:
    command = f'XA {how}' if engine.dialect.name == 'mariadb' else f'{how} PREPARED'
    with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as connection:
        while True:
            with contextlib.suppress(OperationalError):  # MariaDB has not noticed yet that the process is gone
                connection.exec_driver_sql(f"{command} '{name}'")
                return


def test_a_file_that_one_list_has_twice_counts_once(session: Session, counted: Counted, storage: Any) -> None:
    album = counted.Album(photos=[b'one', b'two'])
    session.add(album)
    session.commit()
    one, two = album.photos
    album.photos = [one, two, one]
    session.commit()
    counts = [('live', 1), ('live', 1)]
    assert [*counted.entries(session).values()] == counts
    session.add(counted.Album(photos=[two, two]))
    session.commit()
    assert counted.entries(session) == {one.path: ('live', 1), two.path: ('live', 2)}
    session.commit()
    for _ in range(2):
        assert sweep(session.get_bind(), counted.metadata).findings == []
    assert counted.entries(session) == {one.path: ('live', 1), two.path: ('live', 2)}
    album.photos = [one, one]  # another one of the list goes
    session.commit()
    assert counted.entries(session) == {one.path: ('live', 1), two.path: ('live', 1)}
    album.photos = [two]
    session.commit()
    assert counted.entries(session) == {two.path: ('live', 2)}
    assert storage.list() == [two.file_id]
    for _ in range(2):
        session.delete(session.query(counted.Album).first())
        session.commit()
    assert storage.list() == []
    assert counted.entries(session) == {}


def test_a_new_file_that_one_list_has_twice_counts_once(session: Session, counted: Counted, storage: Any) -> None:
    new = counted.Album.__table__.c.photos.type.stored(b'one')
    session.add(counted.Album(photos=[new, new]))
    session.commit()
    assert [*counted.entries(session).values()] == [('live', 1)]
