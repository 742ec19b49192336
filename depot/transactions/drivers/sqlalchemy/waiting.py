"""How the storages are waited for: under asyncio the event loop goes on meanwhile.

SQLAlchemy's asyncio runs its own synchronous code, and so ours, in a greenlet
that can await. There the work is done by threads. Anywhere else it is simply
called, which costs nothing: this module imports neither asyncio nor greenlet.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeVar, cast

T = TypeVar('T')


def run(function: Callable[..., T], *args: Any) -> T:
    """Calls a function that may take long; under asyncio in a thread, with the caller's context variables.

    Raises what the function raises. A cancellation waits until the function is
    done; its result is returned as ever, so that no file is forgotten, and the
    cancellation is raised by the next await: at the latest by :func:`checkpoint`.
    """
    if not _in_greenlet():
        return function(*args)
    from ... import threads

    return _await(threads.finished(threads.begin(function, *args))).get()


def run_all(functions: Iterable[Callable[[], T]], undo: Callable[[list[T]], object]) -> list[T]:
    """Calls functions that may take long, in order; under asyncio side by side, a few at a time.

    All or none: when one fails, or a cancellation comes, no more are begun, the
    results of those that did not fail are given to ``undo`` (unless there are
    none), and the first error is raised.
    """
    if not _in_greenlet():
        return _one_after_the_other(functions, undo)
    from ... import threads

    return _await(threads.all_in_pool(functions, undo))


def shielded(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Calls a function of SQLAlchemy's that awaits, such as COMMIT; no cancellation interrupts it.

    One that comes meanwhile is raised by the next await after it, as by :func:`run`.
    """
    if not _in_greenlet():
        return function(*args, **kwargs)
    from ....threads import Outcome, attempt
    from ... import threads

    call = partial(function, *args, **kwargs)
    spawned: Coroutine[Any, Any, Outcome[T]] = _concurrency().greenlet_spawn(attempt, call)
    return _await(threads.uninterrupted(spawned)).get()


def checkpoint() -> None:
    """Raises the cancellation that came while a function ran, if one did; to be called where that does no harm."""
    if _in_greenlet():
        import asyncio

        _await(asyncio.sleep(0))


def aside(function: Callable[..., object], *args: Any) -> None:
    """Calls a function that may take long, and must not raise, for a finalizer: that may run in the middle of anything.

    On a thread whose event loop is running, a thread is to do it, and nothing
    waits; at the latest when the process exits it is done.
    """
    loop = _running_loop()
    if loop is None:
        function(*args)
        return
    from ... import threads

    threads.leave(loop, partial(function, *args))


def _one_after_the_other(functions: Iterable[Callable[[], T]], undo: Callable[[list[T]], object]) -> list[T]:
    results: list[T] = []
    try:
        for function in functions:
            results.append(function())
    except BaseException:
        if results:
            undo(results)
        raise
    return results


def _in_greenlet() -> bool:
    """Whether this runs where SQLAlchemy can await; nobody is in a greenlet who has not imported it."""
    return bool(sys.modules.get('greenlet') and _concurrency().in_greenlet())


def _await(awaitable: Awaitable[T]) -> T:
    concurrency = _concurrency()
    # SQLAlchemy 2.1 has a new name for it, and will deprecate the old one.
    name = 'await_' if hasattr(concurrency, 'await_') else 'await_only'
    return cast(T, getattr(concurrency, name)(awaitable))


def _concurrency() -> Any:
    return sys.modules['sqlalchemy.util.concurrency']


def _running_loop() -> Any:
    running_loop = getattr(sys.modules.get('asyncio'), '_get_running_loop', None)
    return running_loop and running_loop()
