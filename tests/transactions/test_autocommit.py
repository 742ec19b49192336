"""AUTOCOMMIT, where each statement decides by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .laws import contents, holds, in_memory, on_every_database
from .models import Document

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

TABLE: Any = Document.__table__
OLD = [b'a', b'b', b'c']


@pytest.fixture
def plain(engine: Engine) -> Iterator[Engine]:
    """The database without SQLAlchemy's recipe for SQLite, which begins transactions under AUTOCOMMIT too."""
    plain = create_engine(engine.url)
    yield plain
    plain.dispose()


def autocommitting(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level='AUTOCOMMIT')


def test_what_a_statement_lets_go_goes_at_once(plain: Engine, storage: Any) -> None:
    with autocommitting(plain).connect() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        assert contents(storage) == [b'b', b'c', b'new']
        connection.execute(delete(TABLE).where(TABLE.c.id == 102))
        assert contents(storage) == [b'c', b'new']
    assert holds(storage, plain) == [b'c', b'new']


@pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])
def test_what_a_statement_did_stays(plain: Engine, storage: Any, end: str) -> None:
    with autocommitting(plain).connect() as connection:
        connection.execute(insert(TABLE), [{'content': b'd'}, {'content': b'e'}])
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        getattr(connection, end)()
    assert holds(storage, plain) == [b'b', b'c', b'd', b'e', b'new']


def test_a_refused_statement_leaves_nothing(plain: Engine, storage: Any) -> None:
    with autocommitting(plain).connect() as connection:
        with pytest.raises(IntegrityError):
            connection.execute(insert(TABLE).values(name='a', content=b'again'))
        connection.execute(insert(TABLE).values(name='d', content=b'd'))
        connection.rollback()
    assert holds(storage, plain) == [*OLD, b'd']


@pytest.fixture(params=['engine', 'connection', 'session'])
def session(request: pytest.FixtureRequest, plain: Engine, storage: Any) -> Iterator[Session]:
    """One that was told so by its engine, by its connection, or itself."""
    with plain.connect() as connection:
        if request.param == 'connection':
            connection.execution_options(isolation_level='AUTOCOMMIT')
        with Session(
            {'engine': autocommitting(plain), 'connection': connection, 'session': plain}[request.param]
        ) as session:
            if request.param == 'session':
                session.connection(execution_options={'isolation_level': 'AUTOCOMMIT'})
            yield session


@pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])
def test_what_a_session_flushed_stays(session: Session, plain: Engine, storage: Any, end: str) -> None:
    session.get_one(Document, 101).content = b'new'
    session.add(Document(content=b'd'))
    session.flush()
    session.add(Document(content=b'never flushed'))
    if end != 'commit':
        getattr(session, end)()
        assert holds(storage, plain) == [b'b', b'c', b'd', b'new']
    else:
        session.commit()
        assert holds(storage, plain) == [b'b', b'c', b'd', b'never flushed', b'new']


def test_what_a_session_states_stays(session: Session, plain: Engine, storage: Any) -> None:
    session.execute(update(Document).where(Document.id == 101).values(content=b'new'))
    session.execute(delete(Document).where(Document.id == 102))
    session.rollback()
    assert holds(storage, plain) == [b'c', b'new']


def test_a_savepoint_undoes_nothing_under_autocommit(plain: Engine, storage: Any) -> None:
    with autocommitting(plain).connect() as connection:
        savepoint: Any = None
        try:
            savepoint = connection.begin_nested()
            connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
            savepoint.rollback()
        except Exception:  # there may be no such savepoint
            connection.rollback()
    holds(storage, plain)


def test_one_connection_may_change_to_autocommit_and_back(plain: Engine, storage: Any) -> None:
    with plain.connect() as connection:
        connection.execute(insert(TABLE).values(content=b'1'))
        connection.rollback()
        connection.execution_options(isolation_level='AUTOCOMMIT')
        connection.execute(insert(TABLE).values(content=b'2'))
        connection.rollback()
        connection.execution_options(isolation_level=connection.default_isolation_level)
        connection.execute(insert(TABLE).values(content=b'3'))
        connection.rollback()
    assert holds(storage, plain) == [b'2', *OLD]


@pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])
def test_where_the_recipe_begins_all_the_same_no_row_dangles(engine: Engine, storage: Any, end: str) -> None:
    with autocommitting(engine).connect() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        getattr(connection, end)()
    is_undone = engine.dialect.name == 'sqlite' and end != 'commit'
    assert holds(storage, engine) == (OLD if is_undone else [b'b', b'c', b'new'])
