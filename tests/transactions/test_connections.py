"""The database's own transaction decides: sessions that join one, connections without a session, AUTOCOMMIT."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .laws import contents, dangles_nowhere, holds, in_memory, on_every_database
from .models import Document

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

TABLE: Any = Document.__table__
OLD = [b'a', b'b', b'c']
NEW = [b'b', b'c', b'new']

every_mode = pytest.mark.parametrize(
    'mode', ['conditional_savepoint', 'rollback_only', 'control_fully', 'create_savepoint']
)
every_end = pytest.mark.parametrize('end', ['commit', 'rollback'])


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def replace(session: Session, content: bytes = b'new') -> None:
    session.get_one(Document, 101).content = content


# Sessions that join a transaction


@every_mode
@every_end
def test_the_outer_transaction_decides(
    connection: Connection, storage: Any, engine: Engine, mode: Any, end: str
) -> None:
    transaction = connection.begin()
    with Session(connection, join_transaction_mode=mode) as session:
        replace(session)
        session.flush() if mode == 'control_fully' else session.commit()
        assert contents(storage) == [*OLD, b'new']
        if mode == 'control_fully':
            getattr(session, end)()
    if transaction.is_active:
        getattr(transaction, end)()
    assert holds(storage, engine) == (NEW if end == 'commit' else OLD)


@every_mode
@every_end
def test_a_session_that_rolls_back_undoes_as_much_as_its_mode_says(
    connection: Connection, storage: Any, engine: Engine, mode: Any, end: str
) -> None:
    transaction = connection.begin()
    connection.execute(update(TABLE).where(TABLE.c.id == 102).values(content=b'outer'))
    with Session(connection, join_transaction_mode=mode) as session:
        replace(session)
        session.flush()
        session.rollback()
    is_alive = mode == 'create_savepoint'
    assert transaction.is_active is is_alive
    if is_alive:
        getattr(transaction, end)()
    else:
        connection.rollback()
    assert holds(storage, engine) == ([b'a', b'c', b'outer'] if is_alive and end == 'commit' else OLD)


@every_mode
@every_end
def test_in_a_savepoint_of_the_connection_the_savepoint_decides_first(
    connection: Connection, storage: Any, engine: Engine, mode: Any, end: str
) -> None:
    with connection.begin():
        savepoint = connection.begin_nested()
        with Session(connection, join_transaction_mode=mode) as session:
            replace(session)
            session.flush()
            if mode != 'control_fully':
                session.commit()
                getattr(savepoint, end)()
            else:
                getattr(session, end)()
        assert b'a' in contents(storage)
        if savepoint.is_active:
            getattr(savepoint, end)()
    assert holds(storage, engine) == (NEW if end == 'commit' else OLD)


@every_mode
def test_a_session_that_is_closed_in_its_work_leaves_the_rest(
    connection: Connection, storage: Any, engine: Engine, mode: Any
) -> None:
    connection.execute(insert(TABLE).values(content=b'outer'))
    with Session(connection, join_transaction_mode=mode) as session:
        replace(session, b'flushed')
        session.flush()
        replace(session, b'assigned')
    connection.commit() if connection.in_transaction() else None
    assert b'assigned' not in holds(storage, engine)


@every_end
def test_sessions_may_share_a_connection(connection: Connection, storage: Any, engine: Engine, end: str) -> None:
    transaction = connection.begin()
    first = Session(connection, join_transaction_mode='create_savepoint')
    replace(first, b'first')
    first.commit()
    second = Session(connection, join_transaction_mode='create_savepoint')
    replace(second, b'second')
    second.commit()
    first.close()
    second.close()
    assert contents(storage) == [*OLD, b'first', b'second']
    getattr(transaction, end)()
    assert holds(storage, engine) == ([b'b', b'c', b'second'] if end == 'commit' else OLD)


def test_the_recipe_for_test_suites_leaves_all_as_it_was(engine: Engine, storage: Any) -> None:
    """SQLAlchemy's documentation: Joining a Session into an External Transaction."""
    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode='create_savepoint')
    replace(session)
    session.commit()
    session.add(Document(content=b'd'))
    session.commit()
    session.execute(delete(Document).where(Document.id == 102))
    session.rollback()
    session.execute(delete(Document).where(Document.id == 103))
    session.commit()
    assert {each.file.read() for each in session.scalars(select(Document.content))} == {b'new', b'b', b'd'}
    session.close()
    transaction.rollback()
    connection.close()
    assert holds(storage, engine) == OLD


def test_a_session_that_joined_and_is_forgotten_takes_nothing_along(
    connection: Connection, storage: Any, engine: Engine
) -> None:
    with connection.begin():
        session = Session(connection)
        replace(session)
        session.flush()
        session.add(Document(content=b'never flushed'))
        del session
        gc.collect()
    assert holds(storage, engine) == NEW


def test_what_a_joined_session_never_flushed_goes_with_it(connection: Connection, storage: Any, engine: Engine) -> None:
    with connection.begin():
        with Session(connection) as session:
            session.add(Document(content=b'never flushed'))
        assert contents(storage) == OLD
    assert holds(storage, engine) == OLD


# Savepoints of the connection


@pytest.mark.parametrize('inner', ['commit', 'rollback'])
@every_end
def test_a_savepoint_of_the_connection_undoes_its_own_part(
    session: Session, storage: Any, engine: Engine, inner: str, end: str
) -> None:
    replace(session, b'first')
    session.flush()
    savepoint = session.connection().begin_nested()
    session.connection().execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'second'))
    getattr(savepoint, inner)()
    getattr(session, end)()
    kept = b'second' if inner == 'commit' else b'first'
    assert holds(storage, engine) == ([b'b', b'c', kept] if end == 'commit' else OLD)


def test_savepoints_of_connection_and_session_nest(session: Session, storage: Any, engine: Engine) -> None:
    outer = session.connection().begin_nested()
    inner = session.begin_nested()
    replace(session, b'1')
    session.flush()
    inner.commit()
    with session.begin_nested():
        session.execute(delete(Document).where(Document.id == 102))
    outer.rollback()
    session.expire_all()
    replace(session, b'2')
    session.commit()
    assert holds(storage, engine) == [b'2', b'b', b'c']


def test_a_savepoint_ends_with_the_transaction_around_it(connection: Connection, storage: Any, engine: Engine) -> None:
    for end in 'rollback', 'commit':
        connection.begin_nested()
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        connection.begin_nested()
        connection.execute(delete(TABLE).where(TABLE.c.id == 102))
        getattr(connection, end)()
        assert holds(storage, engine) == (OLD if end == 'rollback' else [b'c', b'new'])


# Connections without a session


def change(connection: Connection) -> None:
    connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))


def test_a_begin_block_commits(engine: Engine, storage: Any) -> None:
    with engine.begin() as connection:
        change(connection)
        assert contents(storage) == [*OLD, b'new']
    assert holds(storage, engine) == NEW


def test_an_exception_in_a_begin_block_rolls_back(engine: Engine, storage: Any) -> None:
    def work() -> None:
        with engine.begin() as connection:
            change(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert holds(storage, engine) == OLD


def test_a_connection_may_be_used_again_and_again(connection: Connection, storage: Any, engine: Engine) -> None:
    for end in 'commit', 'rollback', 'commit':
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=end.encode()))
        connection.execute(insert(TABLE).values(content=b'more'))
        getattr(connection, end)()
    assert holds(storage, engine) == [b'b', b'c', b'commit', b'more', b'more']


def by_close(connection: Connection) -> None:
    connection.close()


def by_invalidate(connection: Connection) -> None:
    connection.invalidate()


def by_detach(connection: Connection) -> None:
    connection.detach()
    connection.close()


def by_its_context(connection: Connection) -> None:
    with connection:
        pass


@pytest.mark.parametrize('leave', [by_close, by_invalidate, by_detach, by_its_context])
def test_leaving_a_connection_without_a_commit_is_a_rollback(
    engine: Engine, storage: Any, leave: Callable[[Connection], None]
) -> None:
    connection = engine.connect()
    change(connection)
    leave(connection)
    if not connection.closed:
        connection.rollback()
        connection.close()
    assert holds(storage, engine) == OLD


def test_a_forgotten_connection_is_rolled_back(engine: Engine, storage: Any) -> None:
    connection = engine.connect()
    change(connection)
    del connection
    gc.collect()
    assert holds(storage, engine) == OLD


@pytest.mark.parametrize('end', ['close', 'forget', 'rollback', 'commit'])
@pytest.mark.parametrize('reset', ['rollback', 'commit', None])
def test_no_row_dangles_whatever_the_pool_does(
    engine: Engine, make_engine: Callable[..., Engine], storage: Any, reset: Any, end: str
) -> None:
    if (engine.dialect.name, reset, end) == ('sqlite', None, 'forget'):
        pytest.skip('impossible here: the pool gives a connection that has begun, and SQLite begins no second time')
    other = make_engine(engine.dialect.name, tables=False, pool_reset_on_return=reset)
    connection = other.connect()
    change(connection)
    if end != 'forget':
        getattr(connection, end)()
        connection.close()
    del connection
    gc.collect()
    with other.connect() as again:  # the same one, from the pool
        again.execute(insert(TABLE).values(content=b'd'))
        again.commit()
    other.dispose()
    gc.collect()
    dangles_nowhere(storage, engine)


def test_a_refused_statement_leaves_the_connection_usable(connection: Connection, storage: Any, engine: Engine) -> None:
    with pytest.raises(IntegrityError), connection.begin():
        connection.execute(insert(TABLE).values(name='a', content=b'again'))
    change(connection)
    connection.commit()
    assert holds(storage, engine) == NEW
