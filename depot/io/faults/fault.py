"""What goes wrong, and when."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Union

from ...errors import ConfigurationError, StorageFailure

#: What a fault does: raises an error, or calls something.
Action = Union[BaseException, type[BaseException], Callable[[], object]]

#: The moments of an operation. The last is when it was done, and before its answer has come back.
MOMENTS = ('before', 'middle', 'after')

#: The operations that can be half done, seen from outside.
DIVISIBLE = ('create', 'replace', 'put_derived', 'delete_many', 'sync', 'iter_ids')

_WHOLE = ('get', 'read', 'open_range', 'exists', 'list', 'delete', 'clean', 'url', 'version')
_WHOLE_OF_DERIVED = ('get_derived', 'delete_derived')

#: What is counted. ``read`` is each reading of a file that ``get``, ``get_derived`` or ``open_range`` returned.
OPERATIONS = (*DIVISIBLE, *_WHOLE, *_WHOLE_OF_DERIVED)


class Step(NamedTuple):
    """One moment of one operation."""

    operation: str
    #: ``before``, ``middle`` or ``after``.
    when: str

    def __str__(self) -> str:
        return f'in the middle of {self.operation}' if self.when == 'middle' else f'{self.when} {self.operation}'


class Fault:
    """Something that goes wrong: at the ``nth`` step of a kind, and then ``times`` times in a row.

    ``operation`` and ``when`` say which steps count; None stands for any. ``times=None`` is for ever.

    ``does`` is an exception to raise, or a class of them (KeyboardInterrupt, SystemExit and MemoryError too); or
    something to call: :func:`kill`, a :func:`delay`, the ``wait`` of an event.

    One fault may be set in several storages, and then counts the steps of all. It is safe under threads.

    Raises :class:`~depot.errors.ConfigurationError` for a step that there cannot be.
    """

    def __init__(
        self,
        operation: str | None = None,
        when: str | None = 'before',
        *,
        nth: int = 1,
        times: int | None = 1,
        does: Action = StorageFailure,
    ) -> None:
        _check('operation', operation, DIVISIBLE if when == 'middle' else OPERATIONS)
        _check('moment', when, MOMENTS)
        self._operation = operation
        self._when = when
        self._nth = nth
        self._times = times
        self._does = does
        self._lock = threading.RLock()  # reentrant: the garbage collector may delete a file in between
        #: How many steps of its kind there were.
        self.met = 0
        #: How often it did what it does.
        self.fired = 0

    def meet(self, step: Step) -> None:
        """Does what it does, if it is the step for it; a storage calls this at each of its steps."""
        if self._is_due(step):
            _act(self._does, step)

    def _is_due(self, step: Step) -> bool:
        if self._operation not in (None, step.operation) or self._when not in (None, step.when):
            return False
        with self._lock:
            self.met += 1
            due = self.met >= self._nth and (self._times is None or self.fired < self._times)
            self.fired += due
        return due

    def __repr__(self) -> str:
        step = f'{self._operation!r}, {self._when!r}, nth={self._nth}, times={self._times}'
        return f'<Fault {step} met={self.met} fired={self.fired}>'


def _check(what: str, word: str | None, known: tuple[str, ...]) -> None:
    if word is not None and word not in known:
        raise ConfigurationError(f'no fault can be at the {what} {word!r}; choose from {", ".join(known)}')


def _act(does: Action, step: Step) -> None:
    if isinstance(does, BaseException):
        raise does
    if isinstance(does, type) and issubclass(does, BaseException):
        raise does(f'this is a fault {step}, as it was asked for')
    does()


def delay(seconds: float) -> Callable[[], object]:
    """Something for a fault to do: it lets the caller wait."""
    return functools.partial(time.sleep, seconds)


def kill() -> None:
    """Something for a fault to do: it ends this process at once, as ``kill -9`` does."""
    os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))  # Windows has one way to kill, whatever the signal


def every_step(does: Action = StorageFailure) -> Iterator[Fault]:
    """Faults at the first step of all, at the second, the third …, until one that never fired.

    So the last one leaves a scenario untouched. What is looked at afterwards is no part of it: look through the
    wrapped storage, ``faulty.storage``. Where the steps are made in another process, tell by ``fault.fired = 1``
    that it was hit.
    """
    for nth in itertools.count(1):
        fault = Fault(when=None, nth=nth, does=does)
        yield fault
        if not fault.fired:
            return
