"""Ctrl-C, ``sys.exit`` and a full memory, at every step: no law is broken, and nothing is forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, insert
from sqlalchemy.orm import Session

from depot.transactions.scope import Scope

from .laws import contents, dangles_nowhere, holds, in_memory
from .models import Album, Document

pytestmark = pytest.mark.usefixtures('documents')

OLD = [b'a', b'b', b'c']

every_interruption = pytest.mark.parametrize('interruption', [KeyboardInterrupt, SystemExit, MemoryError])


class Interrupted:
    """A method that is interrupted at its n-th call: instead of its work, or when it is done."""

    def __init__(
        self, method: Callable[..., Any], error: type[BaseException], call: int = 1, done: bool = False
    ) -> None:
        self._method, self._error, self._call, self._done = method, error, call, done

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._call -= 1
        if self._call or self._done:
            result = self._method(*args, **kwargs)
        if not self._call:
            raise self._error
        return result


@every_interruption
def test_an_interrupted_assignment_leaves_what_was(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any
) -> None:
    document = session.get_one(Document, 101)
    monkeypatch.setattr(storage, 'create', Interrupted(storage.create, interruption))
    with pytest.raises(interruption):
        document.content = b'new'
    monkeypatch.undo()
    session.commit()
    assert holds(storage, engine) == OLD


@every_interruption
def test_a_content_that_is_interrupted_leaves_nothing(
    session: Session, storage: Any, engine: Engine, interruption: Any
) -> None:
    def content() -> Any:
        yield b'half'
        raise interruption

    with pytest.raises(interruption):
        session.get_one(Document, 101).content = content()
    session.commit()
    assert holds(storage, engine) == OLD


@every_interruption
def test_an_interrupted_list_leaves_none_of_its_files(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any
) -> None:
    monkeypatch.setattr(storage, 'create', Interrupted(storage.create, interruption, call=3))
    with pytest.raises(interruption):
        session.add(Album(photos=[b'1', b'2', b'3']))
    monkeypatch.undo()
    session.commit()
    assert holds(storage, engine) == OLD


@in_memory
@every_interruption
@pytest.mark.parametrize('many', ['values', 'parameters'])
def test_an_interrupted_statement_leaves_nothing(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any, many: str
) -> None:
    rows = [{'content': b'%d' % number} for number in range(5)]
    monkeypatch.setattr(storage, 'create', Interrupted(storage.create, interruption, call=4))
    with pytest.raises(interruption):
        session.execute(*((insert(Document).values(rows),) if many == 'values' else (insert(Document), rows)))
    monkeypatch.undo()
    session.commit()
    assert holds(storage, engine) == OLD


@in_memory
@every_interruption
@pytest.mark.parametrize('moment', ['before_cursor_execute', 'after_cursor_execute'])
def test_an_interrupted_flush_is_rolled_back(
    session: Session, storage: Any, engine: Engine, interruption: Any, moment: str
) -> None:
    def interrupt(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if text.startswith('UPDATE'):
            raise interruption

    session.get_one(Document, 101).content = b'new'
    session.add(Document(content=b'd'))
    event.listen(engine, moment, interrupt)
    with pytest.raises(interruption):
        session.flush()
    event.remove(engine, moment, interrupt)
    session.rollback()
    assert holds(storage, engine) == OLD


@every_interruption
@pytest.mark.parametrize('storage', ['local'], indirect=True)
def test_a_commit_that_is_interrupted_before_it_is_sent_is_rolled_back(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any
) -> None:
    session.get_one(Document, 101).content = b'new'
    monkeypatch.setattr(storage, 'sync', Interrupted(storage.sync, interruption))
    with pytest.raises(interruption):
        session.commit()
    monkeypatch.undo()
    session.close()
    assert holds(storage, engine) == OLD


@in_memory
@every_interruption
@pytest.mark.parametrize('done', [True, False])
@pytest.mark.parametrize('call', [1, 3])
def test_an_interrupted_removal_after_a_commit_tries_all_others(
    session: Session,
    storage: Any,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    interruption: Any,
    done: bool,
    call: int,
) -> None:
    session.execute(delete(Document))
    interrupted = Interrupted(storage.delete, interruption, call, done)
    monkeypatch.setattr(storage, 'delete', interrupted)
    with contextlib.suppress(MemoryError) if interruption is MemoryError else pytest.raises(interruption):
        session.commit()
    monkeypatch.undo()
    session.close()
    assert len(contents(storage)) == (0 if done else 1)
    with Session(engine) as after:
        assert after.query(Document).count() == 0


@in_memory
@every_interruption
@pytest.mark.parametrize('done', [True, False])
def test_an_interrupted_removal_after_a_rollback_tries_all_others(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any, done: bool
) -> None:
    session.execute(insert(Document), [{'content': b'%d' % number} for number in range(3)])
    monkeypatch.setattr(storage, 'delete', Interrupted(storage.delete, interruption, call=2, done=done))
    with contextlib.suppress(MemoryError) if interruption is MemoryError else pytest.raises(interruption):
        session.rollback()
    monkeypatch.undo()
    session.close()
    assert set(contents(storage)) >= set(OLD)
    assert len(contents(storage)) == len(OLD) + (0 if done else 1)


@every_interruption
def test_an_interrupted_removal_leaves_a_usable_session(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any
) -> None:
    session.get_one(Document, 101).content = b'new'
    monkeypatch.setattr(storage, 'delete', Interrupted(storage.delete, interruption, done=True))
    with contextlib.suppress(interruption):
        session.commit()
    monkeypatch.undo()
    session.rollback()
    session.get_one(Document, 101).content = b'newer'
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'newer']


@in_memory
@every_interruption
@pytest.mark.parametrize('end', ['commit', 'rollback'])
def test_an_interruption_in_a_savepoint_spares_the_rest(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, interruption: Any, end: str
) -> None:
    def work() -> None:
        with session.begin_nested():
            session.get_one(Document, 102).content = b'B'
            session.flush()
            raise interruption

    session.get_one(Document, 101).content = b'A'
    with pytest.raises(interruption):
        work()
    getattr(session, end)()
    assert holds(storage, engine) == ([b'A', b'b', b'c'] if end == 'commit' else OLD)


def test_an_interruption_after_a_statement_dangles_no_row(
    session: Session, storage: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Scope, 'keep', interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.execute(insert(Document).values(content=b'new'))
    session.commit()
    dangles_nowhere(storage, engine)
