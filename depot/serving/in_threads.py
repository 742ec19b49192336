"""Work of requests that would block an event loop, done by threads."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..threads import Outcome, Threads, attempt

T = TypeVar('T')

#: How many threads a process has for all its requests. None waits for a client.
THREADS = 32

_threads = Threads(THREADS, 'depot-serving')


async def in_thread(function: Callable[..., T], *args: Any, undo: Callable[[T], object] | None = None) -> T:
    """Calls the function in a thread and returns what it does, with the context variables of the caller.

    A cancellation waits until it is done, has ``undo`` called with what it returned, and is raised then. What no
    thread has begun is not done at all.
    """
    work: Future[Outcome[T]] = _threads.submit(contextvars.copy_context().run, attempt, function, *args)
    cancelled = None
    while not work.done():
        try:
            await asyncio.wrap_future(work)
        except asyncio.CancelledError as error:
            cancelled = asyncio.CancelledError(*error.args)
    if cancelled is None:
        return work.result().get()
    if undo is not None and not work.cancelled() and work.result().error is None:
        await in_thread(undo, work.result().get())
    raise cancelled
