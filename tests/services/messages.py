"""Where the messages of a protocol begin and end in the bytes of a connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator

#: Takes bytes whenever there are some.
Parsing = Generator[None, bytes, bytes]

#: Told before anything of the answer itself; more than that may follow (RFC 9110 section 15.2).
_INTERIM = b'1'


class Messages(ABC):
    """One direction of a connection, on which each message follows the answer to the one before."""

    def __init__(self) -> None:
        #: How many messages have begun.
        self.begun = 0
        #: How many are complete.
        self.ended = 0
        #: How many bytes have come,
        self.fed = 0
        #: and how many of them to the end of the last message's head.
        self.head_end = 0
        self._buffer = b''
        self._parsing = self._parse()
        next(self._parsing)

    def feed(self, data: bytes) -> None:
        """Takes the bytes that have come."""
        self.fed += len(data)
        self._parsing.send(data)

    def _parse(self) -> Generator[None, bytes, None]:
        while True:
            if not self._buffer:
                self._buffer = yield
            self.begun += 1
            yield from self._message()
            self.ended += 1

    @abstractmethod
    def _message(self) -> Generator[None, bytes, None]:
        """Takes the bytes of one message."""

    def _until(self, mark: bytes) -> Parsing:
        while mark not in self._buffer:
            self._buffer += yield
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def _take(self, size: int) -> Parsing:
        while len(self._buffer) < size:
            self._buffer += yield
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _end_head(self) -> None:
        self.head_end = self.fed - len(self._buffer)

    def _skip(self, size: int) -> Generator[None, bytes, None]:
        while len(self._buffer) < size:
            size -= len(self._buffer)
            self._buffer = yield
        self._buffer = self._buffer[size:]


class HttpRequests(Messages):
    """Requests of HTTP/1.1; what ends a message is in RFC 9112 section 6."""

    def __init__(self) -> None:
        #: Of the last request.
        self.method = b''
        #: Whether the last one waits for a word of the server before it goes on.
        self.waits = False
        super().__init__()

    def _message(self) -> Generator[None, bytes, None]:
        head = yield from self._until(b'\r\n\r\n')
        self.method = head.partition(b' ')[0]
        headers = _headers(head)
        self._end_head()
        self.waits = headers.get(b'expect', b'').lower() == b'100-continue'
        yield from self._body(headers)

    def _body(self, headers: dict[bytes, bytes]) -> Generator[None, bytes, None]:
        if headers.get(b'transfer-encoding', b'').lower() == b'chunked':
            yield from self._chunks()
        else:
            yield from self._skip(int(headers.get(b'content-length', b'0')))

    def _chunks(self) -> Generator[None, bytes, None]:
        while size := int((yield from self._until(b'\r\n')).partition(b';')[0], 16):
            yield from self._skip(size + len(b'\r\n'))
        while (yield from self._until(b'\r\n')):
            pass  # a trailer


class HttpResponses(HttpRequests):
    """The answers to them."""

    def __init__(self, requests: HttpRequests) -> None:
        self._requests = requests
        super().__init__()

    def _message(self) -> Generator[None, bytes, None]:
        status = _INTERIM
        while status.startswith(_INTERIM):
            head = yield from self._until(b'\r\n\r\n')
            status = head.split(b' ', 2)[1]
        self._end_head()
        if self._requests.method != b'HEAD' and status not in {b'204', b'304'}:
            yield from self._body(_headers(head))


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b':') for line in head.split(b'\r\n')[1:])
    return {name.strip().lower(): value.strip() for name, _colon, value in lines}


class MongoMessages(Messages):
    """Messages of MongoDB's wire protocol: the first four of the 16 bytes of a head are its length, little-endian."""

    waits = False

    def _message(self) -> Generator[None, bytes, None]:
        head = yield from self._take(16)
        self._end_head()
        yield from self._skip(int.from_bytes(head[:4], 'little') - len(head))


class Http:
    """What a proxy knows of HTTP."""

    #: The answer of a server that is too busy.
    refusal: bytes | None = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

    def __init__(self) -> None:
        self.requests: HttpRequests = HttpRequests()
        self.responses = HttpResponses(self.requests)

    def counts(self, beginning: bytes) -> bool:
        """Whether a request that begins so is one of the application's."""
        return True


class Mongo:
    """What a proxy knows of MongoDB's wire protocol, which has no answer for a server that is too busy."""

    refusal: bytes | None = None

    def __init__(self) -> None:
        self.requests = MongoMessages()
        self.responses = MongoMessages()

    def counts(self, beginning: bytes) -> bool:
        """Not those by which the driver looks, in a thread of its own, who is there."""
        return not any(command in beginning[:64].lower() for command in (b'hello', b'ismaster'))
