"""Threads for what would block an event loop."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

T = TypeVar('T')


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What a function returned or raised. Futures of asyncio cannot hold every error."""

    value: T | None = None
    error: BaseException | None = None

    def get(self) -> T:
        """The value; raises the error if there is one."""
        if self.error is None:
            return cast(T, self.value)
        try:
            raise self.error
        finally:
            del self  # else the error would hold, by its traceback, itself


def attempt(function: Callable[..., T], *args: Any) -> Outcome[T]:
    """Calls the function; never raises."""
    try:
        return Outcome(function(*args))
    except BaseException as error:
        return Outcome(error=error)


class Threads:
    """So many threads for all event loops of a process; a forked child has its own.

    They are not a loop's own executor: that is the application's, which may be busy with what waits for us.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._begin()
        if hasattr(os, 'register_at_fork'):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._executor = ThreadPoolExecutor(self._count, self._name)  # which starts a thread when it needs one

    def submit(self, function: Callable[..., T], *args: Any) -> concurrent.futures.Future[T]:
        """Has a thread call the function."""
        try:
            return self._executor.submit(function, *args)
        except RuntimeError:  # the interpreter is about to exit and starts no threads: whoever waits, waits for us
            done: concurrent.futures.Future[T] = concurrent.futures.Future()
            done.set_result(function(*args))
            return done
