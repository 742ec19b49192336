"""Sessions over several databases: each decides for itself, and the session for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from .breaking import trouble_of
from .laws import contents, dangles_nowhere, holds, in_memory, on_every_database
from .models import Base, Document, Elsewhere, OtherBase

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

OLD = [b'a', b'b', b'c']


@pytest.fixture
def elsewhere(make_engine: Callable[..., Engine]) -> Engine:
    """Another database, with one row whose file is ``far``."""
    engine = make_engine('sqlite', file='elsewhere.sqlite')
    with Session(engine) as session:
        session.add(Elsewhere(key='k', content=b'far'))
        session.commit()
    return engine


def over_both(engine: Engine, elsewhere: Engine) -> Session:
    return Session(binds={Base: engine, OtherBase: elsewhere})


def change_both(session: Session) -> None:
    session.get_one(Document, 101).content = b'new'
    session.get_one(Elsewhere, 'k').content = b'newer'
    session.flush()


@pytest.mark.parametrize('end', ['commit', 'rollback', 'close'])
def test_two_databases_end_together(engine: Engine, elsewhere: Engine, storage: Any, end: str) -> None:
    with over_both(engine, elsewhere) as session:
        change_both(session)
        getattr(session, end)()
    changed, before = [b'b', b'c', b'new', b'newer'], [*OLD, b'far']
    assert holds(storage, engine, elsewhere) == (changed if end == 'commit' else before)


@pytest.mark.parametrize('failing', ['near', 'far'])
def test_a_commit_that_is_refused_by_one_database_keeps_what_the_other_committed(
    engine: Engine, elsewhere: Engine, make_engine: Callable[..., Engine], storage: Any, failing: str
) -> None:
    near = make_engine(engine.dialect.name, tables=False)
    far = make_engine('sqlite', tables=False, file='elsewhere.sqlite')
    refused = {'near': near, 'far': far}[failing]
    trouble_of(refused).instead_of_commit(refused.dialect.loaded_dbapi.IntegrityError('refused'))
    with over_both(near, far) as session:
        change_both(session)
        with pytest.raises(IntegrityError):
            session.commit()
    assert (b'new' if failing == 'near' else b'newer') not in holds(storage, engine, elsewhere)


@pytest.mark.parametrize('failing', ['near', 'far'])
def test_a_commit_that_one_database_never_answers_keeps_what_the_other_committed(
    engine: Engine, elsewhere: Engine, make_engine: Callable[..., Engine], storage: Any, failing: str
) -> None:
    near = make_engine(engine.dialect.name, tables=False)
    far = make_engine('sqlite', tables=False, file='elsewhere.sqlite')
    trouble_of({'near': near, 'far': far}[failing]).after_commit()
    with over_both(near, far) as session:
        change_both(session)
        with pytest.raises(DBAPIError):
            session.commit()
    dangles_nowhere(storage, engine, elsewhere)
    assert (b'a' if failing == 'near' else b'far') in contents(storage)


def test_a_file_may_move_to_another_database(engine: Engine, elsewhere: Engine, storage: Any) -> None:
    with over_both(engine, elsewhere) as session:
        document = session.get_one(Document, 101)
        session.get_one(Elsewhere, 'k').content = document.content
        document.content = None
        session.commit()
    assert holds(storage, engine, elsewhere) == OLD


def test_a_new_file_may_go_to_two_databases(engine: Engine, elsewhere: Engine, storage: Any) -> None:
    with over_both(engine, elsewhere) as session:
        document = Document(content=b'new')
        session.add_all([document, Elsewhere(key='n', content=document.content)])
        session.commit()
    assert holds(storage, engine, elsewhere) == [*OLD, b'far', b'new']


def test_a_savepoint_spans_both_databases(engine: Engine, elsewhere: Engine, storage: Any) -> None:
    with over_both(engine, elsewhere) as session:
        with session.begin_nested() as savepoint:
            change_both(session)
            savepoint.rollback()
        session.get_one(Elsewhere, 'k').content = b'newest'
        session.commit()
    assert holds(storage, engine, elsewhere) == [*OLD, b'newest']
