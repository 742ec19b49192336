"""One transaction of a database: the scopes of it and of its savepoints, and what its end does.

It is the connection's transaction that decides, not the session's: a session may
take part in a transaction that somebody else ends, or in several at a time.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Connection, NestedTransaction
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import SingletonThreadPool, StaticPool
from sqlalchemy.pool.base import ResetStyle

from ... import files
from ...scope import Scope
from ...uploads import Upload
from . import endings, waiting
from .ledgers import Entered
from .outcome import aborts_transaction, ends_transaction, is_aborted, is_autocommit, is_in_transaction

# The pools that give one connection of the database to many.
_SHARING = (SingletonThreadPool, StaticPool)


class DatabaseTransaction:
    """What is known of one transaction, from the first statement on that has to do with files."""

    def __init__(self, connection: Connection) -> None:
        # Weakly: what the connection has from the pool keeps this object alive.
        self._connection = weakref.ref(connection)
        self._engine = connection.engine
        self._driver_connection = connection.connection.driver_connection
        # Whether the database will answer a COMMIT with a rollback.
        self._is_aborted = False
        # Whether COMMIT, or PREPARE, is about to be sent: then its end is nobody's to foresee.
        self._is_ending = False
        self._scope = Scope()
        # Weakly: a savepoint knows its connection, and so the transaction, whose life ends this object's.
        self._savepoints: weakref.WeakKeyDictionary[NestedTransaction, Scope] = weakref.WeakKeyDictionary()
        self._entered = Entered()
        # Of files that move between databases: that a row refers to them, or that one has let them go.
        self._kept_elsewhere: set[str] = set()
        self._released_elsewhere: set[str] = set()

    @classmethod
    def of(cls, connection: Connection) -> DatabaseTransaction:
        """That of a connection, which is begun if need be."""
        found = endings.told_of(connection)
        if not isinstance(found, cls):
            if not connection.in_transaction():
                connection.begin()
            found = cls(connection)
            endings.tell(found, connection)
        return found

    def check(self, dbapi_connection: Any) -> None:
        """Abandons what was done if the database knows of no transaction any more.

        As text, COMMIT and ROLLBACK tell nobody. MariaDB commits by itself before it
        changes a table. A pool may give one connection to many, whom it ends for all.
        """
        if self._has_claims() and not is_in_transaction(dbapi_connection):
            self.abandon()

    def _has_claims(self) -> bool:
        return self._scope.has_claims or any(each.has_claims for each in self._savepoints.values())

    def scope_in(self, savepoint: NestedTransaction | None) -> Scope:
        """The scope of a savepoint, or that of the transaction itself."""
        return self._scope if savepoint is None else self._savepoints.setdefault(savepoint, Scope())

    def release(self, savepoint: str) -> None:
        """A savepoint is released, with those inside it: they have decided nothing."""
        self._absorb(_up_to(savepoint, self._nested()))

    def _absorb(self, savepoints: Iterable[NestedTransaction]) -> None:
        """Takes over all of these, given from the innermost on."""
        for each in savepoints:
            scope = self._savepoints.pop(each, None)
            if scope is not None:
                self.scope_in(each._previous_nested).absorb(scope)

    def undo(self, savepoint: str) -> None:
        """A savepoint was rolled back, with those inside it."""
        self._undo(_up_to(savepoint, self._nested()))
        self._is_aborted = False

    def _undo(self, savepoints: Iterable[NestedTransaction]) -> None:
        scopes = [self._savepoints.pop(each, None) for each in savepoints]
        _remove({file for each in scopes if each is not None for file in each.rollback()})

    def _nested(self) -> Iterator[NestedTransaction]:
        """The savepoints that the connection is in, from the innermost on."""
        savepoint: Any = cast(Connection, self._connection()).get_nested_transaction()
        while savepoint is not None:
            yield savepoint
            savepoint = savepoint._previous_nested

    def fail(self, context: ExceptionContext) -> None:
        """A statement failed: the database may have ended the transaction by that, or refuse to commit it."""
        if self._is_ending:
            return
        connection = cast(Connection, context.connection)
        if context.is_disconnect or ends_transaction(context.original_exception, connection):
            self.rollback()
        elif aborts_transaction(context.original_exception, context.dialect) and not is_autocommit(connection):
            self._is_aborted = True

    def prepare(self) -> None:
        """Makes the new files durable, and writes the ledgers: COMMIT or PREPARE is next."""
        connection = cast(Connection, self._connection())
        self._is_aborted = self._is_aborted and is_aborted(connection)
        if not self._is_aborted:
            self._absorb(self._nested())
            sync(self._scope.uploads)
            self._entered.write(self._scope, connection)
        waiting.checkpoint()  # the last moment: nothing cancels a COMMIT
        self._is_ending = True

    def commit(self, dbapi_connection: Any) -> None:
        """COMMIT was done."""
        if self._is_aborted:
            self.rollback()
            return
        failures = _remove(self._garbage())
        self._entered.settle(self._engine, dbapi_connection, failures.keys(), self._kept_elsewhere)
        self._end()

    def _garbage(self) -> set[str]:
        """The files that this commit removes; the others that go on are told, and may have told it before."""
        others = self._in_other_databases()
        if others or self._released_elsewhere:
            self._kept_elsewhere |= self._scope.kept - self._scope.created
        garbage = self._scope.commit(self._entered.unreferenced) | self._released_elsewhere
        if self._kept_elsewhere:
            garbage -= self._kept_elsewhere
        for each in others:
            garbage -= each._hear(self._kept_elsewhere, garbage)
        return garbage

    def _abandon_sharers(self) -> None:
        """The same connection of the database may serve others, whose rows have ended with these."""
        for each in _live():
            if each is not self and each._has_claims() and each._driver_connection is self._driver_connection:
                each.abandon()

    def _in_other_databases(self) -> list[DatabaseTransaction]:
        """Those that go on: a file may move from one database to another in one session."""
        pool = self._engine.pool
        return [each for each in _live() if each._engine.pool is not pool and not each._scope.is_empty]

    def _hear(self, kept: set[str], garbage: set[str]) -> set[str]:
        """Another transaction committed; returns the files whose fate is this one's to decide now."""
        self._kept_elsewhere |= kept
        moved = garbage & self._scope.kept
        self._released_elsewhere |= moved
        return moved

    def rollback(self) -> None:
        """ROLLBACK was done, or COMMIT was refused, or never sent."""
        self._undo([*self._savepoints])
        _remove(self._scope.rollback() | self._released_elsewhere - self._kept_elsewhere)
        self._end()

    def _end(self) -> None:
        if isinstance(self._engine.pool, _SHARING):
            self._abandon_sharers()
        # In AUTOCOMMIT the next statement decides anew.
        self._is_aborted = self._is_ending = False
        self._entered, self._kept_elsewhere, self._released_elsewhere = Entered(), set(), set()

    def abandon(self) -> None:
        """Nobody knows how it ended: nothing is removed."""
        for each in (*self._savepoints.values(), self._scope):
            each.abandon()
        self._end()

    def forget(self) -> None:
        """The connection was lost, or given back to the pool: the database rolls back."""
        if self._is_ending or self._engine.pool._reset_on_return is not ResetStyle.reset_rollback:
            self.abandon()
        else:
            waiting.aside(self.rollback)

    def decide(self, dbapi_connection: Any) -> None:
        """In AUTOCOMMIT, a statement was executed."""
        self.prepare()
        self.commit(dbapi_connection)


def _live() -> list[DatabaseTransaction]:
    """Those that have not ended."""
    return [each for each in endings.all_told() if isinstance(each, DatabaseTransaction)]


def check(connection: Connection) -> None:
    """A statement is about to be sent that has to do with files: see :meth:`DatabaseTransaction.check`."""
    found = endings.told_of(connection)
    if found is not None:
        found.check(connection.connection)


def scope_of(connection: Connection) -> Scope:
    """The scope of the transaction or savepoint that the connection is in."""
    return DatabaseTransaction.of(connection).scope_in(connection.get_nested_transaction())


def sync(uploads: Iterable[Upload]) -> None:
    """Makes the files of these uploads durable, in one pass."""
    volatile = [each for each in uploads if not each.durable]
    if volatile:
        waiting.run(files.sync, [file for each in volatile for file in each.files])
    for each in volatile:
        each.durable = True


def _up_to(name: str, inside: Iterable[NestedTransaction]) -> list[NestedTransaction]:
    """The savepoint with this name and those inside it, from the innermost on."""
    savepoints = [*inside]
    names = [each._savepoint for each in savepoints]
    return savepoints[: names.index(name) + 1] if name in names else []


def _remove(garbage: set[str]) -> Mapping[str, BaseException]:
    """Removes the files; returns those that it could not, with the reason."""
    return waiting.run(files.remove, garbage) if garbage else {}
