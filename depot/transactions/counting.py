"""How many rows refer to each file: what a transaction makes of the ledger's entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Select

from ..errors import FileMissing
from ..manager import DepotManager
from ..utils import utcnow_naive
from .drivers.sqlalchemy import waiting
from .entries import LIVE, MARKED, Statements, batches
from .files import is_removed

_V = TypeVar('_V')


class Outcome(NamedTuple):
    """What an entry says from now on."""

    state: str
    #: How many rows refer to the file; None where that has to be counted.
    refs: int | None
    #: Whether a transaction let the file go that could not know of other rows.
    let_go: bool = False


class Counting:
    """Changes the entries of files, on the connection of the transaction that changed the rows.

    With ``triggers`` the database has changed the counts already.
    """

    def __init__(self, statements: Statements, triggers: bool) -> None:
        self._statements = statements
        self._triggers = triggers

    def enter_created(self, connection: Connection, counts: Mapping[str, int]) -> None:
        """Enters files that the transaction stored, and that rows refer to.

        Raises :class:`~depot.errors.FileMissing` for one that is marked.
        """
        if not self._triggers:
            return self._enter(connection, counts)
        # The triggers entered them, but could not know that no older row refers to them.
        for refs, files in _by_value(counts).items():
            for batch in batches(sorted(files)):
                connection.execute(self._statements.count, {'files': batch, 'new_refs': refs})

    def give_up(self, connection: Connection, files: Set[str]) -> None:
        """No row refers to these files that the transaction stored; for a while, one may have."""
        if self._triggers:
            for batch in batches(sorted(files)):
                connection.execute(self._statements.mark_uncounted, {'files': batch, 'now': now()})

    def change(self, connection: Connection, changes: Mapping[str, int], kept: Set[str]) -> set[str]:
        """Changes the counts of files that other transactions stored; returns those that it marked.

        Raises :class:`~depot.errors.FileMissing` for one that is marked, and that a
        row is to refer to.
        """
        entries = self._entries(connection, changes, kept)
        outcomes: dict[str, Outcome] = {}
        for file, entry in entries.items():
            change = 0 if self._triggers and entry.refs is not None else changes[file]
            is_kept = changes[file] > 0 or file in kept
            if entry.refs is None and is_kept and _is_gone(file):  # an entry that was made just now
                raise _removed(file)
            decided = _outcome(entry, change, is_kept)
            if decided is not None:
                outcomes[file] = decided
        latest = max((entries[file].since for file in outcomes), default=now())
        for decided, files in _by_value(outcomes).items():
            self.decide(connection, decided, files, after=latest)
        return {file for file, decided in outcomes.items() if decided.state == MARKED}

    def _entries(self, connection: Connection, changes: Mapping[str, int], kept: Set[str]) -> dict[str, Any]:
        """The entries of the files, locked; those that the ledger does not know are entered."""
        if connection.dialect.name in ('mysql', 'mariadb'):
            # Who locks there what is not there keeps others from adding it: two who do wait for each other.
            known = self._found(connection, self._statements.find, changes)
            self._enter_unknown(connection, changes.keys() - known, changes, kept)
            return self._locked(connection, changes)
        entries = self._locked(connection, changes)
        unknown = self._enter_unknown(connection, changes.keys() - entries.keys(), changes, kept)
        return {**entries, **self._locked(connection, unknown)}

    def _enter_unknown(
        self, connection: Connection, files: Set[str], changes: Mapping[str, int], kept: Set[str]
    ) -> set[str]:
        """Enters files without a count: only a sweep can tell whether older rows refer to them. Returns them."""
        unknown = {file for file in files if changes[file] or file in kept}
        if unknown:
            entries = new_entries(dict.fromkeys(unknown), LIVE)
            connection.execute(self._statements.adopt(connection.dialect.name), entries)
        return unknown

    def _enter(self, connection: Connection, counts: Mapping[str, int | None]) -> None:
        """Adds files; to one that another transaction was first to add, adds the count."""
        entries = new_entries(counts, LIVE)
        changed = self._statements.enter(connection, entries)
        if changed != len(entries):
            for file in self._found(connection, self._statements.marked, counts):
                raise _removed(file)

    def decide(
        self, connection: Connection, decided: Outcome, files: Collection[str], after: datetime | None = None
    ) -> None:
        """Gives the entries of files, which have to be locked, another state and count.

        Where the count is not known, their date is one ``after`` that which they
        have: a sweep tells by it that an entry is not as it was.
        """
        since = now() if after is None or decided.refs is not None else max(now(), after + timedelta(seconds=1))
        values = {
            'new_state': decided.state,
            'new_refs': decided.refs,
            'new_attempts': int(decided.let_go),
            'now': since,
        }
        for batch in batches(sorted(files)):
            connection.execute(self._statements.decide, {'files': batch, **values})

    def _locked(self, connection: Connection, files: Collection[str]) -> dict[str, Any]:
        """The entries of the files, which no other transaction changes until this one ends."""
        return {
            entry.file: entry
            for batch in batches(sorted(files))
            for entry in connection.execute(self._statements.lock, {'files': batch})
        }

    def _found(self, connection: Connection, statement: Select[Any], files: Collection[str]) -> set[str]:
        found = (connection.scalars(statement, {'files': each}) for each in batches(sorted(files)))
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
        return Outcome(LIVE, None, change < 0 and not is_kept) if change or is_kept else None  # a recount starts later
    if change == 0 and entry.refs > 0:
        return None
    refs = entry.refs + change
    if refs > 0:
        return Outcome(LIVE, refs)
    if refs == 0 and not is_kept:
        return Outcome(MARKED, 0)
    return Outcome(LIVE, None, let_go=not is_kept)  # somebody wrote rows behind our back


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
