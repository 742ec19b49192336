"""Which: the files that a statement lets go, and those that it makes rows refer to.

Every statement is followed that SQLAlchemy knows to be an INSERT, UPDATE or
DELETE, those of a session's flush too. What rows had before is asked of the
database, because an object may be older than its row.
"""

from __future__ import annotations

import contextvars
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Delete, Engine, Insert, SelectBase, Update, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql.dml import UpdateBase

from .changes import Change, Deletion, Replacement
from .columns import uploads_of
from .database import DatabaseTransaction, scope_of, sync
from .insertions import Insertion, Upsert
from .outcome import aborts_transaction, ends_transaction, is_in_transaction
from .sessions import adopt
from .targets import Target
from .values import Parameters, changes_rows, with_files

# What the statement does that is being executed; a query itself.
_current: contextvars.ContextVar[Change | SelectBase | None] = contextvars.ContextVar('depot_statement', default=None)


def before_execute(
    connection: Connection, statement: Any, several: Sequence[Parameters], one: Parameters, _options: Any
) -> tuple[Any, Sequence[Parameters], Parameters]:
    """Runs before each statement: stores the contents in it, and asks the rows for what they have."""
    _current.set(statement if isinstance(statement, SelectBase) else None)
    if not isinstance(statement, UpdateBase):
        return statement, several, one
    target = Target(statement)
    if not target.file_columns:
        return statement, several, one
    sets = several or [one]
    if not isinstance(statement, Delete):
        statement, sets = with_files(statement, sets, target, lambda value: _take(connection, value))
    change = _kind(statement)(connection, statement, sets, target)
    if change.columns:
        _begin(change)
    return (statement, sets, {}) if several else (statement, (), sets[0])


def _kind(statement: Any) -> type[Change]:
    if isinstance(statement, Delete):
        return Deletion
    if isinstance(statement, Update):
        return Replacement
    return Insertion if statement._post_values_clause is None and not statement._prefixes else Upsert


def _begin(change: Change) -> None:
    change.check()
    if is_autocommit(change.connection):
        sync(upload for _column, value in change.values() for upload in uploads_of(value))
    change.ask()
    _current.set(change)


def after_execute(
    connection: Connection, statement: Any, _several: Any, _one: Any, _options: Any, result: CursorResult[Any]
) -> None:
    """Runs after each statement that did not fail: now the rows are as it says."""
    change = _current.get()
    if not isinstance(change, Change) or change.statement is not statement:
        return
    _current.set(None)
    change.claim(result)
    if is_autocommit(connection):
        transaction = DatabaseTransaction.begun(connection)
        transaction.prepare(connection)
        transaction.commit(connection.connection)


def handle_error(context: ExceptionContext) -> None:
    """Runs when a statement failed. One that is executed many times may have been done some times before."""
    change = _current.get()
    _current.set(None)
    if not isinstance(change, Change) or len(change.sets) == 1 or context.is_disconnect or aborts_transaction(context):
        return
    if not ends_transaction(context):
        change.claim_part()


def is_autocommit(connection: Any) -> bool:
    """Whether each statement decides by itself; not if somebody has begun all the same, as SQLAlchemy's recipe does."""
    is_asked_for: bool = connection._is_autocommit_isolation()
    return is_asked_for and not (connection.dialect.name == 'sqlite' and is_in_transaction(connection.connection))


def written(value: Any) -> None:
    """A statement is about to send this value to the database, followed or not."""
    statement = _current.get()
    for upload in uploads_of(value):
        if isinstance(statement, Change):
            statement.take(upload)
        elif statement is None or changes_rows(statement):
            upload.write()


def _take(connection: Connection, value: Any) -> None:
    for upload in uploads_of(value):
        scope_of(connection).take(upload)


def do_orm_execute(state: ORMExecuteState) -> Any:
    """Runs before an ORM statement is executed: its values are given to the objects of the session as well."""
    statement = state.statement
    if not isinstance(statement, (Insert, Update)):
        return None
    target = Target(statement)
    if not target.files:
        return None
    sets: Any = state.parameters if isinstance(state.parameters, Sequence) else [state.parameters or {}]
    changed, new_sets = with_files(statement, sets, target, lambda value: adopt(state.session, value))
    if changed is statement:
        return None
    return state.invoke_statement(changed, new_sets if state.is_executemany else new_sets[0])


def listen() -> None:
    """Makes every engine and session of this process report here."""
    event.listen(Engine, 'before_execute', before_execute, retval=True)
    event.listen(Engine, 'after_execute', after_execute)
    event.listen(Engine, 'handle_error', handle_error)
    event.listen(Session, 'do_orm_execute', do_orm_execute)


listen()
