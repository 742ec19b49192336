"""What a sweep writes into the ledger: each time in a short transaction, beside those of the application."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import OperationalError

from .. import files as storages
from ..attempts import again_after
from ..counting import Outcome, new_entries, now
from ..entries import BATCH, LIVE, MARKED, SWEPT
from ..ledger import Ledger
from .evidence import Entry

# A removal that failed is tried again by the next sweep; after that it waits twice as long each time.
_FIRST_PAUSE = timedelta(minutes=2)
_LONGEST_PAUSE = timedelta(days=1)


def _is_operational(error: Exception) -> bool:
    """Whether it is not about the work itself: a deadlock, a lock that somebody held, a lost connection."""
    return isinstance(error, OperationalError)


_stubborn = again_after(_is_operational)


class Marks:
    """The entries of one ledger, for a sweep."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger
        self._table = ledger.table
        #: Whether rows can be locked, and those that are be passed over. With SQLite a transaction locks all.
        self._locks_rows = engine.dialect.name != 'sqlite'

    def due(self, moment: datetime) -> Iterator[list[str]]:
        """The files to be removed whose turn it is, in pages."""
        table, last = self._table, ''
        statement = select(table.c.file, table.c.since, table.c.attempts).where(table.c.state == MARKED)
        statement = statement.order_by(table.c.file).limit(BATCH)
        while True:
            with self._transaction() as connection:
                page = connection.execute(statement.where(table.c.file > last)).all()
            if not page:
                return
            last = page[-1].file
            yield [each.file for each in page if each.since + _pause(each.attempts) <= moment]

    @_stubborn
    def remove(self, files: Collection[str]) -> Mapping[str, BaseException | None]:
        """Removes those of the files that are marked; returns each with what went wrong, or None.

        Passes over those that another sweep is removing.
        """
        with self._connection() as connection:
            held = self._held(connection, files)
            if not self._locks_rows:  # nobody could write while the storage is at work
                connection.rollback()
            failures = storages.remove(held)
            self._ledger.forget(connection, set(held) - failures.keys())
            self._ledger.count_failures(connection, failures)
            connection.commit()
        return {file: failures.get(file) for file in held}

    @_stubborn
    def revive(self, files: Collection[str]) -> None:
        """Removes marks that were wrong."""
        with self._transaction() as connection:
            connection.execute(self._ledger.statements.revive, {'files': [*files], 'now': now()})

    def mark_unknown(self, files: Collection[str]) -> None:
        """Marks files that have no entry; from then on no row can be made to refer to them."""
        self.add(dict.fromkeys(files, 0), MARKED)

    @_stubborn
    def add(self, counts: Mapping[str, int | None], state: str = LIVE) -> None:
        """Adds files that have no entry."""
        with self._transaction() as connection:
            connection.execute(self._ledger.statements.adopt(connection.dialect.name), new_entries(counts, state))

    @_stubborn
    def put_right(self, entries: Collection[Entry], moment: datetime) -> dict[str, int]:
        """Gives entries the count that the rows had at the moment when they were read; returns what has changed.

        What the application has changed since then is added. An entry that no row
        refers to is marked. Passes over those that a transaction has locked.
        """
        changed: dict[str, int] = {}
        with self._transaction() as connection:
            current = self._locked(connection, [each.file for each in entries])
            for each in entries:
                refs = _count_now(each, current[each.file], moment) if each.file in current else None
                if refs is not None:
                    outcome = Outcome(LIVE if refs else MARKED, refs)
                    self._ledger.decide(connection, outcome, [each.file])
                    changed[each.file] = refs
        return changed

    def swept(self, storage: str) -> datetime | None:
        """Up to when the files of a storage were looked at; None if never."""
        found = select(self._table.c.since).where(self._table.c.file == _memory_of(storage))
        with self._transaction() as connection:
            since: datetime | None = connection.scalar(found)
        return since

    def set_swept(self, storage: str, moment: datetime) -> None:
        """All files that were stored up to this moment were looked at, but for the grace period's."""
        self.add({_memory_of(storage): None}, SWEPT)
        with self._transaction() as connection:
            connection.execute(
                update(self._table).where(self._table.c.file == _memory_of(storage)).values(since=moment)
            )

    def uncounted(self) -> list[Entry]:
        """The live entries that triggers have counted down to nothing."""
        these = select(self._table).where(self._table.c.refs == 0, self._table.c.state == LIVE)
        with self._transaction() as connection:
            return [Entry(each.file, 0, 0, each.since) for each in connection.execute(these)]

    def size(self, storage: str) -> int:
        """How many files of a storage have an entry."""
        in_storage = self._table.c.file.startswith(f'{storage}/', autoescape=True)
        with self._transaction() as connection:
            return connection.scalar(select(func.count()).select_from(self._table).where(in_storage)) or 0

    def _held(self, connection: Connection, files: Collection[str]) -> list[str]:
        these = select(self._table.c.file).where(self._table.c.file.in_(files), self._table.c.state == MARKED)
        return [*connection.scalars(these.with_for_update(skip_locked=True))]

    def _locked(self, connection: Connection, files: Collection[str]) -> dict[str, Any]:
        table = self._table
        these = table.c.file.in_(files)
        if not self._locks_rows:  # a change of nothing locks the database before anything is read
            connection.execute(update(table).where(these).values(attempts=table.c.attempts))
        entries = select(table).where(these, table.c.state == LIVE).order_by(table.c.file)
        return {each.file: each for each in connection.execute(entries.with_for_update(skip_locked=True))}

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            if self._locks_rows:  # else MariaDB also locks what it only looked at
                connection = connection.execution_options(isolation_level='READ COMMITTED')
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._connection() as connection, connection.begin():
            yield connection


def _pause(attempts: int) -> timedelta:
    """How long to wait after so many failures."""
    if attempts < 2:
        return timedelta(0)
    doublings = min(attempts - 2, 20)  # no number of failures is too large for a timedelta
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def _count_now(then: Entry, entry: Any, moment: datetime) -> int | None:
    """How many rows refer to a file now; None if that cannot be told, or the ledger says so already.

    ``then`` is what rows and ledger said at ``moment``. What transactions did
    since then is in the entry, which they add to, if it had a count.
    """
    if then.refs is None:
        is_untouched = entry.refs is None and entry.since == then.since and entry.since < moment - timedelta(seconds=1)
        return then.rows if is_untouched else None
    if entry.refs is None:
        return None
    refs: int = entry.refs + then.rows - then.refs
    return refs if refs >= 0 and (refs == 0 or refs != entry.refs) else None


def _memory_of(storage: str) -> str:
    """The key of the entry that is about a storage; no file has an empty id."""
    return f'{storage}/'
