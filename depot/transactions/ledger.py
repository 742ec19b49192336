"""What transactions decided about files, written down in the database that decided it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import DDL, Connection, Dialect, MetaData, Table, event

from ..errors import ConfigurationError, FileMissing
from ..manager import DepotManager
from ..utils import utcnow_naive
from .drivers.sqlalchemy import waiting
from .drivers.sqlalchemy.columns import file_columns
from .entries import LIVE, MARKED, Statements, batches, can_be_entered, ledger_table
from .files import is_removed
from .triggers.ddl import triggers_of

log = logging.getLogger('depot.transactions')

_V = TypeVar('_V')

# Where a metadata keeps its ledger.
_KEY = 'depot.ledger'


class Outcome(NamedTuple):
    """What an entry says from now on."""

    state: str
    #: How many rows refer to the file; None where that has to be counted.
    refs: int | None


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
        self.metadatas = (metadata, *metadatas)
        #: Whether the database keeps the counts.
        self.triggers = triggers
        if any(self.of(each) for each in self.metadatas):
            raise ConfigurationError('this metadata has a ledger already; it takes one')
        #: A row a file: ``file`` (the path), ``refs`` (how many rows refer to it; NULL: not counted), ``state``
        #: (``'live'``, ``'marked'``: to be removed), ``since`` (UTC), ``attempts`` (removals that failed).
        self.table = ledger_table(name, metadata)
        #: What writes it.
        self.statements = Statements(self.table)
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
        file that an earlier commit removed.
        """
        new = {file: change for file, change in changes.items() if change > 0 and file in created}
        if new:
            self._enter_created(connection, new)
        if len(new) == len(changes):
            return set()
        unused = {file for file in changes if file in created and file not in new}
        if unused and self.triggers:  # rows may have referred to them for a while
            for batch in batches(sorted(unused)):
                connection.execute(self.statements.mark_uncounted, {'files': batch, 'now': now()})
        others = {file: change for file, change in changes.items() if file not in created and can_be_entered(file)}
        return unused | (self._count(connection, others, kept) if others else set())

    def settle(self, connection: Connection, removed: Iterable[str], failures: Collection[str]) -> None:
        """Enters what became of files that were to be removed: forgets those that are, marks those that failed.

        Works in a transaction of its own, so the connection has to be in none.
        Raises nothing, but logs what fails: the next sweep finds out.
        """
        try:
            with connection.begin():
                self.forget(connection, removed)
                self.count_failures(connection, failures)
        except Exception:
            log.exception('could not enter into %s which files are removed; the next sweep finds out', self.table)

    def forget(self, connection: Connection, removed: Iterable[str]) -> None:
        """Removes the marks of files that are removed."""
        for batch in batches(sorted(removed)):
            connection.execute(self.statements.forget, {'files': batch})

    def count_failures(self, connection: Connection, failures: Iterable[str]) -> None:
        """Marks files that could not be removed, so that a sweep tries again."""
        failed = dict.fromkeys(filter(can_be_entered, failures), 0)
        if failed:
            connection.execute(self.statements.fail(connection.dialect.name), new_entries(failed, MARKED, attempts=1))

    def trigger_ddl(self, dialect: Dialect) -> list[str]:
        """The statements that make the triggers, in their order; they replace triggers of before.

        ``metadata.create_all()`` executes them with ``triggers=True``; they are
        here for migrations. Raises :class:`~depot.errors.ConfigurationError` for
        a database other than SQLite, PostgreSQL and MariaDB.
        """
        return [each for table in self.counted_tables for each in triggers_of(self.table, table, dialect).create]

    def create_triggers(self, connection: Connection) -> None:
        """Makes the triggers of all tables with file columns, which have to be there; replaces those of before."""
        for table in self.counted_tables:
            self._create_triggers(table, connection)

    def drop_triggers(self, connection: Connection) -> None:
        """Removes the triggers, where there are any."""
        for table in self.counted_tables:
            self._drop_triggers(table, connection)

    def _create_triggers(self, table: Table, connection: Connection) -> None:
        _execute(connection, triggers_of(self.table, table, connection.dialect).create)

    def _drop_triggers(self, table: Table, connection: Connection) -> None:
        _execute(connection, triggers_of(self.table, table, connection.dialect).drop)

    @property
    def counted_tables(self) -> list[Table]:
        """The tables with file columns."""
        return [table for each in self.metadatas for table in each.tables.values() if file_columns(table)]

    def _enter_created(self, connection: Connection, counts: Mapping[str, int]) -> None:
        if not self.triggers:
            return self._enter(connection, counts, LIVE)
        # The triggers entered them, but could not know that no older row refers to them.
        for refs, files in _by_value(counts).items():
            for batch in batches(sorted(files)):
                connection.execute(self.statements.count, {'files': batch, 'new_refs': refs})

    def _count(self, connection: Connection, changes: Mapping[str, int], kept: Set[str]) -> set[str]:
        """Changes the counts of files that other transactions stored; returns those that it marked."""
        entries = self._locked(connection, changes)
        outcomes: dict[str, Outcome] = {}
        for file, entry in entries.items():
            change = 0 if self.triggers else changes[file]
            decided = _outcome(entry, change, is_kept=changes[file] > 0 or file in kept)
            if decided is not None:
                outcomes[file] = decided
        for decided, files in _by_value(outcomes).items():
            self.decide(connection, decided, files)
        marked = {file for file, decided in outcomes.items() if decided.state == MARKED}
        return marked | self._count_unknown(connection, changes.keys() - entries.keys(), changes, kept)

    def _count_unknown(
        self, connection: Connection, files: Set[str], changes: Mapping[str, int], kept: Set[str]
    ) -> set[str]:
        """Enters files that are older than the ledger; returns those that it marked."""
        referred = {file for file in files if changes[file] > 0 or file in kept}
        for file in filter(_is_gone, referred):
            raise _removed(file)
        if self.triggers:  # there are none in this database: what they count is not to be relied on
            referred = set(files)
        released = {file for file in files - referred if changes[file] < 0}
        if referred:
            self._enter(connection, dict.fromkeys(referred), LIVE)
        if released:
            self._enter(connection, dict.fromkeys(released, 0), MARKED)
        return self._marked(connection, released)  # not those that another transaction refers to meanwhile

    def _enter(self, connection: Connection, counts: Mapping[str, int | None], state: str) -> None:
        """Adds files; to one that another transaction was first to add, adds the count."""
        entries = new_entries(counts, state)
        changed = self.statements.enter(connection, entries)
        if state == LIVE and changed != len(entries):
            for file in self._marked(connection, counts):
                raise _removed(file)

    def decide(self, connection: Connection, decided: Outcome, files: Collection[str]) -> None:
        """Gives the entries of files, which have to be locked, another state and count."""
        values = {'new_state': decided.state, 'new_refs': decided.refs, 'now': now()}
        for batch in batches(sorted(files)):
            connection.execute(self.statements.decide, {'files': batch, **values})

    def _locked(self, connection: Connection, files: Collection[str]) -> dict[str, Any]:
        """The entries of the files, which no other transaction changes until this one ends."""
        return {
            entry.file: entry
            for batch in batches(sorted(files))
            for entry in connection.execute(self.statements.lock, {'files': batch})
        }

    def _marked(self, connection: Connection, files: Collection[str]) -> set[str]:
        found = (connection.scalars(self.statements.marked, {'files': each}) for each in batches(sorted(files)))
        return {file for batch in found for file in batch}


def now() -> datetime:
    """The current instant as the ledger keeps it: UTC without a time zone, in whole seconds."""
    return utcnow_naive().replace(microsecond=0)


def _outcome(entry: Any, change: int, is_kept: bool) -> Outcome | None:
    """What becomes of an entry; None if it stays as it is."""
    if entry.state == MARKED:
        if is_kept:
            raise _removed(entry.file)
        return None
    if entry.refs is None:
        return Outcome(LIVE, None) if change or is_kept else None  # from now on: a recount has to start later
    if change == 0 and entry.refs > 0:
        return None
    refs = entry.refs + change
    if refs > 0:
        return Outcome(LIVE, refs)
    if refs == 0 and not is_kept:
        return Outcome(MARKED, 0)
    return Outcome(LIVE, None)  # somebody wrote rows behind our back


def _removed(file: str) -> FileMissing:
    return FileMissing(f'a row refers to {file}, which an earlier commit removed; assign the content anew', file)


def _is_gone(file: str) -> bool:
    """Whether an earlier commit removed it, and forgot it: then the file went before the entry."""
    is_known = DepotManager.get(file.partition('/')[0]) is not None
    return is_known and waiting.run(is_removed, file)


def new_entries(counts: Mapping[str, int | None], state: str, attempts: int = 0) -> list[dict[str, Any]]:
    """The rows of new entries, sorted: two transactions that add the same ones wait in one direction only."""
    common = {'state': state, 'since': now(), 'attempts': attempts}
    return [{'file': file, 'refs': counts[file], **common} for file in sorted(counts)]


def _by_value(values: Mapping[str, _V]) -> dict[_V, set[str]]:
    grouped: dict[_V, set[str]] = defaultdict(set)
    for file, value in values.items():
        grouped[value].add(file)
    return grouped


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
