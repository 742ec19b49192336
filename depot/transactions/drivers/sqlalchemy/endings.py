"""How a transaction ended: SQLAlchemy tells before it sends COMMIT, but not after. So its dialect is listened to.

The dialect is the last to know what was sent, and the first to know what came
of it; there is one for each engine.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect

from . import waiting
from .outcome import is_known_rollback


class Transaction(Protocol):
    """What wants to know."""

    def commit(self, dbapi_connection: Any) -> None:
        """COMMIT was done."""

    def rollback(self) -> None:
        """ROLLBACK was done, or COMMIT refused."""

    def abandon(self) -> None:
        """Nobody knows."""


# By what the dialect is given: the transactions whose end is being sent.
_ending: weakref.WeakKeyDictionary[Any, Transaction] = weakref.WeakKeyDictionary()

# By id: the two-phase transactions that are prepared, or about to be; any connection can end them.
_prepared: dict[Any, Transaction] = {}

# Those that are listened to.
_dialects: weakref.WeakSet[Dialect] = weakref.WeakSet()


def expect(transaction: Transaction, connection: Connection) -> None:
    """The end of the transaction is about to be sent."""
    _ending[connection.connection] = transaction


def expect_two_phase(transaction: Transaction, xid: Any) -> None:
    """From now on, whoever ends the two-phase transaction with this id ends ``transaction``."""
    _prepared[_text(xid)] = transaction


def _text(xid: Any) -> Any:
    """The id as SQLAlchemy made it: MariaDB's driver gives those of ``recover_twophase()`` as bytes."""
    return xid.decode() if isinstance(xid, bytes) else xid


@contextlib.contextmanager
def rolled_back_on_error(transaction: Transaction, connection: Connection) -> Iterator[None]:
    """If what is done before COMMIT fails, SQLAlchemy sends no ROLLBACK: it waits for the pool to do it."""
    try:
        yield
    except BaseException:
        if connection.invalidated:  # as by a cancellation
            transaction.rollback()
        else:
            _end_by_rollback(transaction, connection.dialect, connection.connection)
        raise


def listen_to(dialect: Dialect) -> None:
    """Hears from now on how the transactions of this dialect's engine end."""
    if dialect in _dialects:
        return
    _dialects.add(dialect)
    methods: Any = dialect
    methods.do_commit = _commit(dialect, dialect.do_commit)
    methods.do_rollback = _rollback(dialect.do_rollback)
    methods.do_prepare_twophase = _prepare_two_phase(dialect, dialect.do_prepare_twophase)
    methods.do_commit_twophase = _commit_two_phase(dialect.do_commit_twophase)
    methods.do_rollback_twophase = _rollback_two_phase(dialect.do_rollback_twophase)


def _commit(dialect: Dialect, send: Callable[[Any], None]) -> Callable[[Any], None]:
    def do_commit(dbapi_connection: Any) -> None:
        transaction = _ending.pop(dbapi_connection, None)
        if transaction is None:
            send(dbapi_connection)
        else:  # what follows is shielded too: the ledger is written
            waiting.shielded(end, transaction, dbapi_connection)

    def end(transaction: Transaction, dbapi_connection: Any) -> None:
        try:
            send(dbapi_connection)
        except BaseException as error:
            if is_known_rollback(error, dialect, dbapi_connection):
                _end_by_rollback(transaction, dialect, dbapi_connection)
            else:
                transaction.abandon()
            raise
        transaction.commit(dbapi_connection)

    return do_commit


def _end_by_rollback(transaction: Transaction, dialect: Dialect, dbapi_connection: Any) -> None:
    """Makes sure: the connection may be used again, and its next COMMIT must not commit this transaction."""
    try:
        waiting.shielded(dialect.do_rollback, dbapi_connection)
    except BaseException:
        transaction.abandon()
        raise
    transaction.rollback()


def _rollback(send: Callable[[Any], None]) -> Callable[[Any], None]:
    def do_rollback(dbapi_connection: Any) -> None:
        transaction = _ending.pop(dbapi_connection, None)
        try:
            send(dbapi_connection)
        finally:  # without an answer too: COMMIT was never sent
            if transaction is not None:
                transaction.rollback()

    return do_rollback


def _prepare_two_phase(dialect: Dialect, send: Callable[..., None]) -> Callable[..., None]:
    def do_prepare_twophase(connection: Connection, xid: Any) -> None:
        try:
            send(connection, xid)
        except BaseException as error:
            if is_known_rollback(error, dialect, connection.connection):
                transaction = _prepared.pop(_text(xid), None)
                if transaction is not None:
                    transaction.rollback()
            raise

    return do_prepare_twophase


def _commit_two_phase(send: Callable[..., None]) -> Callable[..., None]:
    def do_commit_twophase(connection: Connection, xid: Any, *args: Any, **kw: Any) -> None:
        transaction = _prepared.pop(_text(xid), None)
        if transaction is None:
            send(connection, xid, *args, **kw)
        else:
            waiting.shielded(end, transaction, connection, xid, *args, **kw)

    def end(transaction: Transaction, connection: Connection, *args: Any, **kw: Any) -> None:
        try:
            send(connection, *args, **kw)
        except BaseException:
            transaction.abandon()
            raise
        transaction.commit(connection.connection)

    return do_commit_twophase


def _rollback_two_phase(send: Callable[..., None]) -> Callable[..., None]:
    def do_rollback_twophase(connection: Connection, xid: Any, *args: Any, **kw: Any) -> None:
        transaction = _prepared.pop(_text(xid), None)
        try:
            send(connection, xid, *args, **kw)
        except BaseException:
            if transaction is not None:
                transaction.abandon()
            raise
        if transaction is not None:
            transaction.rollback()

    return do_rollback_twophase
