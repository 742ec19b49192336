"""Work of requests that would block an event loop, done by threads."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from ..threads import Outcome, Threads, attempt
from .scope import Scope

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


class Origin(NamedTuple):
    """Where a request came from: what a thread needs to ask the application about it."""

    scope: Scope
    loop: asyncio.AbstractEventLoop


def asked_by_threads(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes of a function that takes a scope, ``async`` or not, one for threads, which takes an :class:`Origin`.

    The event loop runs what is ``async``; a thread waits for it.
    """

    def ask(origin: Origin, *args: Any) -> Any:
        result = function(origin.scope, *args)
        if not inspect.isawaitable(result):
            return result
        return asyncio.run_coroutine_threadsafe(_awaited(result), origin.loop).result()

    return ask


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable
