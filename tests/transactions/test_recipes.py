"""What applications do with SQLAlchemy's events and recipes, around files."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.orm import (
    Session,
    attributes,
    make_transient,
    make_transient_to_detached,
    scoped_session,
    sessionmaker,
)

from .laws import holds, in_memory
from .models import Document, Note

pytestmark = in_memory

Listen = Callable[[Any, str, Callable[..., Any]], None]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Listens to an event until the test is over."""
    with ExitStack() as stack:

        def listen(target: Any, name: str, listener: Callable[..., Any]) -> None:
            event.listen(target, name, listener)
            stack.callback(event.remove, target, name, listener)

        yield listen


def keep_history(session: Session, *_: Any) -> None:
    """The recipe of versioned rows: what a row had goes to a row of the history."""
    for each in session.dirty:
        if isinstance(each, Document):
            session.add_all(Note(content=old) for old in attributes.get_history(each, 'content').deleted)
    session.add_all(Note(content=each.content) for each in session.deleted if isinstance(each, Document))


def test_a_file_that_the_history_takes_over_stays(
    session: Session, storage: Any, engine: Engine, document: Document
) -> None:
    event.listen(session, 'before_flush', keep_history)
    for content in (b'new', b'newer'):
        assert document.content.file.read()  # which loads what the history is to have
        document.content = content
        session.commit()
    assert holds(storage, engine) == [b'new', b'newer', b'old']
    session.delete(document)
    session.rollback()
    session.delete(document)
    session.commit()
    assert holds(storage, engine) == [b'new', b'newer', b'old']


def test_the_history_lets_go_with_its_own_rows(
    session: Session, storage: Any, engine: Engine, document: Document
) -> None:
    event.listen(session, 'before_flush', keep_history)
    assert document.content.file.read() == b'old'
    document.content = b'new'
    session.commit()
    session.query(Note).delete()
    session.commit()
    assert holds(storage, engine) == [b'new']


def test_a_soft_deleted_row_keeps_its_file(session: Session, storage: Any, engine: Engine, document: Document) -> None:
    def hide_instead(session: Session, *_: Any) -> None:
        for each in [*session.deleted]:
            session.add(each)
            each.name = 'hidden'

    event.listen(session, 'before_flush', hide_instead)
    session.delete(document)
    session.commit()
    assert document.name == 'hidden'
    assert holds(storage, engine) == [b'old']


@pytest.mark.parametrize('name', ['before_insert', 'before_update'])
def test_a_content_that_a_mapper_event_assigns_is_the_rows(
    session: Session, storage: Any, engine: Engine, document: Document, listen: Listen, name: str
) -> None:
    listen(Document, name, lambda _mapper, _connection, target: setattr(target, 'content', b'by the event'))
    if name == 'before_insert':
        session.delete(document)
        session.add(Document(content=b'overruled'))
    document.name = 'other'
    session.commit()
    assert holds(storage, engine) == [b'by the event']


def test_a_statement_inside_a_mapper_event_goes_with_the_transaction(
    session: Session, storage: Any, engine: Engine, document: Document, listen: Listen
) -> None:
    def log(_mapper: Any, connection: Any, _target: Any) -> None:
        connection.execute(insert(Note.__table__).values(content=b'log'))

    listen(Document, 'after_update', log)
    document.content = b'never'
    session.flush()
    session.rollback()
    assert holds(storage, engine) == [b'old']
    document.content = b'new'
    session.commit()
    assert holds(storage, engine) == [b'log', b'new']


def test_a_value_that_is_flagged_as_modified_stays(
    session: Session, storage: Any, engine: Engine, document: Document
) -> None:
    for _ in range(2):
        with session.begin_nested():
            assert document.content.filename == 'unnamed'
            attributes.flag_modified(document, 'content')
    session.commit()
    assert holds(storage, engine) == [b'old']


def test_a_row_that_was_never_loaded_lets_its_file_go(
    session: Session, storage: Any, engine: Engine, document: Document
) -> None:
    key = document.id
    session.expunge_all()
    unloaded = Document(id=key)
    make_transient_to_detached(unloaded)
    session.add(unloaded)
    unloaded.content = b'new'
    session.commit()
    assert holds(storage, engine) == [b'new']


def test_a_row_that_is_made_anew_in_the_same_transaction_keeps_its_file(
    session: Session, storage: Any, engine: Engine, document: Document
) -> None:
    session.delete(document)
    session.flush()
    make_transient(document)
    session.add(document)
    session.commit()
    assert holds(storage, engine) == [b'old']


def test_an_own_hook_after_the_commit_reads_the_new_file(session: Session, storage: Any, document: Document) -> None:
    read: list[bytes] = []
    document.content = b'new'
    content = document.content
    event.listen(session, 'after_commit', lambda _session: read.append(content.file.read()))
    session.commit()
    assert read == [b'new']


def test_each_test_in_an_outer_transaction_begins_with_an_empty_storage(storage: Any, engine: Engine) -> None:
    """As the documentation of SQLAlchemy advises for test suites, with the scoped session of a web framework."""
    for number in range(2):
        with engine.connect() as connection, connection.begin() as outer:
            sessions = scoped_session(sessionmaker(connection, join_transaction_mode='create_savepoint'))
            sessions.add(Document(name='the same', content=b'%d' % number))
            sessions.commit()
            sessions.remove()
            document = sessions.query(Document).one()
            document.content = b'never'
            sessions.rollback()
            with sessions.begin_nested():
                document.content = b'in a savepoint'
            sessions.commit()
            sessions.remove()
            assert len(storage.list()) == 2  # the outer transaction decides
            outer.rollback()
        del document
        gc.collect()
        assert holds(storage, engine) == []
