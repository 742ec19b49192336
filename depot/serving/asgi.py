"""The answer to a request, in the words of ASGI; no event loop waits for a storage."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable
from http import HTTPStatus

from .body import BLOCK_SIZE, close_file
from .delivery import Delivery, said
from .in_threads import in_thread
from .renditions import Pending
from .response import Headers, plain
from .scope import Message, Receive, Scope, Send, request_of, request_query, sends_by_path
from .server import Answer, FileServer, Undecided


async def answer(
    server: FileServer, path: str, scope: Scope, receive: Receive, send: Send, pathsend: bool = False
) -> None:
    """Answers a GET or HEAD for the file at ``storage/id``; returns when the file is closed.

    Raises what a storage raises that fails. If the answer has begun, the server breaks the connection then.
    """
    by_path = pathsend and sends_by_path(scope)
    ask = functools.partial(server.answer, path, request_query(scope), request_of(scope), scope)
    begun = await in_thread(_begin, ask, by_path, undo=_undo)
    while isinstance(begun, Undecided):
        begun = await _decided(begun, by_path)
    content = await _waited(begun, by_path) if isinstance(begun, Pending) else begun
    try:
        await _send(content, receive, send)
    finally:
        if not content.is_closed:
            await in_thread(content.close)


def _begin(ask: Callable[[], Answer], by_path: bool) -> _Begun:
    answer = ask()
    return _content(answer, by_path) if isinstance(answer, Delivery) else answer


def _undo(begun: _Begun) -> None:
    if not isinstance(begun, Pending):
        begun.close()


async def _decided(undecided: Undecided, by_path: bool) -> _Begun:
    """What is answered by what the application says; no thread waits for that, but the request itself."""
    try:
        said = await undecided.said
        return await in_thread(_begin, functools.partial(undecided.answer, said), by_path, undo=_undo)
    except BaseException:
        await in_thread(undecided.close)
        raise


async def _waited(pending: Pending, by_path: bool) -> _Content:
    """The answer when its rendition is made, or the time is over; no thread waits for that, but the event loop."""
    await asyncio.wait([asyncio.wrap_future(pending.making)], timeout=pending.seconds)
    return await in_thread(lambda: _content(pending.answer(), by_path), undo=_Content.close)


def _content(delivery: Delivery, by_path: bool) -> _Content:
    content = _Content(delivery)
    local_path = _local_path(delivery) if by_path else None
    if local_path is None:
        content.read()
    else:
        content.leave_to_server(local_path)
    return content


def _local_path(delivery: Delivery) -> str | None:
    """Where the body is on this machine's disk, if it is all of a file that is on one."""
    path = getattr(delivery.body, 'local_path', None) if delivery.status is HTTPStatus.OK else None
    return path if path and os.path.isfile(path) else None  # which a replace that was cut off has set aside


class _Content:
    """The messages of an answer; threads read a block for each of those that have one."""

    def __init__(self, delivery: Delivery) -> None:
        self.start = _start(delivery.status, delivery.headers)
        #: What is to be sent next.
        self.message: Message = {}
        #: Whether others will follow it.
        self.has_more = True
        self.is_closed = False
        self._body = delivery.body
        self._left = _length(delivery.headers)

    def read(self) -> None:
        """Reads the next block, and closes the file after the last one, or when it fails."""
        try:
            block, self.has_more = self._next()
            self.message = {'type': 'http.response.body', 'body': block, 'more_body': self.has_more}
            if not self.has_more:
                self.close()
        except BaseException:
            self.close()
            raise

    def _next(self) -> tuple[bytes, bool]:
        """A block, and whether others follow; where the length is unknown, an empty one is the last."""
        if isinstance(self._body, bytes):
            return self._body, False
        block = self._body.read(BLOCK_SIZE)
        if self._left is None:
            return block, bool(block)
        self._left -= len(block)  # a body is as long as was announced, or raises
        return block, self._left > 0

    def leave_to_server(self, path: str) -> None:
        """The server reads, instead."""
        self.message, self.has_more = {'type': 'http.response.pathsend', 'path': path}, False
        self.close()

    def close(self) -> None:
        """Closes the file, once."""
        if not self.is_closed:
            self.is_closed = True
            close_file(self._body)  # bytes have nothing to close


_Begun = _Content | Pending | Undecided


async def _send(content: _Content, receive: Receive, send: Send) -> None:
    """Sends all, or as much as the client waits for."""
    with contextlib.suppress(_Gone):
        await _to_client(send, content.start)
        await _to_client(send, content.message)
        if content.has_more:
            await _send_more(content, receive, send)


async def _send_more(content: _Content, receive: Receive, send: Send) -> None:
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        while content.has_more and not (gone.done() and gone.exception() is None):
            await in_thread(content.read)
            await _to_client(send, content.message)
    finally:
        gone.cancel()
        await asyncio.wait([gone])
        gone.cancelled() or gone.exception()  # which is nothing to us when all is sent


async def _until_gone(receive: Receive) -> None:
    """Returns when the client has gone; what it has still to say, the body of a request, is nothing to us.

    Some applications around this one say the same body again and again, whenever they are asked: they know of no end.
    """
    has_more = True
    while has_more:
        message = await receive()
        if message['type'] == 'http.disconnect':
            return
        has_more = message.get('more_body', False)
        await asyncio.sleep(0)  # others have their turn, whatever receive is
    if (await receive())['type'] != 'http.disconnect':
        await asyncio.Event().wait()


class _Gone(Exception):
    """The client has gone."""


async def _to_client(send: Send, message: Message) -> None:
    try:
        await send(message)
    except OSError as error:  # as ASGI has it since version 2.4 of its HTTP; older servers say nothing
        raise _Gone from error


def _start(status: HTTPStatus, headers: Headers) -> Message:
    fields = [(name.lower().encode('latin-1'), value.encode('latin-1')) for name, value in headers]
    return {'type': 'http.response.start', 'status': status.value, 'headers': fields}


def _length(headers: Headers) -> int | None:
    return next((int(value) for name, value in headers if name == 'Content-Length'), None)


async def no_application(scope: Scope, receive: Receive, send: Send) -> None:
    """The application where there is none: knows nothing of any path, and nothing of websockets."""
    if scope['type'] == 'http':
        content = _Content(said(plain(HTTPStatus.NOT_FOUND), scope['method']))
        content.read()
        await _send(content, receive, send)
    elif scope['type'] == 'websocket':
        await send({'type': 'websocket.close'})
    elif scope['type'] == 'lifespan':
        for _ in range(2):  # it begins, and it ends
            await send({'type': f'{(await receive())["type"]}.complete'})
