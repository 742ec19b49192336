"""Storage work under asyncio: threads do it, coroutines wait for it.

A cancellation never leaves half a work behind: it waits until what was begun
is done, and what was done is either returned or undone.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import functools
import os
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar, cast

from ..threads import Outcome, Threads, attempt

T = TypeVar('T')

#: How many threads a process has for all its event loops.
THREADS = 32
#: How many functions of one call are at work at the same time.
SIDE_BY_SIDE = 8


async def in_pool(function: Callable[..., T], *args: Any, undo: Callable[[T], object]) -> T:
    """Calls the function in a thread and returns what it does, with the context variables of the caller.

    A cancellation waits until the function is done, has ``undo`` called with
    what it returned, and is raised then.
    """
    results = await all_in_pool([functools.partial(function, *args)], lambda results: undo(results[0]))
    return results[0]


async def all_in_pool(functions: Iterable[Callable[[], T]], undo: Callable[[list[T]], object]) -> list[T]:
    """Calls the functions in threads, :data:`SIDE_BY_SIDE` at a time, and returns their results in order.

    After the first failure, or a cancellation, no more are begun; what the
    others returned is given to ``undo``, and the error raised.
    """
    begun, cancelled = await _begin_all(functions)
    outcomes = [each.result() for each in begun]
    done = [cast(T, each.value) for each in outcomes if each.error is None]
    if done and (cancelled or len(done) < len(outcomes)):
        (await finished(begin(undo, done))).get()
    if cancelled:
        raise cancelled
    return [each.get() for each in outcomes]


async def finished(work: asyncio.Future[T]) -> T:
    """Waits for the work and returns its result; a cancellation is raised by the next await after it."""
    cancelled = await _wait([work])
    if cancelled:
        task = cast('asyncio.Task[Any]', asyncio.current_task())
        task.get_loop().call_soon(_cancel_again, task, cancelled)
    return work.result()


async def uninterrupted(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine to its end, and only then lets a cancellation through, as :func:`finished` does."""
    task = asyncio.ensure_future(coroutine)
    # Who ends a loop cancels all tasks that are registered. This one is over when the one that waits for it is.
    asyncio.tasks._unregister_task(task)
    return await finished(task)


def begin(function: Callable[..., T], *args: Any) -> asyncio.Future[Outcome[T]]:
    """Has a thread call the function, with the context variables of the caller."""
    context = contextvars.copy_context()
    return asyncio.wrap_future(_threads.submit(context.run, attempt, function, *args))


async def _begin_all(
    functions: Iterable[Callable[[], T]],
) -> tuple[Sequence[asyncio.Future[Outcome[T]]], asyncio.CancelledError | None]:
    """Begins functions until one fails or the task is cancelled; returns when those that were begun are done."""
    begun: list[asyncio.Future[Outcome[T]]] = []
    running: set[asyncio.Future[Outcome[T]]] = set()
    cancelled = None
    try:
        for function in functions:
            if len(running) == SIDE_BY_SIDE:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                if any(each.result().error is not None for each in done):
                    break
            begun.append(begin(function))
            running.add(begun[-1])
    except asyncio.CancelledError as error:
        cancelled = asyncio.CancelledError(*error.args)
    return begun, await _wait(begun) or cancelled


async def _wait(works: Sequence[asyncio.Future[Any]]) -> asyncio.CancelledError | None:
    """Returns when all are done; and with what, if the task was cancelled meanwhile."""
    cancelled = None
    while not all(each.done() for each in works):
        try:
            await asyncio.wait(works)  # which cancels none of them
        except asyncio.CancelledError as error:
            cancelled = asyncio.CancelledError(*error.args)
    return cancelled


def _cancel_again(task: asyncio.Task[Any], cancelled: asyncio.CancelledError) -> None:
    """Runs while the task awaits something else, or is done."""
    if sys.version_info < (3, 11):
        task.cancel(*cancelled.args)
    elif task.cancelling():  # else the one that asked, as a timeout, has been left before this could be raised
        task.uncancel()  # this one was counted when it came
        task.cancel(*cancelled.args)


# -- the pool


_threads = Threads(THREADS, 'depot')

# What finalizers left to do. They may run in the middle of anything, also of ``submit``, which holds a lock then.
_left: deque[Callable[[], object]] = deque()


def leave(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Has a thread call the function as soon as the loop gets to it, or else at exit; holds no lock, and returns."""
    _left.append(function)
    loop.call_soon_threadsafe(_take_up, _threads.submit)


def _take_up(call: Callable[[Callable[[], object]], object]) -> None:
    while _left:
        call(_left.popleft())


atexit.register(_take_up, lambda function: function())
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_left.clear)  # it is its parent's to do
