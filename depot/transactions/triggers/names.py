"""The names in a trigger's statements, quoted where they must be."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from sqlalchemy import Dialect, Table

from ..drivers.sqlalchemy.columns import file_columns

#: What a statement of raw SQL gets to see; that of a driver is refused in better words.
REFUSAL = 'depot: a row cannot refer to a file that an earlier commit removed'

# PostgreSQL takes 63 bytes of a name, MariaDB 64 characters.
_LONGEST = 60


#: The events of a table: each version of a row that it concerns, and what that does to the count of its files. The
#: new one first, so that a file which stays never seems to go.
EVENTS = {'insert': (('NEW', 1),), 'update': (('NEW', 1), ('OLD', -1)), 'delete': (('OLD', -1),)}


class Triggers(NamedTuple):
    """The statements that make and remove the triggers of one table."""

    create: list[str]
    drop: list[str]


class Names:
    """The ledger, a table with file columns, and what is made for the two."""

    def __init__(self, ledger: Table, table: Table, dialect: Dialect) -> None:
        self._preparer = dialect.identifier_preparer
        self._is_doubled = dialect.paramstyle in ('format', 'pyformat')
        self._ledger = ledger
        self._table = table

    @property
    def ledger(self) -> str:
        """The table of the ledger."""
        return self._plain(self._preparer.format_table(self._ledger))

    @property
    def bare_ledger(self) -> str:
        """The same without its schema."""
        return self._plain(self._preparer.format_table(self._ledger, use_schema=False))

    @property
    def table(self) -> str:
        """The table with file columns."""
        return self._plain(self._preparer.format_table(self._table))

    @property
    def bare_table(self) -> str:
        """The same without its schema."""
        return self._plain(self._preparer.format_table(self._table, use_schema=False))

    @property
    def columns(self) -> list[str]:
        """Its file columns."""
        return [self._plain(self._preparer.format_column(each)) for each in file_columns(self._table)]

    def trigger(self, event: str) -> str:
        """The trigger for an event of the table."""
        return self._quoted(f'{self._ledger.name}_{self._table.name}_{event}')

    def qualified_trigger(self, event: str) -> str:
        """The same with the schema, which is that of the table."""
        return self._quoted(f'{self._ledger.name}_{self._table.name}_{event}', self._table.schema)

    def function(self, purpose: str) -> str:
        """A function; it is in the schema of the ledger."""
        return self._quoted(f'{self._ledger.name}_{purpose}', self._ledger.schema)

    def trigger_function(self) -> str:
        """The function that a trigger of the table calls; it is in the schema of the table."""
        return self._quoted(f'{self._ledger.name}_{self._table.name}_changed', self._table.schema)

    def _quoted(self, name: str, schema: str | None = None) -> str:
        quoted = self._preparer.quote(_short(name))
        return self._plain(f'{self._preparer.quote_schema(schema)}.{quoted}' if schema else quoted)

    def _plain(self, quoted: str) -> str:
        """The name as the database takes it: for some drivers SQLAlchemy doubles a percent sign when it quotes."""
        return quoted.replace('%%', '%') if self._is_doubled else quoted


def _short(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f'{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}'
