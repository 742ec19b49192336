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
