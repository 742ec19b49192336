"""One transaction of a database: the scopes of it and of its savepoints, and what its end does.

It is the connection's transaction that decides, not the session's: a session may
take part in a transaction that somebody else ends, or in several at a time.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Connection, Engine, NestedTransaction, Transaction
from sqlalchemy.pool.base import ResetStyle

from ... import files
from ...ledger import Ledger
from ...scope import Scope
from ...uploads import Upload
from . import endings, waiting

_transactions: weakref.WeakKeyDictionary[Transaction, DatabaseTransaction] = weakref.WeakKeyDictionary()


class DatabaseTransaction:
    """What is known of one transaction, from the first statement on that has to do with files."""

    def __init__(self, engine: Engine) -> None:
        #: Whether the database will answer a COMMIT with a rollback.
        self.is_aborted = False
        #: Whether its end is nobody's to foresee, because COMMIT is about to be sent.
        self.is_ending = False
        #: Whether PREPARE is about to be sent, or was: then any connection, and any process, may decide.
        self.is_prepared = False
        self._engine = engine
        self._scope = Scope()
        # Weakly: a savepoint knows its connection, and so the transaction, whose life ends this object's.
        self._savepoints: weakref.WeakKeyDictionary[NestedTransaction, Scope] = weakref.WeakKeyDictionary()
        # What the ledgers said when they were written: which files are to go, and of which that is not so.
        self._marked: dict[Ledger, set[str]] = {}
        self._unreferenced: dict[str, bool] = {}
        # What other transactions said of files meanwhile: that a row of theirs refers to them, or has let them go.
        self._kept_elsewhere: set[str] = set()
        self._released_elsewhere: set[str] = set()

    @classmethod
    def of(cls, connection: Connection) -> DatabaseTransaction | None:
        """That of a connection; None if it has none, or none that had to do with files."""
        transaction = connection.get_transaction()
        return None if transaction is None else _transactions.get(transaction)

    @classmethod
    def begun(cls, connection: Connection) -> DatabaseTransaction:
        """That of a connection, which is begun if need be."""
        transaction = cast(Transaction, connection.get_transaction() or connection.begin())
        found = _transactions.get(transaction)
        if found is None:
            found = _transactions[transaction] = cls(connection.engine)
            # A connection that is forgotten in mid-transaction is rolled back by its database, and so here.
            weakref.finalize(transaction, found.forget)
            endings.listen_to(connection.dialect)
        return found

    def scope_in(self, savepoint: NestedTransaction | None) -> Scope:
        """The scope of a savepoint, or that of the transaction itself."""
        return self._scope if savepoint is None else self._savepoints.setdefault(savepoint, Scope())

    def release(self, savepoints: Iterable[NestedTransaction]) -> None:
        """These savepoints are released, given from the innermost on: they have decided nothing."""
        for each in savepoints:
            scope = self._savepoints.pop(each, None)
            if scope is not None:
                self.scope_in(each._previous_nested).absorb(scope)

    def undo(self, savepoints: Iterable[NestedTransaction]) -> None:
        """These savepoints are rolled back."""
        scopes = [self._savepoints.pop(each, None) for each in savepoints]
        _remove({file for each in scopes if each is not None for file in each.rollback()})

    def prepare(self, connection: Connection) -> None:
        """Makes the new files durable, and writes the ledgers: COMMIT or PREPARE is next."""
        if self.is_aborted:
            return
        self.release(savepoints_of(connection))
        sync(self._scope.uploads)
        changes = _changes_by_ledger(self._scope)
        if changes:
            self._write(changes, connection)
        waiting.checkpoint()  # the last moment: nothing cancels a COMMIT

    def _write(self, changes_by_ledger: dict[Ledger, dict[str, int]], connection: Connection) -> None:
        created, kept = self._scope.created, self._scope.kept
        for ledger, changes in changes_by_ledger.items():
            marked = ledger.write(connection, changes, created & changes.keys(), kept & changes.keys())
            self._unreferenced.update((file, file in marked) for file in changes.keys() - created)
            if marked:
                self._marked[ledger] = marked

    def commit(self, dbapi_connection: Any) -> None:
        """COMMIT was done."""
        if self.is_aborted:
            self.rollback()
            return
        kept = self._scope.kept - self._scope.created
        garbage = self._scope.commit(self._unreferenced) | self._released_elsewhere
        others = self._in_other_databases() if kept or garbage else []
        garbage -= self._kept_elsewhere
        if others or self._released_elsewhere:
            garbage -= kept
        for each in others:
            garbage -= each._hear(kept, garbage)
        failures = _remove(garbage)
        for ledger, marked in self._marked.items():
            # A connection of its own, on what the driver has: that of the transaction is about to be told of its end.
            connection = Connection(self._engine, dbapi_connection)
            ledger.settle(connection, marked - failures.keys(), marked & failures.keys())
        self._end()

    def _in_other_databases(self) -> list[DatabaseTransaction]:
        """Those that go on: a file may move from one database to another in one session."""
        live = filter(None, (each() for each in _transactions.keyrefs()))  # a copy: other threads begin some meanwhile
        others = filter(None, map(_transactions.get, live))
        return [each for each in others if each._engine.pool is not self._engine.pool and not each._scope.is_empty]

    def _hear(self, kept: set[str], garbage: set[str]) -> set[str]:
        """Another transaction committed; returns the files whose fate is this one's to decide now."""
        self._kept_elsewhere |= kept
        moved = garbage & self._scope.kept
        self._released_elsewhere |= moved
        return moved

    def rollback(self) -> None:
        """ROLLBACK was done, or COMMIT was refused, or never sent."""
        self.undo([*self._savepoints])
        _remove(self._scope.rollback() | self._released_elsewhere - self._kept_elsewhere)
        self._end()

    def _end(self) -> None:
        # In AUTOCOMMIT the next statement decides anew.
        self.is_aborted = self.is_ending = self.is_prepared = False
        self._marked, self._unreferenced, self._kept_elsewhere, self._released_elsewhere = {}, {}, set(), set()

    def abandon(self) -> None:
        """Nobody knows how it ended: nothing is removed."""
        for each in (*self._savepoints.values(), self._scope):
            each.abandon()

    def forget(self) -> None:
        """Nobody refers to it any more. It may have ended long ago."""
        if self.is_prepared or (self._scope.is_empty and not self._savepoints):
            return
        if self.is_ending or self._engine.pool._reset_on_return is not ResetStyle.reset_rollback:
            self.abandon()
        else:
            waiting.aside(self.rollback)


def scope_of(connection: Connection) -> Scope:
    """The scope of the transaction or savepoint that the connection is in."""
    return DatabaseTransaction.begun(connection).scope_in(connection.get_nested_transaction())


def sync(uploads: Iterable[Upload]) -> None:
    """Makes the files of these uploads durable, in one pass."""
    volatile = [each for each in uploads if not each.durable]
    if volatile:
        waiting.run(files.sync, [file for each in volatile for file in each.files])
    for each in volatile:
        each.durable = True


def savepoints_of(connection: Connection) -> Iterator[NestedTransaction]:
    """The savepoints that the connection is in, from the innermost on."""
    savepoint: Any = connection.get_nested_transaction()
    while savepoint is not None:
        yield savepoint
        savepoint = savepoint._previous_nested


def _remove(garbage: set[str]) -> Mapping[str, BaseException]:
    """Removes the files; returns those that it could not, with the reason."""
    return waiting.run(files.remove, garbage) if garbage else {}


def _changes_by_ledger(scope: Scope) -> dict[Ledger, dict[str, int]]:
    """By ledger and file, by how many the rows that refer to the file became more."""
    found: dict[Ledger, dict[str, int]] = {}
    for file, owner, change in scope.changes():
        ledger = Ledger.of(cast(Any, owner).column.table.metadata)
        if ledger is not None:
            changes = found.setdefault(ledger, {})
            changes[file] = changes.get(file, 0) + change
    return found
