"""When: SQLAlchemy's events of connections, translated into what a transaction of the database does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, NestedTransaction, event
from sqlalchemy.engine import ExceptionContext

from . import endings
from .database import DatabaseTransaction, savepoints_of
from .outcome import aborts_transaction, ends_transaction


def release_savepoint(connection: Connection, name: str, _context: None) -> None:
    """Runs before a savepoint is released."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is not None:
        transaction.release(_up_to(name, connection))


def rollback_savepoint(connection: Connection, name: str, _context: None) -> None:
    """Runs before a savepoint is rolled back."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is not None:
        transaction.undo(_up_to(name, connection))
        transaction.is_aborted = False


def _up_to(name: str, connection: Connection) -> list[NestedTransaction]:
    """The savepoint with this name and those inside it, from the innermost on."""
    inside = [*savepoints_of(connection)]
    names = [each._savepoint for each in inside]
    return inside[: names.index(name) + 1] if name in names else []


def commit(connection: Connection) -> None:
    """Runs before COMMIT is sent."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is not None:
        with endings.rolled_back_on_error(transaction, connection):
            transaction.prepare(connection)
        transaction.is_ending = True
        endings.expect(transaction, connection)


def rollback(connection: Connection) -> None:
    """Runs before ROLLBACK is sent, or instead of it where the connection broke."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is not None and connection.invalidated:
        transaction.rollback()
    elif transaction is not None:
        endings.expect(transaction, connection)


def prepare_twophase(connection: Connection, xid: Any) -> None:
    """Runs before PREPARE is sent; from then on any connection may commit the transaction."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is not None:
        with endings.rolled_back_on_error(transaction, connection):
            transaction.prepare(connection)
        transaction.is_prepared = True
        endings.expect_two_phase(transaction, xid)


def commit_twophase(connection: Connection, xid: Any, is_prepared: bool) -> None:
    """Runs before a two-phase transaction is committed, in one phase if it is not prepared."""
    if not is_prepared:
        prepare_twophase(connection, xid)


def rollback_twophase(connection: Connection, xid: Any, is_prepared: bool) -> None:
    """Runs before a two-phase transaction is rolled back, or instead of it where the connection broke."""
    transaction = DatabaseTransaction.of(connection)
    if transaction is None or is_prepared:
        return
    if not connection.invalidated:
        endings.expect_two_phase(transaction, xid)
    elif not transaction.is_prepared:  # else PREPARE was sent, and nobody knows what came of it
        transaction.rollback()


def handle_error(context: ExceptionContext) -> None:
    """Runs when a statement failed: the database may have ended the transaction by that, or refuse to commit it."""
    transaction = DatabaseTransaction.of(context.connection) if context.connection is not None else None
    if transaction is None:
        return
    if ends_transaction(context):
        transaction.rollback()
    elif aborts_transaction(context):
        transaction.is_aborted = True


def listen() -> None:
    """Makes every engine of this process report here."""
    for each in (
        release_savepoint,
        rollback_savepoint,
        commit,
        rollback,
        prepare_twophase,
        commit_twophase,
        rollback_twophase,
        handle_error,
    ):
        event.listen(Engine, each.__name__, each)


listen()
