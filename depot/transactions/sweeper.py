"""Finishes what a crash or a failing storage left, and finds the files that nobody needs."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Set
from contextlib import closing
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, MetaData, Table, inspect

from ..errors import ConfigurationError, InvalidFileId
from ..manager import DepotManager
from ..utils import utcnow_naive
from .drivers.sqlalchemy.columns import file_columns
from .entries import batches
from .ledger import Ledger
from .sweeping import report as words
from .sweeping.evidence import Entry, Evidence, Referred
from .sweeping.marks import Marks
from .sweeping.report import Report
from .sweeping.rows import read_one
from .sweeping.storages import Unknown, unknown_files
from .sweeping.undecided import prepared_since

log = logging.getLogger('depot.transactions')

#: A sweep that would remove more files than this, and more than this share of a storage's, refuses to.
PLAUSIBLE_COUNT = 20
PLAUSIBLE_SHARE = 0.1


def sweep(
    engine: Engine,
    *metadatas: MetaData,
    grace: timedelta = timedelta(days=1),
    dry_run: bool = False,
    force: bool = False,
    rows: bool = True,
) -> Report:
    """Removes the files that no row needs any more; returns what it found.

    Finishes the removals that transactions have decided on. Then it reads the
    file columns of all rows of the ``metadatas``, and of those that share their
    ledger, and removes the files that no row refers to: those of the ledger, and
    those that the ledger does not know and that were stored after the last sweep,
    but longer ago than ``grace``. With ``rows=False`` it reads no rows, and
    removes only what the ledger says.

    It is safe beside open transactions, if none takes longer than ``grace``, and
    beside another sweep. It tells the rows whose file is missing, and leaves them
    as they are. With ``dry_run`` it changes nothing. Without ``force`` it refuses
    to remove more than 20 files and a tenth of a storage.

    Raises :class:`~depot.errors.ConfigurationError` if there is no ledger, or if
    the database lacks a table.
    """
    return _Sweep(engine, metadatas, grace, dry_run, force).run(rows)


def adopt(engine: Engine, *metadatas: MetaData, dry_run: bool = False) -> Report:
    """Enters the files of all rows that the ledger does not know yet; returns how many.

    Raises :class:`~depot.errors.ConfigurationError` as :func:`sweep` does.
    """
    run = _Sweep(engine, metadatas, timedelta(0), dry_run, force=False)
    with closing(run.evidence()) as evidence:
        run.adopt(evidence)
    return run.report


class _Sweep:
    """One sweep."""

    def __init__(
        self, engine: Engine, metadatas: Collection[MetaData], grace: timedelta, dry_run: bool, force: bool
    ) -> None:
        self.report = Report(dry_run)
        self._engine = engine
        self._ledger = _ledger_of(metadatas)
        self._tables = _tables_of({*metadatas, *self._ledger.metadatas})
        self._marks = Marks(engine, self._ledger)
        self._grace = grace
        self._dry_run = dry_run
        self._force = force
        _require_tables(engine, [self._ledger.table, *self._tables])
        # Before anything is read: what is committed from now on may be seen, or not.
        self._moment = utcnow_naive()
        self._undecided = prepared_since(engine)

    def run(self, rows: bool) -> Report:
        if rows:
            with closing(self.evidence()) as evidence:
                self._finish(self._revive(evidence))
                self.adopt(evidence)
                self._mend(evidence)
                for name in sorted(self._storages() | evidence.storages()):
                    self._guarded(name, lambda name, storage: self._sweep_storage(name, storage, evidence))
        else:
            self._finish()
            if self._ledger.triggers:
                self._remove_uncounted()
        for name in sorted(self._storages()):
            self._guarded(name, self._clean)
        return self.report

    def evidence(self) -> Evidence:
        """What rows and ledger say now. Tells the rows that cannot be read."""
        evidence = Evidence(self._engine, self._ledger, self._tables)
        for each in evidence.unreadable:
            self.report.add(words.UNREADABLE, str(each.place), f'its files cannot be told: {each.error}')
        return evidence

    def _storages(self) -> set[str]:
        """The names of the storages that the columns store in."""
        columns = [column for table in self._tables for column in file_columns(table)]
        names = {getattr(each.type, '_upload_storage', None) or DepotManager.get_default() for each in columns}
        return {DepotManager.resolve_alias(each) or each for each in names}

    def _guarded(self, name: str, work: Any) -> None:
        """Works on a storage; one that fails does not keep the others from being swept."""
        storage = DepotManager.get(name)
        if storage is None:
            self.report.add(words.FAILED, name, 'no storage of this name is configured here')
            return
        try:
            work(name, storage)
        except Exception as error:
            log.exception('the sweep of the storage %s failed', name)
            self.report.add(words.FAILED, name, f'its sweep failed: {error}')

    def _revive(self, evidence: Evidence) -> set[str]:
        """Makes files live again that are marked, though rows refer to them, and returns them."""
        for page in batches(evidence.contradicted()):
            if not self._dry_run:
                self._marks.revive([each.file for each in page])
            for each in page:
                self.report.add(words.MENDED, each.file, f'{each.place} refers to it, though it was to be removed')
        return {each.file for each in evidence.contradicted()}

    def _finish(self, but: Set[str] = frozenset()) -> None:
        """Removes what transactions have marked."""
        for page in self._marks.due(self._moment):
            self._remove([each for each in page if each not in but], 'no row refers to it any more')

    def _remove(self, files: Collection[str], why: str) -> None:
        """Removes what is marked."""
        outcomes = dict.fromkeys(files) if self._dry_run else self._marks.remove(files)
        for file, error in outcomes.items():
            if error is None:
                self.report.add(words.REMOVED, file, why)
            else:
                self.report.add(words.FAILED, file, f'{why}, but it could not be removed: {error}')

    def adopt(self, evidence: Evidence) -> None:
        """Enters the files that rows refer to and the ledger does not know."""
        for page in evidence.unknown():
            # A row that cannot be read may refer to any of them.
            counts = {each.file: None if evidence.unreadable else each.rows for each in page}
            if not self._dry_run:
                self._marks.add(counts)
            self.report.counts[words.ADOPTED] += len(counts)

    def _mend(self, evidence: Evidence) -> None:
        """Puts counts right that are wrong, of files that rows do refer to."""
        if evidence.unreadable:
            return
        for page in evidence.wrong():
            changed = {each.file: each.rows for each in page}
            if not self._dry_run:
                changed = self._marks.put_right(page, self._moment)
            for each in page:
                if each.file in changed:
                    said = 'did not know' if each.refs is None else f'said {each.refs}'
                    self.report.add(words.MENDED, each.file, f'{each.rows} rows refer to it; the ledger {said}')

    def _sweep_storage(self, name: str, storage: Any, evidence: Evidence) -> None:
        """Removes the files of a storage that no row refers to."""
        self._tell_missing(name, storage, evidence)
        orphans, is_all = self._orphans(name, unknown_files(storage, evidence, self._marks.swept(name)))
        unreferred = evidence.unreferred(name)
        found = len(orphans) + len(unreferred)
        if evidence.unreadable and found:
            self._leave(name, found, 'a row that cannot be read may need them')
            return
        if not self._is_plausible(name, found, evidence.size(name) + len(orphans)):
            return
        for files in batches(orphans):
            if not self._dry_run:
                self._marks.mark_unknown(files)
            self._remove(files, 'neither a row nor the ledger speaks of it')
        self._remove_unreferred(unreferred)
        if is_all and not self._dry_run:
            self._marks.set_swept(name, (self._moment - self._grace).replace(microsecond=0))

    def _orphans(self, name: str, unknown: Iterable[Unknown]) -> tuple[list[str], bool]:
        """The files that are nobody's, and whether those are all that there are up to the grace period."""
        orphans: list[str] = []
        left = self.report.counts[words.LEFT] + self.report.counts[words.WAITING]
        for each in unknown:
            file = f'{name}/{each.file_id}'
            if each.stored is None:
                self.report.add(words.LEFT, file, 'nobody speaks of it, but neither does the storage say how old it is')
            elif each.stored > self._moment - self._grace:
                continue
            elif self._undecided is not None and each.stored + self._grace >= self._undecided:
                self.report.add(
                    words.WAITING, file, 'a prepared transaction may have stored it; commit it or roll it back'
                )
            else:
                orphans.append(file)
        return orphans, left == self.report.counts[words.LEFT] + self.report.counts[words.WAITING]

    def _remove_unreferred(self, entries: list[Entry]) -> None:
        """Marks the entries that still have no row, and removes their files."""
        for page in batches(entries):
            marked = [each.file for each in page]
            if not self._dry_run:
                marked = [file for file, refs in self._marks.put_right(page, self._moment).items() if refs == 0]
            self._remove(marked, 'no row refers to it, though no transaction let it go')

    def _remove_uncounted(self) -> None:
        """Removes the files that the database's triggers have counted down to nothing."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for each in self._marks.uncounted():
            found[each.file.partition('/')[0]].append(each)
        for name, entries in found.items():
            if self._is_plausible(name, len(entries), self._marks.size(name)):
                self._remove_unreferred(entries)

    def _is_plausible(self, name: str, found: int, total: int) -> bool:
        if self._force or found <= PLAUSIBLE_COUNT or found <= total * PLAUSIBLE_SHARE:
            return True
        self._leave(name, found, f'that is an implausible share of {total}; look at them, then force it')
        return False

    def _leave(self, name: str, count: int, why: str) -> None:
        self.report.add(words.LEFT, name, f'no row seems to need {count} of its files, but {why}', count)

    def _tell_missing(self, name: str, storage: Any, evidence: Evidence) -> None:
        """Tells the rows whose file is not there."""
        for each in evidence.referred(name):
            if not _exists(storage, each.file.partition('/')[2]) and self._still_refers(each):
                others = f' and {each.rows - 1} more' if each.rows > 1 else ''
                self.report.add(words.MISSING, each.file, f'{each.place}{others} refers to it, but it is not there')

    def _still_refers(self, referred: Referred) -> bool:
        """Whether the row is as it was: a transaction may have removed the file meanwhile, and said so there."""
        if not referred.place.primary_key:
            return True
        tables = [each for each in self._tables if each.fullname == referred.place.table]
        with self._engine.connect() as connection:
            held = [held for each in tables for held in read_one(connection, each, referred.place.primary_key)]
        return any(referred.file in each.files for each in held)

    def _clean(self, name: str, storage: Any) -> None:
        """Removes what was never finished, where a crash can leave such."""
        if 'unfinished' in getattr(storage, 'capabilities', ()):
            for each in storage.clean(self._moment - self._grace, dry_run=self._dry_run):
                self.report.add(words.CLEANED, f'{name}: {each}', 'it was begun and never finished')


def _ledger_of(metadatas: Collection[MetaData]) -> Ledger:
    """The one ledger that counts the rows of these metadatas."""
    ledgers = {ledger for ledger in map(Ledger.of, metadatas) if ledger is not None}
    if len(ledgers) != 1:
        raise ConfigurationError(
            f'a sweep needs one ledger, not {len(ledgers)}; make one with Ledger(Base.metadata), '
            'which further metadatas can share'
        )
    return ledgers.pop()


def _tables_of(metadatas: Iterable[MetaData]) -> list[Table]:
    """The tables with file columns; one that two metadatas know comes once, unless they know other columns of it."""
    tables = [table for each in metadatas for table in each.tables.values() if file_columns(table)]
    return [*{(table.fullname, *(each.name for each in file_columns(table))): table for table in tables}.values()]


def _require_tables(engine: Engine, tables: Iterable[Table]) -> None:
    if not isinstance(engine, Engine):
        raise ConfigurationError(f'a sweep needs an engine of create_engine(), not a {type(engine).__name__}')
    inspector = inspect(engine)
    schemas = engine.get_execution_options().get('schema_translate_map', {})
    missing = [
        each.fullname
        for each in tables
        if not inspector.has_table(each.name, schema=schemas.get(each.schema, each.schema))
    ]
    if missing:
        raise ConfigurationError(f'the database lacks the tables {", ".join(missing)}; nothing was removed')


def _exists(storage: Any, file_id: str) -> bool:
    try:
        return bool(storage.exists(file_id))
    except InvalidFileId:
        return False
