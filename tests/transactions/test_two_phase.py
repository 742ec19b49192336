"""Two-phase transactions: what is prepared is undecided, until somebody decides, be it another process."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from depot.transactions.sweeper import sweep

from .laws import contents, holds, in_memory
from .ledgers import BY_TRANSACTIONS
from .models import Base, Document, Elsewhere, OtherBase

TABLE: Any = Document.__table__
OLD = [b'a', b'b', b'c']
BOTH = [*OLD, b'new']
NEW = [b'b', b'c', b'new']

on_servers = pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
with_documents = pytest.mark.usefixtures('documents')
every_end = pytest.mark.parametrize('end', ['commit', 'rollback'])


@pytest.fixture(autouse=True)
def nothing_prepared(engine: Engine) -> Iterator[None]:
    """What a test leaves prepared would keep the next one waiting for its locks."""
    yield
    if engine.dialect.name != 'sqlite':
        with undecided(engine) as connection:
            for each in connection.recover_twophase():
                with contextlib.suppress(DBAPIError):  # MariaDB's belongs to its connection as long as that lives
                    connection.rollback_prepared(each, recover=True)


def undecided(engine: Engine) -> Connection:
    """A connection that can end prepared transactions; MariaDB's must be in no transaction itself."""
    return engine.connect().execution_options(isolation_level='AUTOCOMMIT')


def replaced(engine: Engine) -> Session:
    """A two-phase session that has replaced the first document's file, and flushed."""
    session = Session(engine, twophase=True)
    session.get_one(Document, 101).content = b'new'
    session.flush()
    return session


def expected(end: str) -> list[bytes]:
    return NEW if end == 'commit' else OLD


@in_memory
@on_servers
@with_documents
@pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])
@pytest.mark.parametrize('prepared', [True, False])
def test_the_end_decides_and_not_the_preparation(engine: Engine, storage: Any, prepared: bool, end: str) -> None:
    session = replaced(engine)
    if prepared:
        session.prepare()
        assert contents(storage) == BOTH
    getattr(session, end)()
    session.close()
    assert holds(storage, engine) == expected(end)


@in_memory
@on_servers
@with_documents
@every_end
def test_a_connection_may_prepare_too(engine: Engine, storage: Any, end: str) -> None:
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        transaction.prepare()
        assert contents(storage) == BOTH
        getattr(transaction, end)()
    assert holds(storage, engine) == expected(end)


@in_memory
@on_servers
@with_documents
def test_savepoints_in_a_two_phase_transaction_undo_their_own_part(engine: Engine, storage: Any) -> None:
    session = replaced(engine)
    savepoint = session.begin_nested()
    session.get_one(Document, 102).content = b'undone'
    session.flush()
    savepoint.rollback()
    session.prepare()
    session.commit()
    session.close()
    assert holds(storage, engine) == NEW


@in_memory
@on_servers
@with_documents
@every_end
def test_a_prepared_transaction_that_is_forgotten_waits_for_a_decision(
    engine: Engine, make_engine: Callable[..., Engine], storage: Any, end: str
) -> None:
    other = make_engine(engine.dialect.name, tables=False)
    session = replaced(other)
    session.prepare()
    del session
    gc.collect()
    other.dispose()
    assert contents(storage) == BOTH
    decide(engine, end)
    assert holds(storage, engine) == expected(end)


def decide(engine: Engine, end: str) -> None:
    with undecided(engine) as connection:
        [prepared] = connection.recover_twophase()
        if end == 'commit':
            connection.commit_prepared(prepared, recover=True)
        else:
            connection.rollback_prepared(prepared, recover=True)


@in_memory
@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)  # MariaDB lets nobody else decide while it lives
@with_documents
@every_end
def test_a_session_whose_prepared_work_somebody_else_decided_removes_nothing_wrong(
    engine: Engine, storage: Any, end: str
) -> None:
    session = replaced(engine)
    session.prepare()
    decide(engine, end)
    with pytest.raises(DBAPIError):
        session.commit()
    session.close()
    assert holds(storage, engine) == expected(end)


@in_memory
@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
@with_documents
@pytest.mark.usefixtures('late_keys')
def test_a_preparation_that_is_refused_is_a_rollback(engine: Engine, storage: Any) -> None:
    session = replaced(engine)
    session.execute(update(Document).where(Document.id == 102).values(folder_id=77))
    with pytest.raises(DBAPIError):
        session.prepare()
    session.close()
    assert holds(storage, engine) == OLD


@in_memory
@pytest.mark.parametrize('engine', ['sqlite'], indirect=True)
@with_documents
def test_where_there_are_no_two_phases_nothing_is_left(engine: Engine, storage: Any) -> None:
    with Session(engine, twophase=True) as session:
        session.add(Document(content=b'new'))
        with pytest.raises(NotImplementedError):
            session.commit()
    assert holds(storage, engine) == OLD


# PostgreSQL and MariaDB in one session


@pytest.fixture
def mariadb(make_engine: Callable[..., Engine], storage: Any) -> Engine:
    """The other database, with one row whose file is ``far``."""
    engine = make_engine('mariadb')
    with Session(engine) as session:
        session.add(Elsewhere(key='k', content=b'far'))
        session.commit()
    return engine


def over_both(engine: Engine, mariadb: Engine) -> Session:
    session = Session(binds={Base: engine, OtherBase: mariadb}, twophase=True)
    session.get_one(Document, 101).content = b'new'
    session.get_one(Elsewhere, 'k').content = b'newer'
    session.flush()
    return session


@in_memory
@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
@with_documents
@every_end
@pytest.mark.parametrize('prepared', [True, False])
def test_two_databases_decide_as_one(engine: Engine, mariadb: Engine, storage: Any, prepared: bool, end: str) -> None:
    with over_both(engine, mariadb) as session:
        if prepared:
            session.prepare()
            assert contents(storage) == [*OLD, b'far', b'new', b'newer']
        getattr(session, end)()
    changed, before = [b'b', b'c', b'new', b'newer'], [*OLD, b'far']
    assert holds(storage, engine, mariadb) == (changed if end == 'commit' else before)


@in_memory
@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
@with_documents
@pytest.mark.usefixtures('late_keys')
def test_one_database_that_cannot_prepare_undoes_both(engine: Engine, mariadb: Engine, storage: Any) -> None:
    with over_both(engine, mariadb) as session:
        session.execute(update(Document).where(Document.id == 102).values(folder_id=77))
        with pytest.raises(DBAPIError):
            session.commit()
    assert holds(storage, engine, mariadb) == [*OLD, b'far']


# Another process, by way of the ledger

PREPARE_AND_DIE = """
import os, sys
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from tests.transactions.ledgers import BY_TRANSACTIONS

url, folder = sys.argv[1:]
DepotManager._depots['default'] = LocalFileStorage(folder)
DepotManager.set_default('default')
session = Session(create_engine(url), twophase=True)
session.get_one(BY_TRANSACTIONS.Document, 1).content = b'new'
session.prepare()
os._exit(0)
"""


@pytest.fixture
def counted(engine: Engine, tmp_path: Path) -> Iterator[LocalFileStorage]:
    """A storage on disk, and one counted row whose file is ``old``."""
    DepotManager._clear()
    storage = LocalFileStorage(str(tmp_path / 'files'))
    DepotManager._depots['default'] = storage
    DepotManager.set_default('default')
    BY_TRANSACTIONS.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(BY_TRANSACTIONS.Document(id=1, content=b'old'))
        session.commit()
    yield storage
    with undecided(engine) as connection:
        for each in connection.recover_twophase():
            connection.rollback_prepared(each, recover=True)
    BY_TRANSACTIONS.metadata.drop_all(engine)
    DepotManager._clear()


@on_servers
@every_end
def test_the_ledger_knows_what_a_dead_process_had_prepared(
    engine: Engine, counted: LocalFileStorage, tmp_path: Path, end: str
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, '-c', PREPARE_AND_DIE, url, str(tmp_path / 'files')], check=True, cwd=root)
    assert contents(counted) == [b'new', b'old']
    sweep(engine, BY_TRANSACTIONS.metadata)
    decide(engine, end)
    assert contents(counted) == [b'new', b'old']
    sweep(engine, BY_TRANSACTIONS.metadata, grace=timedelta(0))
    assert contents(counted) == ([b'new'] if end == 'commit' else [b'old'])
