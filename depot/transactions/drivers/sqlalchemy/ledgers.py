"""What a transaction enters into the ledgers of its tables, and what it settles there after COMMIT."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, cast

from sqlalchemy import Connection, Engine

from ...ledger import Ledger
from ...scope import Scope
from .targets import schema_options


class Entered:
    """What one transaction has entered, and what the ledgers said to that."""

    def __init__(self) -> None:
        #: Of files that rows let go: whether no row at all refers to them.
        self.unreferenced: dict[str, bool] = {}
        # The files that are to go.
        self._marked: dict[Ledger, set[str]] = {}
        self._schemas: dict[str, Any] = {}

    def write(self, scope: Scope, connection: Connection) -> None:
        """COMMIT or PREPARE is next: enters what rows came to refer to, and what they let go."""
        changes_by_ledger = _changes_by_ledger(scope)
        if not changes_by_ledger:
            return
        created, kept = scope.created, scope.kept
        self._schemas = schema_options(connection.get_execution_options())
        for ledger, changes in changes_by_ledger.items():
            marked = ledger.write(connection, changes, created & changes.keys(), kept & changes.keys())
            self.unreferenced.update((file, file in marked) for file in changes.keys() - created)
            if marked:
                self._marked[ledger] = marked

    def settle(self, engine: Engine, dbapi_connection: Any, failures: Set[str], kept: Set[str]) -> None:
        """COMMIT was done, and the files are gone, but for ``failures`` and those that somebody has ``kept``."""
        for ledger, marked in self._marked.items():
            # A connection of its own, on what the driver has: that of the transaction is about to be told of its end.
            connection = Connection(engine, dbapi_connection).execution_options(**self._schemas)
            ledger.settle(connection, marked - failures - kept, marked & failures)


def _changes_by_ledger(scope: Scope) -> dict[Ledger, dict[str, int]]:
    """By ledger and file, by how many the rows that refer to the file became more."""
    found: dict[Ledger, dict[str, int]] = {}
    for file, owner, change in scope.changes():
        ledger = Ledger.of(cast(Any, owner).column.table.metadata)
        if ledger is not None:
            changes = found.setdefault(ledger, {})
            changes[file] = changes.get(file, 0) + change
    return found
