"""Uploads that a session holds, because no row refers to them yet.

They were assigned, but not flushed, and go with the session's transaction, or
savepoint, unless a row was written meanwhile: then the transaction of its
database decides (:mod:`.database`). A flush has a transaction of its own, which
is no savepoint: it has no scope.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import event
from sqlalchemy.orm import Mapper, Session, SessionTransaction, object_session
from sqlalchemy.orm.attributes import instance_state

from ... import files
from ...lives import when_gone
from ...scope import Scope
from ...uploads import Upload
from . import waiting
from .columns import uploads_of


class _State:
    """What is known of one transaction or savepoint of a session."""

    def __init__(self, transaction: SessionTransaction) -> None:
        self.scope = Scope()
        self.is_committed = False
        # A session that is forgotten in mid-transaction is rolled back by its database, and so here.
        self.finalizer = when_gone(transaction, _forgotten, self.scope)


# Weakly, so that a forgotten session is collected. Not in ``session.info``: that is the application's to clear, and a
# transaction that lost its scope would seem rolled back.
_states: weakref.WeakKeyDictionary[SessionTransaction, _State] = weakref.WeakKeyDictionary()

# The names of the attributes that hold files.
_watched: weakref.WeakKeyDictionary[Mapper[Any], list[str]] = weakref.WeakKeyDictionary()


def watch(mapper: Mapper[Any], keys: list[str]) -> None:
    """From now on, objects of this mapped class bring the uploads in these attributes into their session."""
    _watched[mapper] = keys


def adopt(session: Session | None, value: Any) -> None:
    """Binds the uploads in a value to the session's transaction, or to the life of what refers to them."""
    for upload in uploads_of(value):
        if upload.undecided:
            _hold(session, upload)


def adopt_for(target: Any, value: Any) -> None:
    """Binds the uploads in a value that an attribute of ``target`` is set to."""
    adopt(object_session(target), value)


def _hold(session: Session | None, upload: Upload) -> None:
    if session is not None and (session.autobegin or session.in_transaction()):
        _scope(_innermost(session) or session.begin()).take(upload)
    elif not upload.scopes:
        upload.remove_when_forgotten(_remove_aside)


def _remove_aside(garbage: Any) -> None:
    waiting.aside(files.remove, garbage)


def _scope(transaction: SessionTransaction) -> Scope:
    state = _states.get(transaction)
    if state is None:
        state = _states[transaction] = _State(transaction)
    return state.scope


def _forgotten(scope: Scope) -> None:
    _remove_aside(scope.rollback())


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def _with_enclosing(transaction: SessionTransaction | None) -> Iterator[SessionTransaction]:
    """A transaction and those it is inside of, without those of flushes."""
    while transaction is not None:
        if transaction.nested or transaction.parent is None:
            yield transaction
        transaction = transaction.parent


def after_attach(session: Session, instance: Any) -> None:
    """Runs when an object comes into a session by ``add``, ``merge`` or a cascade, not by a load."""
    state = instance_state(instance)
    for key in _watched.get(state.mapper, ()):
        adopt(session, state.dict.get(key))


def after_commit(session: Session) -> None:
    """Runs after COMMIT, and after RELEASE SAVEPOINT; :func:`after_transaction_end` follows."""
    state = _states.get(cast(SessionTransaction, _innermost(session)))
    if state is not None:
        state.is_committed = True


def after_transaction_end(_session: Session, transaction: SessionTransaction) -> None:
    """Runs last, once for every transaction, savepoint and flush, however it ended."""
    state = _states.pop(transaction, None)
    if state is None:
        return
    state.finalizer.detach()
    if state.is_committed and transaction.nested:
        _scope(next(_with_enclosing(transaction.parent))).absorb(state.scope)
        return
    garbage = state.scope.commit() if state.is_committed else state.scope.rollback()
    if garbage:
        waiting.run(files.remove, garbage)


def listen() -> None:
    """Makes every session of this process report here."""
    event.listen(Session, 'after_attach', after_attach)
    event.listen(Session, 'after_commit', after_commit, insert=True)  # before one that raises
    event.listen(Session, 'after_transaction_end', after_transaction_end)


listen()
