"""How it ended: what a database says, or does not say, about a transaction."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError

# InnoDB rolls the whole transaction back when it resolves a deadlock, and lets the connection go on with a new one.
_MYSQL_DEADLOCK = 1213
# serialization_failure, deadlock_detected
_POSTGRESQL_GIVEN_UP = ('40001', '40P01')

# What drivers say of a connection: libpq's PQTRANS_IDLE and PQTRANS_INERROR, MySQL's SERVER_STATUS_IN_TRANS.
_IDLE, _IN_ERROR, _MYSQL_IN_TRANSACTION = 0, 3, 1


def is_known_rollback(error: BaseException, dialect: Dialect, dbapi_connection: Any) -> bool:
    """Whether this error of a COMMIT says that the database did not do it.

    It does if the database itself answered with it. If the connection broke, or
    this process was interrupted, the COMMIT may have been done all the same.
    """
    dbapi: Any = dialect.loaded_dbapi
    if not isinstance(error, dbapi.Error) or dialect.is_disconnect(error, dbapi_connection, None):
        return False
    if dialect.name != 'sqlite':
        return True
    # It ends the transaction by itself when the disk fails; what the next reader will see is not certain then.
    return is_in_transaction(dbapi_connection) or isinstance(error, dbapi.IntegrityError)


def aborts_transaction(error: BaseException | None, dialect: Dialect) -> bool:
    """Whether PostgreSQL, after this error, answers a COMMIT with a rollback, and without an error."""
    return dialect.name == 'postgresql' and bool(_sqlstate(error))


def is_aborted(connection: Connection) -> bool:
    """Whether that still is so: somebody may have gone back to a savepoint that SQLAlchemy does not know."""
    driver_connection = connection.connection.driver_connection
    status = _attribute(_attribute(driver_connection, 'info'), 'transaction_status')
    if isinstance(status, int):
        return status == _IN_ERROR
    try:
        connection.exec_driver_sql('SELECT 1')
    except DBAPIError:
        return True
    return False


def ends_transaction(error: BaseException | None, connection: Connection) -> bool:
    """Whether the database rolled the whole transaction back together with the statement that failed with this."""
    if connection.dialect.name in ('mysql', 'mariadb'):
        return _is_mysql_deadlock(error)
    if connection.dialect.name != 'sqlite' or connection.closed or connection.invalidated:
        return False
    return not is_in_transaction(connection.connection.dbapi_connection)


def is_given_up(error: Exception) -> bool:
    """Whether the database gave the transaction up: a deadlock, or SERIALIZABLE. A timeout would come again."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return _sqlstate(original) in _POSTGRESQL_GIVEN_UP or _is_mysql_deadlock(original)


def _is_mysql_deadlock(error: BaseException | None) -> bool:
    return error is not None and error.args[:1] == (_MYSQL_DEADLOCK,)


def _sqlstate(error: BaseException | None) -> Any:
    """The five letters by which a server says what is wrong; None where the client itself refused the statement."""
    return getattr(error, 'sqlstate', None) or getattr(error, 'pgcode', None)


def is_autocommit(connection: Connection) -> bool:
    """Whether each statement decides by itself, because SQLAlchemy or the driver was asked for that."""
    asked: Any = connection
    dbapi_connection: Any = connection.connection.dbapi_connection
    if connection.dialect.name == 'sqlite':  # its recipe begins by itself, whatever was asked for
        return not is_in_transaction(dbapi_connection) and (
            asked._is_autocommit_isolation() or _attribute(dbapi_connection, 'isolation_level', '') is None
        )
    return (
        asked._is_autocommit_isolation()
        or _attribute(dbapi_connection, 'autocommit') is True
        or (hasattr(dbapi_connection, 'get_autocommit') and bool(dbapi_connection.get_autocommit()))
    )


def is_in_transaction(dbapi_connection: Any) -> bool:
    """Whether the database has a transaction open on this connection; True where the driver does not tell."""
    for each in (dbapi_connection, _attribute(dbapi_connection, 'driver_connection')):
        known = _attribute(each, 'in_transaction')  # those of SQLite
        if isinstance(known, bool):
            return known
        status = _attribute(_attribute(each, 'info'), 'transaction_status')  # psycopg
        if isinstance(status, int):
            return status != _IDLE
        ask = _attribute(each, 'is_in_transaction')  # asyncpg
        if callable(ask):
            return bool(ask())
        flags = _attribute(each, 'server_status')  # PyMySQL
        if isinstance(flags, int):
            return bool(flags & _MYSQL_IN_TRANSACTION) or _says_the_server(each)
    return True


def _says_the_server(connection: Any) -> bool:
    """PyMySQL does not hear it from a statement that returned rows, such as DELETE ... RETURNING."""
    if not inspect.iscoroutinefunction(connection.ping):
        with contextlib.suppress(Exception):
            connection.ping(reconnect=False)
    return bool(connection.server_status & _MYSQL_IN_TRANSACTION)


def _attribute(thing: Any, name: str, default: Any = None) -> Any:
    """The attribute; the default where there is none, or the connection is broken."""
    try:
        return getattr(thing, name, default)
    except Exception:
        return default
