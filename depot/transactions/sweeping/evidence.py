"""What the rows and the ledger say, side by side, on disk: a sweep's memory does not grow with them."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Table, select

from ...errors import InvalidFileId
from ...io.ids import checked_file_id
from ...manager import DepotManager
from ..drivers.sqlalchemy.outcome import is_in_transaction
from ..entries import BATCH, LIVE, MARKED, SWEPT, batches, can_be_entered, is_path
from ..ledger import Ledger
from .rows import Held, Place, read_all

# Without a name, SQLite's database is a temporary file, which goes when it is closed. The files' ids are noted because
# two storages may be one place with two names; in the canonical form, because a row may have one in capitals.
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE referred (file TEXT PRIMARY KEY, storage TEXT, id TEXT, rows INTEGER, place BLOB);
CREATE TABLE entered (
    file TEXT PRIMARY KEY, storage TEXT, id TEXT, refs INTEGER, state TEXT, since TEXT, let_go INTEGER
);
BEGIN;
"""

_INDEXES = """
CREATE INDEX referred_id ON referred (id);
CREATE INDEX entered_id ON entered (id);
"""


class Entry(NamedTuple):
    """A live entry of the ledger, beside what the rows say."""

    file: str
    #: How many rows refer to the file, says the ledger; None if it does not know.
    refs: int | None
    #: How many do.
    rows: int
    #: When the entry was changed last.
    since: datetime
    #: Whether a transaction let the file go that could not know of other rows.
    let_go: bool = False


class Referred(NamedTuple):
    """A file that rows refer to."""

    file: str
    #: Its id, in the canonical form.
    file_id: str
    rows: int
    #: One of the places.
    place: Place


class Evidence:
    """The rows that refer to each file, and the entries of the ledger, as they were at one instant.

    It also knows the files of rows that the ledger cannot take, and those of rows
    in ``others``: they stay, but these rows are not counted.
    """

    def __init__(self, engine: Engine, ledger: Ledger, tables: Iterable[Table], others: Iterable[Table] = ()) -> None:
        #: Rows whose files could not be read.
        self.unreadable: list[Held] = []
        self._scratch = sqlite3.connect('', isolation_level=None)
        try:
            self._scratch.executescript(_TABLES)
            with _snapshot(engine) as connection:
                self._note_entries(connection, ledger)
                for table in tables:
                    self._note_rows(read_all(connection, table), 1)
                for table in others:
                    self._note_rows(read_all(connection, table), 0)
            self._scratch.executescript(_INDEXES)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives the disk space back."""
        self._scratch.close()

    def storages(self) -> set[str]:
        """The names of all storages that an entry or a counted row speaks of."""
        both = 'SELECT storage FROM referred WHERE rows > 0 UNION SELECT storage FROM entered'
        return {name for (name,) in self._all(both)}

    def size(self, storage: str) -> int:
        """How many files of a storage an entry or a row speaks of."""
        both = 'SELECT file FROM entered WHERE storage = ? UNION SELECT file FROM referred WHERE storage = ?'
        return int(self._one(f'SELECT count(*) FROM ({both})', storage, storage))

    def knows(self, file_id: str) -> bool:
        """Whether an entry or a row speaks of a file with this id, in whichever storage."""
        found = 'SELECT EXISTS (SELECT 1 FROM entered WHERE id = ?) OR EXISTS (SELECT 1 FROM referred WHERE id = ?)'
        return bool(self._one(found, *[_canonical(file_id)] * 2))

    def unknown(self) -> Iterator[list[Referred]]:
        """The files that rows refer to and the ledger could know, but does not, in pages."""
        unknown = self._referred('WHERE rows > 0 AND file NOT IN (SELECT file FROM entered)')
        return batches(each for each in unknown if can_be_entered(each.file))

    def referred(self, storage: str, after: str = '') -> Iterator[Referred]:
        """The files of a storage that rows refer to, in the order of their ids, from the first one above ``after``."""
        return self._referred('WHERE storage = ? AND id > ? ORDER BY id', storage, after)

    def contradicted(self) -> list[Referred]:
        """The files that are marked, though rows refer to them, be it by another name of their storage."""
        both = f"""
            SELECT entered.file, id, rows, place, entered.storage, referred.storage
            FROM entered JOIN referred USING (id) WHERE state = '{MARKED}' ORDER BY entered.file"""
        return [
            Referred(file, file_id, rows, Place(*pickle.loads(place)))
            for file, file_id, rows, place, *names in self._all(both)
            if _is_one_place(*names)
        ]

    def wrong(self) -> Iterator[list[Entry]]:
        """The live entries whose count is not what the rows say, though there are rows; in pages."""
        return batches(self._entries('rows > 0 AND rows <> ifnull(refs, -1)'))

    def unreferred(self, storage: str) -> list[Entry]:
        """The live entries of a storage that no row refers to, be it by another name of the storage."""
        condition = 'entered.storage = ? AND NOT EXISTS (SELECT 1 FROM referred WHERE id = entered.id)'
        return [*self._entries(condition, storage)]

    def _entries(self, condition: str, *values: str) -> Iterator[Entry]:
        statement = f"""
            SELECT entered.file, refs, ifnull(rows, 0), since, let_go FROM entered LEFT JOIN referred USING (file)
            WHERE state = '{LIVE}' AND {condition} ORDER BY entered.file"""
        for file, refs, rows, since, let_go in self._all(statement, *values):
            yield Entry(file, refs, rows, datetime.fromisoformat(since), bool(let_go))

    def _referred(self, condition: str, *values: str) -> Iterator[Referred]:
        for file, file_id, rows, place in self._all(f'SELECT file, id, rows, place FROM referred {condition}', *values):
            yield Referred(file, file_id, rows, Place(*pickle.loads(place)))

    def _all(self, statement: str, *values: str) -> Iterator[Any]:
        return iter(self._scratch.execute(statement, values))

    def _one(self, statement: str, *values: str) -> Any:
        return self._scratch.execute(statement, values).fetchone()[0]

    def _note_entries(self, connection: Connection, ledger: Ledger) -> None:
        entries = select(ledger.table).where(ledger.table.c.state != SWEPT)
        for page in batches(connection.execute(entries, execution_options={'yield_per': BATCH})):
            rows = [
                (each.file, *_split(each.file), each.refs, each.state, each.since.isoformat(), each.attempts)
                for each in page
            ]
            self._scratch.executemany('INSERT INTO entered VALUES (?, ?, ?, ?, ?, ?, ?)', rows)

    def _note_rows(self, found: Iterator[Held], counts: int) -> None:
        for page in batches(found):
            self.unreadable += [each for each in page if each.error is not None]
            self._scratch.executemany(
                'INSERT INTO referred VALUES (?, ?, ?, ?, ?) '
                'ON CONFLICT (file) DO UPDATE SET rows = rows + excluded.rows',
                [
                    (file, *_split(file), counts, pickle.dumps(tuple(each.place)))
                    for each in page
                    for file in each.files
                    if is_path(file)
                ],
            )


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction in which the database stands still. Nobody waits for it, but for SQLite's writers without WAL."""
    with engine.connect() as connection:
        if connection.dialect.name != 'sqlite':
            connection = connection.execution_options(isolation_level='REPEATABLE READ')
        with connection.begin():
            if connection.dialect.name == 'sqlite' and not is_in_transaction(connection.connection.dbapi_connection):
                connection.exec_driver_sql('BEGIN')  # Python's driver may leave it to the first change
            yield connection


def _split(file: str) -> tuple[str, str]:
    """The storage and the id, in its canonical form."""
    name, _, file_id = file.partition('/')
    return name, _canonical(file_id)


def _canonical(file_id: str) -> str:
    """The id as a storage gives it: any form of a UUID in one, an id of another kind as it is."""
    try:
        return checked_file_id(file_id)
    except InvalidFileId:
        return file_id


def _is_one_place(one: str, other: str) -> bool:
    """Whether two names are known to be those of one storage."""
    return one == other or (DepotManager.get(one) is DepotManager.get(other) is not None)
