"""The steps of one process, counted; at one of them a fault strikes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any, Protocol

from depot.io import disk, folder, local
from depot.io.faults import Fault, kill

#: When, at its step, a fault strikes. For a kill, after one step is before the next.
MOMENTS = ['before', 'middle', 'after']


class Failed(Exception):
    """An error that nobody foresees."""


#: What a fault does, by its name.
FAULTS = {'kill': kill, 'error': Failed, 'interrupt': KeyboardInterrupt, 'memory': MemoryError}


class Steps(Protocol):
    """Some steps of a process, of which one strikes."""

    @property
    def options(self) -> dict[str, Any]:
        """What an application needs so that its steps are counted."""

    def begin(self) -> None:
        """Counts from now on."""

    @property
    def is_reached(self) -> bool:
        """Whether it came to the step that strikes."""


class StorageSteps:
    """The operations of the storage: before, in the middle of, and after each."""

    def __init__(self, number: int, fault: str) -> None:
        self._fault = Fault(when=None, nth=number, does=FAULTS[fault])
        self.options: dict[str, Any] = {'faults': [self._fault]}

    def begin(self) -> None:
        pass

    @property
    def is_reached(self) -> bool:
        return bool(self._fault.fired)


class SystemSteps:
    """What the local storage asks of the operating system and the application of the database, in their order."""

    def __init__(self, number: int, fault: str, moment: str) -> None:
        self._number = number
        self._does = FAULTS[fault]
        self._moment = moment
        self._count = 0
        self._is_counting = False
        self.options: dict[str, Any] = {'factory': database_in_steps(self)}

    def begin(self) -> None:
        self._is_counting = True
        for module in disk, folder, local:
            module.os = System(self)  # type: ignore[attr-defined]

    @property
    def is_reached(self) -> bool:
        return self._count >= self._number

    def take(self, do: Callable[..., Any], *args: Any, half: Callable[[], Any] | None = None) -> Any:
        """Does one step; ``half`` does a part of it, where a part can be done."""
        self._count += self._is_counting
        if self._count != self._number:
            return do(*args)
        self._count += 1  # what strikes strikes once
        if self._moment == 'middle' and half is not None:
            half()
        elif self._moment == 'after':
            do(*args)
        return self._strike()

    def _strike(self) -> None:
        if isinstance(self._does, type):
            raise self._does('a planted fault')
        self._does()


class System:
    """The module ``os`` as the local storage sees it: each change of the disk is a step."""

    def __init__(self, steps: SystemSteps) -> None:
        self._take = steps.take

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def mkdir(self, path: str) -> None:
        self._take(os.mkdir, path)

    def open(self, *args: Any) -> Any:
        return self._take(os.open, *args)

    def write(self, descriptor: int, data: bytes) -> Any:
        return self._take(os.write, descriptor, data, half=lambda: os.write(descriptor, data[: len(data) // 2]))

    def fsync(self, descriptor: int) -> None:
        self._take(os.fsync, descriptor)

    def rename(self, source: str, target: str) -> None:
        self._take(os.rename, source, target)

    def unlink(self, path: str) -> None:
        self._take(os.unlink, path)

    def rmdir(self, path: str) -> None:
        self._take(os.rmdir, path)


def database_in_steps(steps: SystemSteps) -> type[sqlite3.Connection]:
    """A connection whose every statement, COMMIT and ROLLBACK is a step."""

    class Cursor(sqlite3.Cursor):
        def execute(self, *args: Any) -> Any:
            return steps.take(super().execute, *args)

        def executemany(self, *args: Any) -> Any:
            return steps.take(super().executemany, *args)

    class Connection(sqlite3.Connection):
        def cursor(self, *args: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            steps.take(super().commit)

        def rollback(self) -> None:
            steps.take(super().rollback)

    return Connection
