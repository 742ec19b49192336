"""What ends a transaction without a word: schema changes, shared connections, drivers, the end of the program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    StaticPool,
    Table,
    create_engine,
    delete,
    insert,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .laws import contents, dangles_nowhere, holds, in_memory, on_every_database
from .models import Base, Document, OtherBase

TABLE: Any = Document.__table__
OLD = [b'a', b'b', b'c']

with_documents = pytest.mark.usefixtures('documents')
every_end = pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])


# MariaDB commits when the schema changes


@in_memory
@with_documents
@pytest.mark.parametrize('engine', ['mariadb'], indirect=True)
@every_end
@pytest.mark.parametrize('as_text', [True, False])
def test_a_change_of_the_schema_that_commits_dangles_no_row(
    engine: Engine, storage: Any, as_text: bool, end: str
) -> None:
    other = Table('other', MetaData(), Column('id', Integer))
    with engine.connect() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        if as_text:
            connection.execute(text('CREATE TABLE other (id INT)'))
        else:
            other.create(connection)
        connection.execute(delete(TABLE).where(TABLE.c.id == 102))
        getattr(connection, end)()
    other.drop(engine)
    dangles_nowhere(storage, engine)


# Drivers that commit by themselves


@in_memory
@with_documents
@on_every_database
@every_end
def test_a_driver_that_commits_by_itself_dangles_no_row(engine: Engine, storage: Any, end: str) -> None:
    told: Any = {'isolation_level': None} if engine.dialect.name == 'sqlite' else {'autocommit': True}
    eager = create_engine(engine.url, connect_args=told)
    with Session(eager) as session:
        session.get_one(Document, 101).content = b'new'
        session.add(Document(content=b'd'))
        session.flush()
        session.execute(delete(Document).where(Document.id == 102))
        getattr(session, end)()
    eager.dispose()
    dangles_nowhere(storage, engine)


# Sessions over one connection of a driver


@pytest.fixture
def shared(storage: Any) -> Iterator[Engine]:
    """The usual database of a test suite: all sessions have the same connection."""
    engine = create_engine('sqlite://', poolclass=StaticPool, connect_args={'check_same_thread': False})
    for base in Base, OtherBase:
        base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Document(id=101 + n, name=name, content=name.encode()) for n, name in enumerate('abc')])
        session.commit()
    yield engine
    engine.dispose()


@in_memory
@every_end
def test_what_another_session_committed_along_dangles_no_row(storage: Any, shared: Engine, end: str) -> None:
    with Session(shared) as first, Session(shared) as second:
        first.get_one(Document, 101).content = b'first'
        first.add(Document(content=b'first too'))
        first.flush()
        second.get_one(Document, 102).content = b'second'
        second.commit()
        getattr(first, end)()
    dangles_nowhere(storage, shared)


@in_memory
@every_end
def test_what_another_session_rolled_back_along_dangles_no_row(storage: Any, shared: Engine, end: str) -> None:
    with Session(shared) as first, Session(shared) as second:
        first.get_one(Document, 101).content = b'first'
        first.flush()
        second.get_one(Document, 102).content = b'second'
        second.rollback()
        getattr(first, end)()
    dangles_nowhere(storage, shared)


@in_memory
@every_end
def test_sessions_one_after_the_other_leave_nothing(storage: Any, shared: Engine, end: str) -> None:
    for content in b'1', b'2':
        with Session(shared) as session:
            session.get_one(Document, 101).content = content
            getattr(session, end)()
    assert contents(storage) == ([b'2', b'b', b'c'] if end == 'commit' else OLD)


# The end of the program

DAEMON = """
import atexit, sys, threading

stopping, stopped, ready = threading.Event(), threading.Event(), threading.Event()


@atexit.register  # before weakref's own, and so it runs after it
def wait_for_the_thread():
    stopping.set()
    stopped.wait(120)


from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from tests.transactions.models import Base, Document

DepotManager._depots['default'] = LocalFileStorage(sys.argv[1])
DepotManager.set_default('default')
engine = create_engine(sys.argv[2])
Base.metadata.create_all(engine)


def work():
    with Session(engine) as session:
        session.add(Document(content=b'flushed'))
        session.flush()
        session.add(Document(content=b'assigned'))
        ready.set()
        stopping.wait(120)
        session.commit()
    stopped.set()


threading.Thread(target=work, daemon=True).start()
ready.wait(120)
"""


def test_a_thread_that_outlives_the_program_dangles_no_row(tmp_path: Path) -> None:
    folder, url = str(tmp_path / 'files'), f'sqlite:///{tmp_path / "database.sqlite"}'
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, '-c', DAEMON, folder, url], check=True, cwd=root)
    engine = create_engine(url)
    with engine.connect() as connection:
        files = connection.exec_driver_sql('SELECT content FROM document').scalars().all()
    engine.dispose()
    assert len(files) == 2
    assert len(list(Path(folder).glob('*/file'))) == 2


@in_memory
@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_a_savepoint_as_text_mends_a_transaction_after_a_failed_statement(engine: Engine, storage: Any) -> None:
    with engine.connect() as connection:
        connection.execute(insert(TABLE).values(content=b'new'))
        connection.exec_driver_sql('SAVEPOINT somebody')
        with pytest.raises(DBAPIError):
            connection.execute(text('SELECT nonsense'))
        connection.exec_driver_sql('ROLLBACK TO somebody')
        connection.commit()
    assert holds(storage, engine) == [b'new']
