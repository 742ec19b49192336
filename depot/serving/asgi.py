"""The answer to a request, in the words of ASGI; no event loop waits for a storage."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from ..errors import StorageFailure
from ..threads import Outcome, Threads, attempt
from .body import close_file
from .delivery import Delivery, said
from .request import Request
from .response import Headers, plain
from .server import FileServer

T = TypeVar('T')

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: How many threads a process has for all its requests. None waits for a client.
THREADS = 32

#: Bytes that are read and sent at a time. A slow client has so many waiting for it in memory.
BLOCK_SIZE = 32 * 1024

_threads = Threads(THREADS, 'depot-serving')


async def answer(server: FileServer, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a GET or HEAD for the file at ``storage/id``; returns when the file is closed.

    Raises what a storage raises that fails: when the answer has begun, the server breaks the connection.
    """
    content = await _in_thread(
        _begin, server, path, scope, Origin(scope, asyncio.get_running_loop()), undo=_Content.close
    )
    try:
        await _send(content, receive, send)
    finally:
        if not content.is_closed:
            await _in_thread(content.close)


def _begin(server: FileServer, path: str, scope: Scope, origin: Origin) -> _Content:
    query = bytes(scope.get('query_string', b'')).decode('latin-1')
    return _Content(server.answer(path, query, request_of(scope), origin))


class _Content:
    """What is sent, block by block; the first one has been read."""

    def __init__(self, delivery: Delivery) -> None:
        self.start = _start(delivery.status, delivery.headers)
        self._body = delivery.body
        self._left = _length(delivery.headers)
        self.is_closed = False
        self.block, self.has_more = b'', True
        self.read()

    def read(self) -> None:
        """Reads the next block, and closes the file after the last one, or when it fails."""
        try:
            self.block, self.has_more = self._next()
            if not self.has_more:
                self.close()
        except BaseException:
            self.close()
            raise

    def _next(self) -> tuple[bytes, bool]:
        """A block, and whether others follow; without a known length that is found out by one that is empty."""
        if isinstance(self._body, bytes):
            return self._body, False
        block = self._body.read(BLOCK_SIZE)
        if self._left is None:
            return block, bool(block)
        if self._left and not block:
            raise StorageFailure(f'a stored file ended {self._left} bytes before its end')
        self._left = max(0, self._left - len(block))
        return block, self._left > 0

    def close(self) -> None:
        """Closes the file, once."""
        if not self.is_closed:
            self.is_closed = True
            close_file(self._body)  # of which plain bytes have nothing to close


async def _send(content: _Content, receive: Receive, send: Send) -> None:
    """Sends all, or as much as the client waits for."""
    await send(content.start)
    await send(_message(content))
    if not content.has_more:
        return
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        while content.has_more and not gone.done():
            await _in_thread(content.read)
            await send(_message(content))
    finally:
        gone.cancel()
        await asyncio.wait([gone])


async def _until_gone(receive: Receive) -> None:
    """Returns when the client has gone; what it has still to say, a body of the request, is nothing to us."""
    while (await receive())['type'] != 'http.disconnect':
        pass


def _start(status: HTTPStatus, headers: Headers) -> Message:
    fields = [(name.lower().encode('latin-1'), value.encode('latin-1')) for name, value in headers]
    return {'type': 'http.response.start', 'status': status.value, 'headers': fields}


def _message(content: _Content) -> Message:
    return {'type': 'http.response.body', 'body': content.block, 'more_body': content.has_more}


def _length(headers: Headers) -> int | None:
    return next((int(value) for name, value in headers if name == 'Content-Length'), None)


# -- what is asked


def request_path(scope: Scope) -> str:
    """The path below the application. It has the ``root_path`` at its front, but from servers of old."""
    path: str = scope['path']
    root: str = scope.get('root_path', '').rstrip('/')
    return path[len(root) :] if path == root or path.startswith(f'{root}/') else path


def request_of(scope: Scope) -> Request:
    """What of the request decides the answer."""
    fields: dict[str, str] = {}
    for name, value in scope['headers']:
        field, said = bytes(name).decode('latin-1'), bytes(value).decode('latin-1')
        fields[field] = f'{fields[field]}, {said}' if field in fields else said
    return Request.of(scope['method'], fields.get)


class Origin(NamedTuple):
    """Where a request came from, for the functions of the application: plain ones are called by a thread."""

    scope: Scope
    loop: asyncio.AbstractEventLoop


def for_threads(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes of a function that takes a scope, ``async`` or not, one for a thread, that takes an :class:`Origin`."""

    def call(origin: Origin, *args: Any) -> Any:
        result = function(origin.scope, *args)
        if not inspect.isawaitable(result):
            return result
        return asyncio.run_coroutine_threadsafe(_awaited(result), origin.loop).result()

    return call


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


# -- threads


async def _in_thread(function: Callable[..., T], *args: Any, undo: Callable[[T], object] | None = None) -> T:
    """Calls the function in a thread, with the context variables of the caller.

    A cancellation waits until it is done, has ``undo`` called with what it returned, and is raised then. What no
    thread has begun is never done.
    """
    work: Future[Outcome[T]] = _threads.submit(contextvars.copy_context().run, attempt, function, *args)
    cancelled = None
    while not work.done():
        try:
            await asyncio.wrap_future(work)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return work.result().get()
    if undo is not None and not work.cancelled() and work.result().error is None:
        await _in_thread(undo, work.result().get())
    raise cancelled


# -- the application where there is none


async def no_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Knows nothing of any path, and nothing of websockets."""
    if scope['type'] == 'http':
        await _send(_Content(said(plain(HTTPStatus.NOT_FOUND), scope['method'])), receive, send)
    elif scope['type'] == 'websocket':
        await send({'type': 'websocket.close'})
    elif scope['type'] == 'lifespan':
        for _ in range(2):
            event = await receive()
            await send({'type': f'{event["type"]}.complete'})
