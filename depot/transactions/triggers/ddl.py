"""Which triggers a ledger has, and when they are made."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Dialect, Table

from ...errors import ConfigurationError
from . import mariadb, postgresql, sqlite
from .names import Names, Triggers

_DIALECTS: dict[str, Callable[[Names], Triggers]] = {
    'sqlite': sqlite.triggers,
    'postgresql': postgresql.triggers,
    'mariadb': mariadb.triggers,
    'mysql': mariadb.triggers,
}


def creation(ledger: Table, table: Table, dialect: Dialect) -> list[str]:
    """The statements that make the triggers of a table.

    Raises :class:`~depot.errors.ConfigurationError` as :func:`triggers_of` does,
    and for a table whose triggers would not find the ledger: those of SQLite reach
    into no other database, those of MariaDB look in that of their table.
    """
    names = Names(ledger, table, dialect)
    is_unnamed = ledger.schema is None and dialect.name in ('mysql', 'mariadb')
    if ledger.schema != table.schema and (is_unnamed or dialect.name == 'sqlite'):
        raise ConfigurationError(
            f'triggers of {names.table} do not find {names.ledger}, which is in another database; '
            'give both tables one schema, or use a ledger without triggers'
        )
    return triggers_of(ledger, table, dialect).create


def triggers_of(ledger: Table, table: Table, dialect: Dialect) -> Triggers:
    """The statements for a table with file columns whose files are counted in the table of a ledger.

    Raises :class:`~depot.errors.ConfigurationError` for a kind of database that
    they are not known for.
    """
    if dialect.name not in _DIALECTS:
        raise ConfigurationError(f'a ledger has no triggers for {dialect.name}; only for: {", ".join(_DIALECTS)}')
    return _DIALECTS[dialect.name](Names(ledger, table, dialect))


def drop_shared(ledger: Table, dialect: Dialect) -> list[str]:
    """The statements that remove what is left when no table has triggers any more."""
    return postgresql.drop_shared(Names(ledger, ledger, dialect)) if dialect.name == 'postgresql' else []
