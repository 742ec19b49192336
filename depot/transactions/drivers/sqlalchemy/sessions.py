"""When: a session's transactions and savepoints begin and end scopes.

A flush has a transaction of its own, which is no savepoint: only the outermost
transaction and savepoints have a scope, and only from their first file on.
"""

from __future__ import annotations

import weakref
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from ... import files
from ...scope import Scope, Upload

# Where a session keeps its scopes: SQLAlchemy's place for what others attach to a session.
_INFO_KEY = 'depot.transactions'


class SessionScopes:
    """The scopes of one session's open transactions."""

    def __init__(self) -> None:
        self._scopes: dict[SessionTransaction, Scope] = {}
        self._committed: SessionTransaction | None = None
        self._committing = False

    def current(self, session: Session) -> Scope:
        """The scope of the innermost transaction or savepoint; one is begun if there is none."""
        return self._scope(_innermost(session) or session.begin())

    def _scope(self, transaction: SessionTransaction) -> Scope:
        scope = self._scopes.get(transaction)
        if scope is None:
            scope = self._scopes[transaction] = Scope()
            # A session that is forgotten in mid-transaction is rolled back by its database, and so here.
            weakref.finalize(transaction, _roll_back, scope)
        return scope

    def commit_begins(self) -> None:
        """COMMIT will be sent soon: what is stored from now on cannot wait for the others."""
        self._committing = True
        self.sync()

    def sync_if_committing(self) -> None:
        if self._committing:
            self.sync()

    def sync(self) -> None:
        """Makes all new files durable, in one pass."""
        uploads = [each for scope in self._scopes.values() for each in scope.uploads if not each.durable]
        if uploads:
            files.sync(file for each in uploads for file in each.files)
        for each in uploads:
            each.durable = True

    def committed(self, transaction: SessionTransaction | None) -> None:
        self._committed = transaction

    def end(self, transaction: SessionTransaction) -> None:
        """Does what the end of a transaction or savepoint means for its files."""
        is_committed, self._committed = self._committed is transaction, None
        scope = self._scopes.pop(transaction, None)
        if not transaction.nested:
            self._committing = False
        if scope is None:
            return
        if not is_committed:
            _roll_back(scope)
        elif transaction.nested:
            self._scope(_enclosing(transaction)).absorb(scope)
        else:
            files.remove(scope.commit())


def scopes_of(session: Session) -> SessionScopes:
    """The scopes of this session."""
    scopes: SessionScopes | None = session.info.get(_INFO_KEY)
    if scopes is None:
        scopes = session.info[_INFO_KEY] = SessionScopes()
    return scopes


def scope_of(session: Session) -> Scope:
    """The scope of the transaction or savepoint that the session is in."""
    return scopes_of(session).current(session)


def hold(session: Session | None, upload: Upload) -> None:
    """Binds an undecided upload to the session's transaction, or to the life of what refers to it."""
    if session is not None:
        scope_of(session).take(upload)
    elif not upload.scopes:
        upload.remove_when_forgotten(files.remove)


def _roll_back(scope: Scope) -> None:
    files.remove(scope.rollback())


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def _enclosing(savepoint: SessionTransaction) -> SessionTransaction:
    transaction = savepoint.parent
    assert transaction is not None, 'a savepoint is always inside a transaction'
    return transaction if transaction.nested or transaction.parent is None else _enclosing(transaction)


def before_commit(session: Session) -> None:
    """Runs before the flush of a commit, and before a savepoint's release, which needs nothing."""
    if session.get_nested_transaction() is None:
        scopes_of(session).commit_begins()


def after_flush(session: Session, _context: Any) -> None:
    """Runs after each flush; those of a commit come after :func:`before_commit`."""
    scopes_of(session).sync_if_committing()


def after_commit(session: Session) -> None:
    """Runs after COMMIT, and after RELEASE SAVEPOINT; ``after_transaction_end`` follows."""
    scopes_of(session).committed(_innermost(session))


def after_transaction_end(session: Session, transaction: SessionTransaction) -> None:
    """Runs last, once for every transaction, savepoint and flush, however it ended."""
    if transaction.nested or transaction.parent is None:
        scopes_of(session).end(transaction)


def listen() -> None:
    """Makes every session of this process report here."""
    event.listen(Session, 'before_commit', before_commit)
    event.listen(Session, 'after_flush', after_flush)
    event.listen(Session, 'after_commit', after_commit)
    event.listen(Session, 'after_transaction_end', after_transaction_end)


listen()
