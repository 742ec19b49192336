"""A database and a folder of files, as an application has them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from sqlalchemy import Connection, insert, text

from depot.io.faults import Fault, FaultyStorage
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from depot.transactions.sweeper import sweep
from depot.transactions.sweeping import context
from depot.utils import utcnow_naive

from . import engines
from .checker import check
from .counts import Counts
from .expected import Expected
from .models import Base, Slot

NO_GRACE = datetime.timedelta(0)

#: Longer than any transaction that was killed.
SOME_GRACE = datetime.timedelta(minutes=1)

# PostgreSQL lists those of all databases.
OTHER_WRITERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()
"""
PREPARED = 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared'


class Application:
    """What is killed and set up again: an engine, and the default storage in a folder.

    The database is SQLite beside that folder, in WAL mode with synchronous FULL, or the one at ``url``.
    """

    def __init__(self, place: Path, url: str | None = None, journal: str = 'WAL', faults: Iterable[Fault] = ()) -> None:
        self._place, self._url = place, url
        self.folder = place / 'files'
        self.engine = engines.postgresql(url) if url else engines.sqlite(place / 'database.sqlite', journal)
        self.expected = Expected()
        #: How many prepared transactions a recovery found.
        self.undecided = 0
        DepotManager._clear()
        DepotManager._depots['default'] = FaultyStorage(LocalFileStorage(self.folder), *faults)
        DepotManager.set_default('default')

    def again(self, faults: Iterable[Fault]) -> Application:
        """The same one, set up anew in this process."""
        return Application(self._place, self._url, faults=faults)

    def create(self, slots: int) -> None:
        """Empty tables, with slots from 1 on."""
        Base.metadata.drop_all(self.engine)
        Base.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(insert(Slot), [{'id': each + 1, 'version': 0} for each in range(slots)])

    def recover(self) -> None:
        """What an operator does after a crash: the database recovers by itself, and one sweep does the rest."""
        if self.engine.name == 'postgresql':
            self._wait_until_alone()
            self._end_what_is_prepared()
        self.sweep(grace=NO_GRACE)

    def sweep(self, grace: datetime.timedelta) -> None:
        sweep(self.engine, Base.metadata, grace=grace)

    def learn(self) -> None:
        """Takes the database as it is now for what was committed."""
        self.check()

    def check(self) -> Counts:
        """What is wrong, now that nobody works."""
        return check(self.engine, self.folder, self.expected)

    def _wait_until_alone(self) -> None:
        """PostgreSQL notices that a client is dead, and rolls back, but not in the same instant."""
        with self._autocommit() as connection:
            while connection.scalar(text(OTHER_WRITERS), {'name': engines.WRITER}):
                time.sleep(0.005)

    def _end_what_is_prepared(self) -> None:
        """Commits every other transaction that waits for it, rolls the others back; a sweep before removes nothing."""
        with self._autocommit() as connection:
            waiting = connection.scalars(text(PREPARED)).all()
            self.undecided += len(waiting)
            if waiting:
                with mock.patch.object(context, 'utcnow_naive', return_value=utcnow_naive() + SOME_GRACE):
                    self.sweep(grace=SOME_GRACE)
            for number, each in enumerate(waiting):
                connection.exec_driver_sql(f"{'ROLLBACK' if number % 2 else 'COMMIT'} PREPARED '{each}'")

    def _autocommit(self) -> Connection:
        return self.engine.connect().execution_options(isolation_level='AUTOCOMMIT')
