"""What transactions decided about files, written down in the database that decided it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from sqlalchemy import DDL, Connection, Dialect, MetaData, Table, event

from ..errors import ConfigurationError
from .attempts import again_after
from .counting import Counting, Outcome, new_entries
from .drivers.sqlalchemy.columns import file_columns
from .drivers.sqlalchemy.outcome import is_given_up
from .entries import MARKED, PATH_LENGTH, Statements, batches, can_be_entered, ledger_table
from .triggers.ddl import creation, drop_shared, triggers_of

log = logging.getLogger('depot.transactions')

# Where a metadata keeps its ledger.
_KEY = 'depot.ledger'


class Ledger:
    """A table that knows, of each file, how many rows refer to it, and whether it is to be removed.

    ``Ledger(Base.metadata)`` makes it a table of that metadata. It counts the rows
    of that metadata's tables, and of those of further ``metadatas``; raises
    :class:`~depot.errors.ConfigurationError` if one of them has a ledger. With
    ``triggers`` the database itself keeps the counts, so that it knows of
    statements that no driver follows.
    """

    def __init__(
        self, metadata: MetaData, *metadatas: MetaData, name: str = 'depot_ledger', triggers: bool = False
    ) -> None:
        #: All whose rows are counted here.
        self.metadatas = checked_metadatas((metadata, *metadatas))
        #: Whether the database keeps the counts.
        self.triggers = triggers
        if any(self.of(each) for each in self.metadatas):
            raise ConfigurationError('this metadata has a ledger already; it takes one')
        #: A row a file: ``file`` (the path), ``refs`` (how many rows refer to it; NULL: not counted), ``state``
        #: (``'live'``, ``'marked'``: to be removed), ``since`` (UTC), ``attempts`` (removals that failed,
        #: or that wait for a sweep, because the file is not counted).
        self.table = ledger_table(name, metadata)
        #: What writes it.
        self.statements = Statements(self.table)
        self._counting = Counting(self.statements, triggers)
        for each in self.metadatas:
            each.info[_KEY] = self

    @staticmethod
    def of(metadata: MetaData) -> Ledger | None:
        """The ledger that counts the rows of this metadata's tables, if there is one."""
        ledger: Ledger | None = metadata.info.get(_KEY)
        return ledger

    def write(
        self, connection: Connection, changes: Mapping[str, int], created: Set[str], kept: Set[str] = frozenset()
    ) -> set[str]:
        """Enters what a transaction did; the last thing before its COMMIT or PREPARE, on its own connection.

        ``changes`` says, by file, by how many the rows that refer to it became
        more or, if negative, fewer; ``created`` are those of them that the
        transaction stored, ``kept`` those that a row which it wrote refers to.
        Returns the files that may be removed once it has committed.

        Raises :class:`~depot.errors.FileMissing` if a row was made to refer to a
        file that an earlier commit removed, and
        :class:`~depot.errors.ConfigurationError` for a path that is too long.
        """
        new = {file: change for file, change in changes.items() if change > 0 and file in created}
        if new:
            _require_short(new)
            self._counting.enter_created(connection, new)
        if len(new) == len(changes):
            return set()
        unused = {file for file in changes if file in created and file not in new}
        if unused:
            self._counting.give_up(connection, unused)
        others = {file: change for file, change in changes.items() if file not in created and can_be_entered(file)}
        return unused | (self._counting.change(connection, others, kept) if others else set())

    def settle(self, connection: Connection, removed: Collection[str], failures: Collection[str]) -> None:
        """Enters what became of files that were to be removed: forgets those that are, marks those that failed.

        Works in a transaction of its own, so the connection has to be in none.
        Raises nothing, but logs what fails: the next sweep finds out.
        """
        try:
            self._settle(connection, removed, failures)
        except Exception as error:
            log.error(
                'could not enter into %s which files are removed; the next sweep finds out: %r', self.table, error
            )

    @again_after(is_given_up)
    def _settle(self, connection: Connection, removed: Collection[str], failures: Collection[str]) -> None:
        with connection.begin():
            self.forget(connection, removed)
            self.count_failures(connection, failures)

    def forget(self, connection: Connection, removed: Iterable[str]) -> None:
        """Removes the marks of files that are removed."""
        for batch in batches(sorted(removed)):
            connection.execute(self.statements.forget, {'files': batch})

    def count_failures(self, connection: Connection, failures: Iterable[str]) -> None:
        """Marks files that could not be removed, so that a sweep tries again."""
        failed = dict.fromkeys(filter(can_be_entered, failures), 0)
        if failed:
            connection.execute(self.statements.fail(connection.dialect.name), new_entries(failed, MARKED, attempts=1))

    def decide(self, connection: Connection, decided: Outcome, files: Collection[str]) -> None:
        """Gives the entries of files, which have to be locked, another state and count."""
        self._counting.decide(connection, decided, files)

    def trigger_ddl(self, dialect: Dialect) -> list[str]:
        """The statements that make the triggers, in their order; they replace triggers of before.

        ``metadata.create_all()`` executes them with ``triggers=True``; they are
        here for migrations. Raises :class:`~depot.errors.ConfigurationError` for
        a database other than SQLite, PostgreSQL and MariaDB, and where a table has
        another schema and its triggers would not find the ledger.
        """
        return [each for table in self.counted_tables for each in creation(self.table, table, dialect)]

    def create_triggers(self, connection: Connection) -> None:
        """Makes the triggers of all tables with file columns, which have to be there; replaces those of before."""
        for table in self.counted_tables:
            self._create_triggers(table, connection)

    def drop_triggers(self, connection: Connection) -> None:
        """Removes the triggers, where there are any."""
        for table in self.counted_tables:
            self._drop_triggers(table, connection)
        _execute(connection, drop_shared(self.table, connection.dialect))

    def _create_triggers(self, table: Table, connection: Connection) -> None:
        if connection.get_execution_options().get('schema_translate_map'):
            raise ConfigurationError(
                'triggers know no schema_translate_map; make the tables with the schemas that they have, '
                'or on PostgreSQL with a search_path'
            )
        _execute(connection, creation(self.table, table, connection.dialect))

    def _drop_triggers(self, table: Table, connection: Connection) -> None:
        _execute(connection, triggers_of(self.table, table, connection.dialect).drop)

    @property
    def counted_tables(self) -> list[Table]:
        """The tables with file columns."""
        return [table for each in self.metadatas for table in each.tables.values() if file_columns(table)]


def checked_metadatas(given: Iterable[MetaData]) -> tuple[MetaData, ...]:
    """These metadatas; :class:`~depot.errors.ConfigurationError` if one is something else."""
    for each in given:
        if not isinstance(each, MetaData):
            raise ConfigurationError(f'a ledger counts the rows of a MetaData, such as Base.metadata, not of {each!r}')
    return tuple(given)


def _require_short(files: Iterable[str]) -> None:
    longest = max(files, key=len)
    if len(longest) > PATH_LENGTH:
        raise ConfigurationError(
            f'a ledger takes paths of {PATH_LENGTH} characters at most; give the storage a shorter name than '
            f'that of {longest}'
        )


def _execute(connection: Connection, statements: list[str]) -> None:
    literally: Any = DDL  # SQLAlchemy has not typed it
    for statement in statements:
        connection.execute(literally(statement.replace('%', '%%')))


def after_create(table: Table, connection: Connection, **_options: Any) -> None:
    """Runs when a table was made: it gets its triggers, if it has files that are counted so."""
    ledger = Ledger.of(table.metadata)
    if ledger is not None and ledger.triggers and file_columns(table):
        ledger._create_triggers(table, connection)


def before_drop(table: Table, connection: Connection, **_options: Any) -> None:
    """Runs when a table is about to go. Without that of the ledger, the triggers of all others would fail."""
    ledger = Ledger.of(table.metadata)
    if ledger is None or not ledger.triggers:
        return
    if table is ledger.table:
        ledger.drop_triggers(connection)
    elif file_columns(table):
        ledger._drop_triggers(table, connection)


event.listen(Table, 'after_create', after_create)
event.listen(Table, 'before_drop', before_drop)
