"""When: what is sent to a database to end transactions and savepoints, and what comes of it.

SQLAlchemy has events for this, but none after COMMIT, and one listener makes
every statement of every engine dearer. Its dialects are the last to know what is
sent, and the first to know what came of it. Each engine has one, and it is
listened to from the first statement on that has to do with files.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import ExceptionContext

from ...lives import when_gone
from . import waiting
from .outcome import is_known_rollback

Send = Callable[..., None]


class Transaction(Protocol):
    """What wants to know."""

    def check(self, dbapi_connection: Any) -> None:
        """Something is about to be sent: has somebody ended the transaction before, without telling?"""

    def prepare(self) -> None:
        """COMMIT or PREPARE is about to be sent."""

    def commit(self, dbapi_connection: Any) -> None:
        """COMMIT was done."""

    def rollback(self) -> None:
        """ROLLBACK was done, or COMMIT refused, or never sent."""

    def abandon(self) -> None:
        """Nobody knows what was done."""

    def release(self, savepoint: str) -> None:
        """A savepoint is about to be released."""

    def undo(self, savepoint: str) -> None:
        """A savepoint was rolled back."""

    def fail(self, context: ExceptionContext) -> None:
        """A statement failed."""

    def forget(self) -> None:
        """The connection was lost, or given back."""


class _Told:
    """Who wants to know what becomes of the transaction that a connection is in."""

    transaction: Transaction | None = None


# By what a connection has from the pool, while it has it.
_told: weakref.WeakKeyDictionary[Any, _Told] = weakref.WeakKeyDictionary()

# By id: the two-phase transactions that are prepared, or about to be; any connection can end them.
_prepared: dict[Any, Transaction] = {}

# Those that are listened to.
_dialects: weakref.WeakSet[Dialect] = weakref.WeakSet()


def tell(transaction: Transaction, connection: Connection) -> None:
    """Tells the transaction what becomes of the one that the connection is in."""
    dbapi_connection = connection.connection
    told = _told.get(dbapi_connection)
    if told is None:
        told = _told[dbapi_connection] = _Told()
        when_gone(dbapi_connection, _lost, told)
    told.transaction = transaction
    if connection.dialect not in _dialects:
        _listen(connection.dialect)


def told_of(connection: Connection) -> Transaction | None:
    """Who is told what becomes of the transaction that the connection is in."""
    if connection.closed or connection.invalidated:
        return None
    told = _told.get(connection.connection)
    return None if told is None else told.transaction


def all_told() -> list[Transaction]:
    """All that have not ended; a copy, because other threads begin some meanwhile."""
    alive = filter(None, (each() for each in _told.keyrefs()))
    told = filter(None, map(_told.get, alive))
    return [each.transaction for each in told if each.transaction is not None]


def _taken(dbapi_connection: Any) -> Transaction | None:
    """Who was told until now: the transaction is about to end."""
    told = _told.get(dbapi_connection)
    if told is None:
        return None
    transaction, told.transaction = told.transaction, None
    if transaction is not None:
        transaction.check(dbapi_connection)
    return transaction


def _lost(told: _Told) -> None:
    """Runs when a connection was forgotten, given back or broken, while it was in a transaction or not."""
    if told.transaction is not None:
        told.transaction.forget()


def _listen(dialect: Dialect) -> None:
    _dialects.add(dialect)
    for name, listening in _LISTENING.items():
        setattr(dialect, name, listening(dialect, getattr(dialect, name)))
    event.listen(dialect, 'handle_error', _fail)


def _fail(context: ExceptionContext) -> None:
    transaction = None if context.connection is None else told_of(context.connection)
    if transaction is not None:
        transaction.fail(context)


def _release(_dialect: Dialect, send: Send) -> Send:
    def do_release_savepoint(connection: Connection, name: str) -> None:
        transaction = told_of(connection)
        if transaction is not None:
            transaction.release(name)
        send(connection, name)

    return do_release_savepoint


def _undo(_dialect: Dialect, send: Send) -> Send:
    def do_rollback_to_savepoint(connection: Connection, name: str) -> None:
        transaction = told_of(connection)
        send(connection, name)
        if transaction is not None:
            transaction.undo(name)

    return do_rollback_to_savepoint


def _commit(dialect: Dialect, send: Send) -> Send:
    def do_commit(dbapi_connection: Any) -> None:
        transaction = _taken(dbapi_connection)
        if transaction is None:
            send(dbapi_connection)
        else:
            _prepare(transaction, dialect, dbapi_connection)
            waiting.shielded(end, transaction, dbapi_connection)  # with what follows: the ledger is written

    def end(transaction: Transaction, dbapi_connection: Any) -> None:
        try:
            send(dbapi_connection)
        except BaseException as error:
            if is_known_rollback(error, dialect, dbapi_connection):
                _roll_back(transaction, dialect, dbapi_connection)
            else:
                transaction.abandon()
            raise
        transaction.commit(dbapi_connection)

    return do_commit


def _prepare(transaction: Transaction, dialect: Dialect, dbapi_connection: Any) -> None:
    try:
        transaction.prepare()
    except BaseException:
        _roll_back(transaction, dialect, dbapi_connection)
        raise


def _roll_back(transaction: Transaction, dialect: Dialect, dbapi_connection: Any) -> None:
    """After a COMMIT that failed SQLAlchemy sends no ROLLBACK, and leaves it to the pool.

    But the connection may be used again, and its next COMMIT must not commit this transaction.
    """
    try:
        if dbapi_connection.is_valid:  # not after a cancellation
            waiting.shielded(dialect.do_rollback, dbapi_connection)
    except BaseException:
        transaction.abandon()
        raise
    transaction.rollback()


def _rollback(_dialect: Dialect, send: Send) -> Send:
    def do_rollback(dbapi_connection: Any) -> None:
        transaction = _taken(dbapi_connection)
        try:
            send(dbapi_connection)
        finally:  # without an answer too: COMMIT was never sent
            if transaction is not None:
                transaction.rollback()

    return do_rollback


def _prepare_two_phase(dialect: Dialect, send: Send) -> Send:
    def do_prepare_twophase(connection: Connection, xid: Any) -> None:
        transaction = _taken(connection.connection)
        if transaction is None:
            send(connection, xid)
            return
        _prepare(transaction, dialect, connection.connection)
        _prepared[_text(xid)] = transaction
        try:
            send(connection, xid)
        except BaseException as error:
            if is_known_rollback(error, dialect, connection.connection):
                del _prepared[_text(xid)]
                transaction.rollback()
            raise

    return do_prepare_twophase


def _commit_two_phase(dialect: Dialect, send: Send) -> Send:
    def do_commit_twophase(connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False) -> None:
        transaction = _taken_two_phase(connection, xid, is_prepared)
        if transaction is None:
            send(connection, xid, is_prepared, recover)
            return
        if not is_prepared:
            _prepare(transaction, dialect, connection.connection)
        waiting.shielded(end, transaction, connection, xid, is_prepared, recover)

    def end(transaction: Transaction, connection: Connection, *args: Any) -> None:
        try:
            send(connection, *args)
        except BaseException:
            transaction.abandon()
            raise
        transaction.commit(connection.connection)

    return do_commit_twophase


def _rollback_two_phase(_dialect: Dialect, send: Send) -> Send:
    def do_rollback_twophase(connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False) -> None:
        transaction = _taken_two_phase(connection, xid, is_prepared)
        if transaction is None:
            send(connection, xid, is_prepared, recover)
            return
        try:
            send(connection, xid, is_prepared, recover)
        except BaseException:
            transaction.abandon()
            raise
        transaction.rollback()

    return do_rollback_twophase


def _taken_two_phase(connection: Connection, xid: Any, is_prepared: bool) -> Transaction | None:
    """Who was told until now of a two-phase transaction, which another connection may have prepared."""
    return _prepared.pop(_text(xid), None) if is_prepared else _taken(connection.connection)


def _text(xid: Any) -> Any:
    """The id as SQLAlchemy made it: MariaDB's driver gives those of ``recover_twophase()`` as bytes."""
    return xid.decode() if isinstance(xid, bytes) else xid


_LISTENING: dict[str, Callable[[Dialect, Send], Send]] = {
    'do_release_savepoint': _release,
    'do_rollback_to_savepoint': _undo,
    'do_commit': _commit,
    'do_rollback': _rollback,
    'do_prepare_twophase': _prepare_two_phase,
    'do_commit_twophase': _commit_two_phase,
    'do_rollback_twophase': _rollback_two_phase,
}
