"""Connections of the drivers themselves, whose COMMIT goes wrong in a way that a test says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


class Trouble:
    """What is to become of the next COMMIT."""

    def __init__(self) -> None:
        self._before: BaseException | str | None = None
        self._after: BaseException | str | None = None

    def instead_of_commit(self, error: BaseException | str = 'disconnect') -> None:
        """COMMIT is never sent; with ``'disconnect'``, because the connection is closed."""
        self._before = error

    def after_commit(self, error: BaseException | str = 'disconnect') -> None:
        """COMMIT is done, but nobody is told so."""
        self._after = error

    def commit(self, connection: Any, send: Callable[[], None]) -> None:
        self._before, before = None, self._before
        if before is not None:
            raise_as(before, connection)
        send()
        self._after, after = None, self._after
        if after is not None:
            raise_as(after, connection)


def raise_as(error: BaseException | str, connection: Any) -> None:
    """Raises the error, or closes the connection and raises what its driver does when one broke."""
    if isinstance(error, BaseException):
        raise error
    connection.close()
    raise connection.broken_by()


def trouble_of(engine: Engine) -> Trouble:
    """What the connections that the engine will make are told by."""
    trouble = Trouble()

    @event.listens_for(engine, 'do_connect')
    def connect(dialect: Any, _record: Any, args: Any, options: Any) -> Any:
        return CONNECT[dialect.name](trouble, args, options)

    return trouble


def _breaking(base: Any, trouble: Trouble, broken_by: Callable[[], Exception]) -> Any:
    class Breaking(base):  # type: ignore[misc]
        def commit(self) -> None:
            trouble.commit(self, super().commit)

        def broken_by(self) -> Exception:
            return broken_by()

    return Breaking


def _sqlite(trouble: Trouble, args: Any, options: Any) -> Any:
    def broken_by() -> Exception:
        return sqlite3.ProgrammingError('Cannot operate on a closed database.')

    return sqlite3.connect(*args, factory=_breaking(sqlite3.Connection, trouble, broken_by), **options)


def _postgresql(trouble: Trouble, args: Any, options: Any) -> Any:
    import psycopg

    def broken_by() -> Exception:
        return psycopg.OperationalError('server closed the connection unexpectedly')

    return _breaking(psycopg.Connection, trouble, broken_by).connect(*args, **options)


def _mariadb(trouble: Trouble, args: Any, options: Any) -> Any:
    import pymysql

    def broken_by() -> Exception:
        return pymysql.err.OperationalError(2013, 'Lost connection to server during query')

    return _breaking(pymysql.connections.Connection, trouble, broken_by)(*args, **options)


CONNECT: dict[str, Callable[[Trouble, Any, Any], Any]] = {
    'sqlite': _sqlite,
    'postgresql': _postgresql,
    'mariadb': _mariadb,
}
