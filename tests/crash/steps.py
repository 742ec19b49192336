"""The steps of one process, counted; at one of them a fault strikes."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from typing import Any, Protocol

import psycopg
from sqlalchemy import Engine

from depot.io.disk import contents, folder, system, turns, writing
from depot.io.faults import Fault, kill

from .engines import WATCHERS

#: When, at its step, a fault strikes. For a kill, after one step is before the next.
MOMENTS = ['before', 'middle', 'after']


class Failed(Exception):
    """An error that nobody foresees."""


def die(*_: object) -> None:
    """As ``kill -9`` from outside."""
    kill()


def disconnect(asked: Any = None, *_: object) -> None:
    """The connection to the server is lost; where it is the disk that was asked, that fails."""
    connection = getattr(asked, 'connection', getattr(asked, 'dbapi_connection', None))
    if connection is None:
        raise OSError(errno.EIO, 'a planted fault')
    connection.close()
    raise psycopg.OperationalError('a planted fault')


#: What a fault does, by its name.
FAULTS: dict[str, Any] = {'kill': die, 'error': Failed, 'interrupt': KeyboardInterrupt, 'memory': MemoryError}


class Steps(Protocol):
    """Some steps of a process, of which one strikes."""

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong in the storage."""

    def begin(self) -> None:
        """Counts from now on, in this process."""

    @property
    def is_reached(self) -> bool:
        """Whether it came to the step that strikes."""


class StorageSteps:
    """The operations of the storage: before, in the middle of, and after each."""

    def __init__(self, number: int, fault: str) -> None:
        self._fault = Fault(when=None, nth=number, does=FAULTS[fault])
        self.faults = [self._fault]

    def begin(self) -> None:
        pass

    @property
    def is_reached(self) -> bool:
        return bool(self._fault.fired)


class SystemSteps:
    """What the local storage asks of the operating system and the application of the database, in their order."""

    def __init__(self, number: int, fault: str, moment: str) -> None:
        self._number = number
        self._does = disconnect if fault == 'disconnect' else FAULTS[fault]
        self._moment = moment
        self._count = 0
        self.faults: list[Fault] = []

    def begin(self) -> None:
        WATCHERS.append(self._watch)
        for module in contents, folder, system, turns, writing:
            module.os = System(self)  # type: ignore[attr-defined]

    def _watch(self, engine: Engine) -> None:
        """Makes all that is sent to a database a step. The library, which comes later, listens outside of this."""
        for name in 'do_execute', 'do_executemany', 'do_execute_no_params', 'do_commit', 'do_rollback':
            setattr(engine.dialect, name, functools.partial(self.take, getattr(engine.dialect, name)))

    @property
    def is_reached(self) -> bool:
        return self._count >= self._number

    def take(self, do: Callable[..., Any], *args: Any, half: Callable[[], Any] | None = None) -> Any:
        """Does one step; ``half`` does a part of it, where a part can be done."""
        self._count += 1
        if self._count != self._number:
            return do(*args)
        self._count += 1  # what strikes strikes once
        if self._moment == 'middle' and half is not None:
            half()
        elif self._moment == 'after':
            do(*args)
        return self._strike(*args)

    def _strike(self, *args: Any) -> None:
        if isinstance(self._does, type):
            raise self._does('a planted fault')
        self._does(*args)


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
