"""When: a session's transactions and savepoints begin and end scopes.

A flush has a transaction of its own, which is no savepoint: only the outermost
transaction and savepoints have a scope, and only from their first file on.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from ... import files
from ...scope import Scope, Upload


class _State:
    """What is known of one transaction or savepoint."""

    scope: Scope | None = None
    #: The one that the session was given, if it was: a transaction of its own may go on there.
    connection: Connection | None = None
    #: Runs when the transaction is forgotten before it ended.
    finalizer: weakref.finalize[[_State], SessionTransaction] | None = None
    is_committing = False
    is_committed = False

    @property
    def is_joined(self) -> bool:
        """Whether the database's transaction goes on: then nothing is decided, and nothing is removed."""
        return self.connection is not None and self.connection.in_transaction()


# Weakly, so that a forgotten session is collected. Not in ``session.info``: that is the application's to clear, and a
# transaction that lost its scope would seem rolled back.
_states: weakref.WeakKeyDictionary[SessionTransaction, _State] = weakref.WeakKeyDictionary()


def scope_of(session: Session) -> Scope:
    """The scope of the transaction or savepoint that the session is in; both are begun if need be."""
    return _scope(_innermost(session) or session.begin())


def hold(session: Session | None, upload: Upload) -> None:
    """Binds an undecided upload to the session's transaction, or to the life of what refers to it."""
    if session is not None and (session.autobegin or session.in_transaction()):
        scope_of(session).take(upload)
    elif not upload.scopes:
        upload.remove_when_forgotten(files.remove)


def _state(transaction: SessionTransaction) -> _State:
    state = _states.get(transaction)
    if state is None:
        state = _states[transaction] = _State()
    return state


def _scope(transaction: SessionTransaction) -> Scope:
    state = _state(transaction)
    if state.scope is None:
        state.scope = Scope()
        state.connection = transaction.session.bind if isinstance(transaction.session.bind, Connection) else None
        # A session that is forgotten in mid-transaction is rolled back by its database, and so here.
        state.finalizer = weakref.finalize(transaction, _forgotten, state)
    return state.scope


def _forgotten(state: _State) -> None:
    """Runs when nothing refers to a transaction any more that has not ended.

    One that has committed was left by an exception in between: its files stay.
    """
    if state.scope is not None and not state.is_committed and not state.is_joined:
        files.remove(state.scope.rollback())


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def _with_enclosing(transaction: SessionTransaction | None) -> Iterator[SessionTransaction]:
    """A transaction and those it is inside of, without those of flushes."""
    while transaction is not None:
        if transaction.nested or transaction.parent is None:
            yield transaction
        transaction = transaction.parent


def _sync(session: Session) -> None:
    """Makes all new files of the session durable, in one pass."""
    scopes = [_state(each).scope for each in _with_enclosing(_innermost(session))]
    uploads = [each for scope in scopes if scope is not None for each in scope.uploads if not each.durable]
    if uploads:
        files.sync(file for each in uploads for file in each.files)
    for each in uploads:
        each.durable = True


def before_commit(session: Session) -> None:
    """Runs before the flush of a commit, and before a savepoint's release, which needs nothing."""
    if session.get_nested_transaction() is None:
        _state(cast(SessionTransaction, session.get_transaction())).is_committing = True
        _sync(session)


def after_flush(session: Session, _context: Any) -> None:
    """Runs after each flush: what is stored during the one of a commit is too late for :func:`before_commit`."""
    if _state(cast(SessionTransaction, session.get_transaction())).is_committing:
        _sync(session)


def after_commit(session: Session) -> None:
    """Runs after COMMIT, and after RELEASE SAVEPOINT; :func:`after_transaction_end` follows."""
    _state(cast(SessionTransaction, _innermost(session))).is_committed = True


def after_transaction_end(_session: Session, transaction: SessionTransaction) -> None:
    """Runs last, once for every transaction, savepoint and flush, however it ended."""
    state = _states.pop(transaction, None)
    if state is None or state.scope is None or state.finalizer is None:
        return
    state.finalizer.detach()
    if transaction.nested:
        _end_savepoint(state, transaction)
    elif not state.is_joined:
        files.remove(state.scope.commit() if state.is_committed else state.scope.rollback())


def _end_savepoint(state: _State, savepoint: SessionTransaction) -> None:
    scope = cast(Scope, state.scope)
    if state.is_committed:
        _scope(next(_with_enclosing(savepoint.parent))).absorb(scope)
    else:
        files.remove(scope.rollback())


def listen() -> None:
    """Makes every session of this process report here."""
    event.listen(Session, 'before_commit', before_commit)
    event.listen(Session, 'after_flush', after_flush)
    event.listen(Session, 'after_commit', after_commit, insert=True)  # before one that raises
    event.listen(Session, 'after_transaction_end', after_transaction_end)


listen()
