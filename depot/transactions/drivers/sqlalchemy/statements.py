"""Which: the files that a statement lets go, and those that it makes rows refer to.

Every statement is followed that SQLAlchemy knows to be an INSERT, UPDATE or
DELETE, those of a session's flush too. What rows had before is asked of the
database, because an object may be older than its row.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Delete, Insert, Update, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql.dml import UpdateBase

from .changes import Change
from .columns import uploads_of
from .database import DatabaseTransaction, check, scope_of, sync
from .images import is_asking
from .insertions import Insertion, Upsert
from .outcome import aborts_transaction, ends_transaction, is_autocommit
from .sessions import adopt
from .targets import Target, target_of
from .updates import Deletion, Replacement
from .values import Parameters, with_files

_Execute = Callable[[Any, Connection, Sequence[Parameters], Any], CursorResult[Any]]

# What the statement does that is being executed.
_current: contextvars.ContextVar[Change | None] = contextvars.ContextVar('depot_statement', default=None)


def execute(
    statement: Any, send: _Execute, connection: Connection, sets: Sequence[Parameters], options: Any
) -> CursorResult[Any]:
    """Executes an INSERT, UPDATE or DELETE: stores the contents in it, and asks the rows for what they have."""
    target = target_of(statement)
    if target is None:
        return send(statement, connection, sets, options)
    check(connection)
    some = sets or [{}]
    if not isinstance(statement, Delete):
        statement, some = with_files(statement, some, target, lambda value: _take(connection, value))
    if sets:
        sets = some
    change = _kind(statement)(connection, statement, some, options, target)
    if not change.columns:
        return send(statement, connection, sets, options)
    _begin(change)
    result = _sent(send, change, sets, options)
    try:
        change.claim(result)
        change.finish()
    except BaseException:  # the rows are as it says, but nobody knows of their files
        DatabaseTransaction.of(connection).abandon()
        raise
    if is_autocommit(connection):
        DatabaseTransaction.of(connection).decide(connection.connection)
    return result


def _sent(send: _Execute, change: Change, sets: Sequence[Parameters], options: Any) -> CursorResult[Any]:
    try:
        return _followed(send, change, sets, options)
    except DBAPIError as error:
        if len(sets) > 1 and not _is_over(error, change.connection):
            change.claim_part()
            change.finish()
        raise


def _followed(send: _Execute, change: Change, sets: Sequence[Parameters], options: Any) -> CursorResult[Any]:
    token = _current.set(change)
    try:
        return send(change.statement, change.connection, sets, options)
    finally:
        change.is_done = True
        _current.reset(token)


def _is_over(error: DBAPIError, connection: Connection) -> bool:
    """Whether no row has changed, because none of the transaction will."""
    if error.connection_invalidated or aborts_transaction(error.orig, connection.dialect):
        return True
    return ends_transaction(error.orig, connection)


def _kind(statement: Any) -> type[Change]:
    if isinstance(statement, Delete):
        return Deletion
    if isinstance(statement, Update):
        return Replacement
    return Insertion if statement._post_values_clause is None and not statement._prefixes else Upsert


def _begin(change: Change) -> None:
    change.scope = scope_of(change.connection)
    change.check()
    if is_autocommit(change.connection):
        sync(upload for _column, value in change.values() for upload in uploads_of(value))
    change.ask()


def written(value: Any) -> None:
    """A statement is about to send this value to the database, followed or not."""
    if is_asking():
        return
    change = _current.get()
    if change is not None:
        change.send(value)
        return
    for upload in uploads_of(value):
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
    """Follows the statements of every engine and session of this process.

    Not by events: one listener to an engine's statements makes each of them dearer, the queries most of all.
    """
    statements: Any = UpdateBase
    send = statements._execute_on_connection

    def _execute_on_connection(
        statement: Any, connection: Connection, sets: Sequence[Parameters], options: Any
    ) -> CursorResult[Any]:
        return execute(statement, send, connection, sets, options)

    statements._execute_on_connection = _execute_on_connection
    event.listen(Session, 'do_orm_execute', do_orm_execute)


listen()
