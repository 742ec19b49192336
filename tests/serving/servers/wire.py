"""An HTTP/1.1 client over a bare socket, which sends what it is told and is strict in what it takes."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import NamedTuple

#: Seconds until a server that says nothing more is given up.
_PATIENCE = 120

# RFC 9112 section 4 and RFC 9110 sections 5.1 and 5.5: what a status line and a field line look like. Visible ASCII
# only: no header that we send needs anything else.
_STATUS_LINE = re.compile(rb'HTTP/1\.[01] ([1-5][0-9]{2}) ([\t -~]*)', re.ASCII)
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([!-~](?:[\t -~]*[!-~])?)?[ \t]*", re.ASCII)


class Malformed(Exception):
    """What came is no answer by the RFC."""


class Answer(NamedTuple):
    """One answer, and nothing after it."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The one value of this header; None if it was not sent."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f'{name} was sent {len(values)} times: {values}')
        return values[0] if values else None


def ask(port: int, method: bytes, target: bytes, lines: Sequence[bytes] = (), version: bytes = b'HTTP/1.1') -> Answer:
    """Sends one request as it stands and returns the answer.

    The server is asked to close the connection, so that whatever it sends after the answer is seen.
    Raises :class:`Malformed`.
    """
    with socket.create_connection(('127.0.0.1', port), _PATIENCE) as connection:
        connection.sendall(_request(port, method, target, [*lines, b'Connection: close'], version))
        return parsed(_all_of(connection), method)


def _request(port: int, method: bytes, target: bytes, lines: Sequence[bytes], version: bytes) -> bytes:
    head = [b'%s %s %s' % (method, target, version), b'Host: 127.0.0.1:%d' % port, *lines]
    return b'\r\n'.join(head) + b'\r\n\r\n'


class Connection:
    """One connection for many requests, as long as the server keeps it; then the next one.

    An answer that is longer than it says is taken for the start of the next one.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._data = b''
        #: How often a connection was made.
        self.count = 0

    def ask(self, method: bytes, target: bytes, lines: Sequence[bytes] = (), version: bytes = b'HTTP/1.1') -> Answer:
        """Sends a request and returns the answer. Raises :class:`Malformed`."""
        if self._socket is None:
            self._socket = socket.create_connection(('127.0.0.1', self._port), _PATIENCE)
            self.count += 1
        self._socket.sendall(_request(self._port, method, target, lines, version))
        answer = self._answer(self._socket, method)
        if (answer.header('Connection') or '').lower() == 'close':
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._data = None, b''

    def _answer(self, connection: socket.socket, method: bytes) -> Answer:
        while b'\r\n\r\n' not in self._data:
            self._receive(connection)
        head, _, self._data = self._data.partition(b'\r\n\r\n')
        answer = _head(head)
        length = 0 if _is_bare(answer, method) else _number(answer.header('Content-Length') or 'absent')
        while len(self._data) < length:
            self._receive(connection)
        body, self._data = self._data[:length], self._data[length:]
        return answer._replace(body=body)

    def _receive(self, connection: socket.socket) -> None:
        piece = connection.recv(1 << 18)
        if not piece:
            raise Malformed(f'the connection ended after {self._data[:100]!r}')
        self._data += piece


def _is_bare(answer: Answer, method: bytes) -> bool:
    """Whether nothing follows the head, whatever its headers say: RFC 9112 section 6.3."""
    return method == b'HEAD' or answer.status in (204, 304)


def _all_of(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1 << 18):
        pieces.append(piece)
    return b''.join(pieces)


def parsed(data: bytes, method: bytes) -> Answer:
    """The answer that these bytes are, all of them."""
    head, border, rest = data.partition(b'\r\n\r\n')
    if not border:
        raise Malformed(f'no head: {data[:200]!r}')
    answer = _head(head)
    return answer._replace(body=_body(answer, rest, method))


def _head(head: bytes) -> Answer:
    first, *lines = head.split(b'\r\n')
    status_line = _STATUS_LINE.fullmatch(first)
    if not status_line:
        raise Malformed(f'no status line: {first!r}')
    return Answer(int(status_line[1]), [_field(each) for each in lines], b'')


def _field(line: bytes) -> tuple[str, str]:
    match = _FIELD_LINE.fullmatch(line)
    if not match:
        raise Malformed(f'no field line: {line!r}')
    return match[1].decode(), (match[2] or b'').decode()


def _body(answer: Answer, rest: bytes, method: bytes) -> bytes:
    """RFC 9112 section 6.3, of which the connection's end is the last resort: then the length is not known."""
    length, coding = answer.header('Content-Length'), answer.header('Transfer-Encoding')
    if _is_bare(answer, method):
        body, left = b'', rest
    elif coding is not None:
        if coding.lower() != 'chunked' or length is not None:
            raise Malformed(f'Transfer-Encoding {coding!r} with Content-Length {length!r}')
        body, left = _unchunked(rest)
    elif length is not None:
        body, left = rest[: _number(length)], rest[_number(length) :]
        if len(body) < _number(length):
            raise Malformed(f'{len(body)} bytes of {length}')
    else:
        body, left = rest, b''
    if left:
        raise Malformed(f'{len(left)} bytes after the answer: {left[:100]!r}')
    return body


def _number(text: str) -> int:
    if not re.fullmatch('[0-9]{1,18}', text):
        raise Malformed(f'Content-Length: {text}')
    return int(text)


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    """RFC 9112 section 7.1, without extensions and trailers: nobody here has any."""
    pieces: list[bytes] = []
    while True:
        size, border, rest = rest.partition(b'\r\n')
        if not border or not re.fullmatch(b'[0-9A-Fa-f]{1,8}', size):
            raise Malformed(f'no chunk: {size[:40]!r}')
        length = int(size, 16)
        piece, end, rest = rest[:length], rest[length : length + 2], rest[length + 2 :]
        if end != b'\r\n' or len(piece) < length:
            raise Malformed('a chunk is cut')
        if not length:
            return b''.join(pieces), rest
        pieces.append(piece)
