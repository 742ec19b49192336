"""A client that calls an ASGI application as a strict server does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .client import Answer

Message = Mapping[str, Any]


def http_scope(path: str = '/', method: str = 'GET', headers: Any = (), **changes: Any) -> dict[str, Any]:
    """What a server says of a request."""
    return {
        'type': 'http',
        'asgi': {'version': '3.0', 'spec_version': '2.3'},
        'http_version': '1.1',
        'method': method,
        'scheme': 'http',
        'path': path,
        'root_path': '',
        'query_string': b'',
        'headers': [(name.lower().encode('latin-1'), value.encode('latin-1')) for name, value in headers],
        'client': ('127.0.0.1', 1024),
        'server': ('127.0.0.1', 80),
        **changes,
    }


class Connection:
    """One request and its answer; it is an error if the application breaks the rules of ASGI.

    ``on_send`` is called before each message is taken: it may wait, or raise.
    """

    def __init__(self, scope: Mapping[str, Any], on_send: Callable[[Message], Awaitable[None]] | None = None) -> None:
        self.scope = scope
        self.sent: list[Message] = []
        self.is_complete = False
        self.gone = asyncio.Event()
        self._on_send = on_send
        self._was_asked = False

    async def call(self, app: Any) -> None:
        assert await app(self.scope, self.receive, self.send) is None

    async def receive(self) -> Message:
        if not self._was_asked:
            self._was_asked = True
            return {'type': 'http.request', 'body': b'', 'more_body': False}
        await self.gone.wait()
        return {'type': 'http.disconnect'}

    async def send(self, message: Message) -> None:
        if self._on_send is not None:
            await self._on_send(message)
        self._check(message)
        self.sent.append(message)

    def _check(self, message: Message) -> None:
        assert not self.is_complete, 'sent more than the answer'
        if not self.sent:
            assert message['type'] == 'http.response.start'
            assert type(message['status']) is int
            for name, value in message['headers']:
                assert type(name) is bytes
                assert type(value) is bytes
                assert name == name.lower()
                assert not {*b'\r\n\0'} & {*name, *value}
        elif message['type'] == 'http.response.pathsend':
            assert message['type'] in self.scope['extensions']
            self.is_complete = True
        else:
            assert message['type'] == 'http.response.body'
            assert type(message['body']) is bytes
            self.is_complete = not message['more_body']
            self._check_length()

    def _check_length(self) -> None:
        length = self.headers.get('content-length')
        if self.is_complete and length is not None and self.scope['method'] != 'HEAD' and self.sent[0]['status'] != 304:
            assert len(self.body) <= int(length)

    @property
    def headers(self) -> dict[str, str]:
        fields = [(name.decode('latin-1'), value.decode('latin-1')) for name, value in self.sent[0]['headers']]
        assert len({name for name, _ in fields}) == len(fields)
        return dict(fields)

    @property
    def body(self) -> bytes:
        return b''.join(each['body'] for each in self.sent[1:])

    @property
    def answer(self) -> Answer:
        assert self.is_complete
        return Answer(self.sent[0]['status'], self.headers, self.body)


def ask(app: Any, path: str = '/', method: str = 'GET', headers: Any = (), **changes: Any) -> Answer:
    """The application's answer."""

    async def main() -> Answer:
        connection = Connection(http_scope(path, method, headers, **changes))
        await connection.call(app)
        return connection.answer

    return asyncio.run(main())
