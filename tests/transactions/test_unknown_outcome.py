"""A COMMIT that nobody knows the outcome of removes nothing; one that the database refused is a rollback."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from .breaking import Trouble, trouble_of
from .laws import contents, holds, in_memory, on_every_database
from .models import Document
from .wire import Wire

pytestmark = [in_memory, pytest.mark.usefixtures('documents')]

OLD = [b'a', b'b', b'c']
BOTH = [*OLD, b'new']
NEW = [b'b', b'c', b'new']


@pytest.fixture
def other(engine: Engine, make_engine: Callable[..., Engine], documents: None) -> Engine:
    """A second engine for the same database, whose connections can be made to break."""
    return make_engine(engine.dialect.name, tables=False)


@pytest.fixture
def trouble(other: Engine) -> Trouble:
    return trouble_of(other)


def replace(session: Session) -> None:
    session.get_one(Document, 101).content = b'new'


@on_every_database
@pytest.mark.parametrize('end', ['close', 'rollback'])
def test_a_connection_that_dies_before_the_commit_was_done_removes_nothing(
    other: Engine, trouble: Trouble, storage: Any, end: str
) -> None:
    session = Session(other)
    replace(session)
    trouble.instead_of_commit()
    with pytest.raises(DBAPIError) as raised:
        session.commit()
    assert raised.value.connection_invalidated
    getattr(session, end)()
    del session
    gc.collect()
    assert contents(storage) == BOTH


@on_every_database
@pytest.mark.parametrize('end', ['close', 'rollback'])
def test_a_connection_that_dies_after_the_commit_was_done_removes_nothing(
    other: Engine, trouble: Trouble, storage: Any, end: str
) -> None:
    session = Session(other)
    replace(session)
    trouble.after_commit()
    with pytest.raises(DBAPIError):
        session.commit()
    getattr(session, end)()
    del session
    gc.collect()
    assert contents(storage) == BOTH
    with Session(other) as session:
        assert session.get_one(Document, 101).content.file.read() == b'new'


@on_every_database
@pytest.mark.parametrize('interruption', [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize('moment', ['instead_of_commit', 'after_commit'])
def test_an_interruption_in_the_commit_leaves_no_row_without_its_file(
    engine: Engine, other: Engine, trouble: Trouble, storage: Any, interruption: Any, moment: str
) -> None:
    session = Session(other)
    replace(session)
    getattr(trouble, moment)(interruption())
    with pytest.raises(interruption):
        session.commit()
    session.close()
    del session
    gc.collect()
    assert b'new' in contents(storage)
    assert b'a' in contents(storage)


@on_every_database
def test_a_connection_without_a_session_is_no_better(other: Engine, trouble: Trouble, storage: Any) -> None:
    table: Any = Document.__table__
    connection = other.connect()
    connection.execute(update(table).where(table.c.id == 101).values(content=b'new'))
    trouble.after_commit()
    with pytest.raises(DBAPIError):
        connection.commit()
    connection.rollback()
    connection.close()
    assert contents(storage) == BOTH


@on_every_database
def test_after_an_unknown_outcome_the_session_may_go_on(other: Engine, trouble: Trouble, storage: Any) -> None:
    with Session(other) as session:
        replace(session)
        trouble.instead_of_commit()
        with pytest.raises(DBAPIError):
            session.commit()
        session.rollback()
        assert session.get_one(Document, 101).content.file.read() == b'a'
        session.get_one(Document, 101).content = b'newer'
        session.commit()
    assert contents(storage) == [b'b', b'c', b'new', b'newer']


@on_every_database
def test_a_connection_that_dies_in_a_statement_was_rolled_back(
    engine: Engine, make_engine: Callable[..., Engine], storage: Any
) -> None:
    if engine.dialect.name == 'sqlite':
        pytest.skip('impossible here: nobody can end a connection of SQLite')
    kill, me = {
        'postgresql': ('SELECT pg_terminate_backend({})', 'SELECT pg_backend_pid()'),
        'mariadb': ('KILL {}', 'SELECT CONNECTION_ID()'),
    }[engine.dialect.name]
    with Session(make_engine(engine.dialect.name, tables=False)) as session:
        replace(session)
        session.flush()
        number = session.scalar(text(me))
        with engine.connect() as murderer:
            murderer.execute(text(kill.format(number)))
        with pytest.raises(DBAPIError):
            session.execute(select(Document)).all()
        session.rollback()
    assert holds(storage, engine) == OLD


# The wire is cut


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
@pytest.mark.parametrize('cut', ['before', 'after'])
def test_a_wire_that_is_cut_at_the_commit_removes_nothing(engine: Engine, storage: Any, cut: str) -> None:
    assert engine.url.host
    assert engine.url.port
    wire = Wire((engine.url.host, engine.url.port))
    far = create_engine(engine.url.set(port=wire.port))
    with Session(far) as session:
        replace(session)
        session.flush()
        wire.cut = cut
        with pytest.raises(DBAPIError) as raised:
            session.commit()
        assert raised.value.connection_invalidated
    far.dispose()
    wire.close()
    assert contents(storage) == BOTH
    with Session(engine) as session:
        assert session.get_one(Document, 101).content.file.read() == (b'a' if cut == 'before' else b'new')


# What is known


@pytest.mark.parametrize('engine', ['sqlite', 'postgresql'], indirect=True)
@pytest.mark.parametrize('again', [True, False])
@pytest.mark.usefixtures('late_keys')
def test_a_commit_that_a_deferred_constraint_refuses_is_a_rollback(
    engine: Engine, other: Engine, storage: Any, again: bool
) -> None:
    if engine.dialect.name == 'sqlite':
        event.listen(other, 'connect', lambda connection, _record: connection.execute('PRAGMA foreign_keys = ON'))
    with Session(other) as session:
        replace(session)
        if engine.dialect.name == 'sqlite':
            session.execute(text('PRAGMA defer_foreign_keys = ON'))
        session.execute(update(Document).where(Document.id == 102).values(folder_id=77, content=b'newer'))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        assert contents(storage) == OLD
        if again:
            replace(session)
            session.commit()
    assert holds(storage, engine) == (NEW if again else OLD)


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_a_transaction_that_cannot_be_serialized_is_rolled_back(engine: Engine, storage: Any) -> None:
    serializable = engine.execution_options(isolation_level='SERIALIZABLE')
    with Session(serializable) as first, Session(serializable) as second:
        for session in first, second:
            assert session.scalar(select(func.count()).select_from(Document)) == 3
        for session in first, second:
            session.add(Document(content=b'first' if session is first else b'second'))
            session.flush()
        first.commit()
        with pytest.raises(OperationalError):
            second.commit()
        second.rollback()
        assert contents(storage) == [*OLD, b'first']
    assert holds(storage, engine) == [*OLD, b'first']


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_the_victim_of_a_deadlock_was_rolled_back(engine: Engine, storage: Any) -> None:
    table: Any = Document.__table__

    def change(connection: Connection, key: int, content: bytes) -> None:
        try:
            connection.execute(update(table).where(table.c.id == key).values(content=content))
        except OperationalError:
            victims.append(connection)

    victims: list[Connection] = []
    with engine.connect() as first, engine.connect() as second:
        change(first, 101, b'1')
        change(second, 102, b'2')
        waiting = threading.Thread(target=change, args=(first, 102, b'3'))
        waiting.start()
        change(second, 101, b'4')
        if victims == [second]:
            second.rollback()
        waiting.join()
        for each in first, second:
            each.commit()
    assert len(victims) == 1
    winner = [b'1', b'3', b'c'] if victims == [second] else [b'2', b'4', b'c']
    assert holds(storage, engine) == winner
