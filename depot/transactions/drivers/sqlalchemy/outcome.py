"""How it ended: what a database says, or does not say, about a transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect

# InnoDB rolls the whole transaction back when it resolves a deadlock, and lets the connection go on with a new one.
_MYSQL_DEADLOCK = 1213


def is_known_rollback(error: BaseException, dialect: Dialect, dbapi_connection: Any) -> bool:
    """Whether this error of a COMMIT says that the database did not do it.

    It does if the database itself answered with it. If the connection broke, or
    this process was interrupted, the COMMIT may have been done all the same.
    """
    dbapi: Any = dialect.loaded_dbapi
    if not isinstance(error, dbapi.Error) or dialect.is_disconnect(error, dbapi_connection, None):
        return False
    # SQLite ends the transaction by itself when the disk fails; what the next reader will see is not certain then.
    return is_in_transaction(dbapi_connection) or isinstance(error, dbapi.IntegrityError)


def aborts_transaction(error: BaseException | None, dialect: Dialect) -> bool:
    """Whether PostgreSQL, after this error, answers a COMMIT with a rollback, and without an error."""
    return dialect.name == 'postgresql' and bool(_sqlstate(error))


def ends_transaction(error: BaseException | None, connection: Connection) -> bool:
    """Whether the database rolled the whole transaction back together with the statement that failed with this."""
    if connection.dialect.name in ('mysql', 'mariadb'):
        return error is not None and error.args[:1] == (_MYSQL_DEADLOCK,)
    if connection.dialect.name != 'sqlite' or connection.closed or connection.invalidated:
        return False
    return not is_in_transaction(connection.connection.dbapi_connection)


def _sqlstate(error: BaseException | None) -> Any:
    """The five letters by which a server says what is wrong; None where the client itself refused the statement."""
    return getattr(error, 'sqlstate', None) or getattr(error, 'pgcode', None)


def is_autocommit(connection: Any) -> bool:
    """Whether each statement decides by itself; not if somebody has begun all the same, as SQLAlchemy's recipe does."""
    is_asked_for: bool = connection._is_autocommit_isolation()
    return is_asked_for and not (connection.dialect.name == 'sqlite' and is_in_transaction(connection.connection))


def is_in_transaction(dbapi_connection: Any) -> bool:
    """Only the drivers of SQLite tell; for others, True."""
    for each in (dbapi_connection, getattr(dbapi_connection, 'driver_connection', None)):
        known = getattr(each, 'in_transaction', None)
        if isinstance(known, bool):
            return known
    return True
