"""What all parts of one sweep share."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, Inspector, MetaData, Table, inspect

from ...errors import ConfigurationError
from ...utils import utcnow_naive
from ..drivers.sqlalchemy.columns import file_columns, tables_with_files
from ..drivers.sqlalchemy.targets import schema_of
from ..entries import batches
from ..ledger import Ledger, checked_metadatas
from . import report as words
from .evidence import Entry, Evidence
from .marks import Marks
from .report import Report
from .undecided import prepared_since

#: A sweep that would remove more files than this, and more than this share of a storage's, refuses to.
PLAUSIBLE_COUNT = 20
PLAUSIBLE_SHARE = 0.1

# No file is older.
_EPOCH = datetime(1970, 1, 1)


class Context:
    """One sweep: what it may do, what it works on, and what it tells.

    Raises :class:`~depot.errors.ConfigurationError` unless the metadatas have one
    ledger, and the database all tables; ValueError for a negative ``grace``.
    """

    def __init__(
        self,
        engine: Engine,
        metadatas: Collection[MetaData],
        grace: timedelta,
        dry_run: bool,
        force: bool = False,
        full: bool = False,
    ) -> None:
        self.engine = engine
        self.ledger = _ledger_of(metadatas)
        #: Those with file columns.
        self.tables = _tables_of({*metadatas, *self.ledger.metadatas})
        self.dry_run = dry_run
        self.force = force
        _require_tables(engine, [self.ledger.table, *self.tables])
        #: Tables of this database that nobody spoke of, but whose rows may have files in the same storages.
        self.others = _others(engine, self.tables)
        self.report = Report(dry_run)
        self.marks = Marks(engine, self.ledger)
        #: When it began. What is committed later may be seen, or not.
        self.moment = utcnow_naive()
        self.grace = _checked(grace, self.moment)
        #: What was stored later may belong to a transaction that is still open.
        self.horizon = self.moment - self.grace
        self._full = full
        #: Since when a prepared transaction may wait; asked before the rows are read.
        self.undecided = prepared_since(engine)

    def since(self, storage: str) -> datetime | None:
        """From when on the files of a storage are looked at: those before were by an earlier sweep; None for all."""
        return None if self._full else self.marks.swept(storage)

    def evidence(self) -> Evidence:
        """What rows and ledger say now. Tells the rows that cannot be read."""
        evidence = Evidence(self.engine, self.ledger, self.tables, self.others)
        for each in evidence.unreadable:
            self.report.add(words.UNREADABLE, str(each.place), f'its files cannot be told: {each.error}')
        return evidence

    def remove(self, files: Collection[str], why: str) -> None:
        """Removes files that are marked."""
        outcomes = dict.fromkeys(files) if self.dry_run else self.marks.remove(files)
        for file, error in outcomes.items():
            if error is None:
                self.report.add(words.REMOVED, file, why)
            else:
                self.report.add(words.FAILED, file, f'{why}, but it could not be removed: {error}')

    def remove_unreferred(self, entries: Iterable[Entry]) -> None:
        """Marks the entries that still have no row, and removes their files."""
        for page in batches(entries):
            marked = [each.file for each in page]
            if not self.dry_run:
                marked = [file for file, refs in self.marks.put_right(page, self.moment).items() if refs == 0]
            let_go = {each.file for each in page if each.let_go}
            self.remove([each for each in marked if each in let_go], 'no row refers to it any more')
            unseen = [each for each in marked if each not in let_go]
            self.remove(unseen, 'no row refers to it, though no transaction let it go')

    def is_plausible(self, storage: str, found: int, total: int) -> bool:
        """Whether so many files of a storage may be removed; tells if not."""
        if self.force or found <= PLAUSIBLE_COUNT or found <= total * PLAUSIBLE_SHARE:
            return True
        self.leave(storage, found, f'that is an implausible share of {total}; look at them, then force it')
        return False

    def leave(self, storage: str, count: int, why: str) -> None:
        """Tells that files of a storage stay."""
        self.report.add(words.LEFT, storage, f'no row seems to need {count} of its files, but {why}', count)


def _checked(grace: timedelta, moment: datetime) -> timedelta:
    if not isinstance(grace, timedelta):
        raise ConfigurationError(f'grace = {grace!r} is no timedelta; one looks like timedelta(days=1)')
    if grace < timedelta(0):
        raise ValueError(f'no grace period is negative, as {grace} is; to wait for nobody give timedelta(0)')
    return min(grace, moment - _EPOCH)


def _ledger_of(metadatas: Collection[MetaData]) -> Ledger:
    """The one ledger that counts the rows of these metadatas."""
    ledgers = {ledger for ledger in map(Ledger.of, checked_metadatas(metadatas)) if ledger is not None}
    if len(ledgers) != 1:
        raise ConfigurationError(
            f'a sweep needs one ledger, not {len(ledgers)}; make one with Ledger(Base.metadata), '
            'which further metadatas can share'
        )
    return ledgers.pop()


def _tables_of(metadatas: Iterable[MetaData]) -> list[Table]:
    """The tables with file columns; one that two metadatas know comes once, unless they know other columns of it."""
    tables = [table for each in metadatas for table in each.tables.values() if file_columns(table)]
    return [*{_shape(each): each for each in tables}.values()]


def _shape(table: Table) -> tuple[str, ...]:
    return table.fullname, *(each.name for each in file_columns(table))


def _others(engine: Engine, swept: Collection[Table]) -> list[Table]:
    """The tables with files that other metadatas have, and the database too."""
    known, inspector = {*map(_shape, swept)}, inspect(engine)
    others = {_shape(each): each for each in tables_with_files()}
    found = (_as_it_is(each, inspector, engine) for shape, each in sorted(others.items()) if shape not in known)
    return [each for each in found if file_columns(each)]


def _as_it_is(table: Table, inspector: Inspector, engine: Engine) -> Table:
    """The key and the file columns of a table, as far as the database has them: nobody says that it is the same."""
    schema = _schema(table, engine)
    there = inspector.get_columns(table.name, schema=schema) if inspector.has_table(table.name, schema=schema) else []
    names = {each['name'] for each in there}
    columns = [each for each in (*table.primary_key, *file_columns(table)) if each.name in names]
    copies = (Column(each.name, each.type, primary_key=each.primary_key) for each in columns)
    return Table(table.name, MetaData(), *copies, schema=table.schema)


def _schema(table: Table, engine: Engine) -> str | None:
    return schema_of(table, engine.get_execution_options())


def _require_tables(engine: Engine, tables: Iterable[Table]) -> None:
    if not isinstance(engine, Engine):
        raise ConfigurationError(f'a sweep needs an engine of create_engine(), not the type {type(engine).__name__}')
    inspector = inspect(engine)
    missing = [each.fullname for each in tables if not inspector.has_table(each.name, schema=_schema(each, engine))]
    if missing:
        raise ConfigurationError(
            f'the database {engine.url.render_as_string()} lacks the tables {", ".join(missing)}; make them with '
            "the metadata's create_all(), or with a migration. Nothing was removed"
        )
