"""Contents for the storage contract: streams that come in pieces, that fail, that are large; uploads of frameworks."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Iterator
from typing import Any

from ..interfaces import StoredFile
from ..utils import Readable

#: Every byte there is, line ends among them.
SAMPLE = bytes(range(256)) * 40


class Interrupted(Exception):
    """What a failing stream raises."""


class ShortReads:
    """A stream that cannot seek, and gives less than it is asked for, as a socket does."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 7) if size >= 0 else -1)


class FailingStream:
    """A stream that fails after its first bytes."""

    def __init__(self, data: bytes = SAMPLE, error: BaseException | None = None) -> None:
        self._data = io.BytesIO(data)
        self._error = error or Interrupted('the client went away')

    def read(self, size: int = -1) -> bytes:
        block = self._data.read(size)
        if not block:
            raise self._error
        return block


class LargeStream:
    """A stream of ``size`` bytes that are never all in memory."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._pattern = random.Random(size).randbytes(1_000_003)  # prime, so that pieces do not repeat

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        start = self._left % len(self._pattern)
        block = self._pattern[start : start + size]
        self._left -= len(block)
        return block


class FarFile(StoredFile):
    """A file of another storage, under whatever id."""

    def __init__(self, file_id: str, data: bytes, filename: str = 'far.txt', content_type: str = 'text/plain') -> None:
        super().__init__(file_id, filename, content_type, content_length=len(data))
        self._data = io.BytesIO(data)

    def read(self, n: int = -1) -> bytes:
        return self._data.read(n)

    def close(self) -> None:
        self._data.close()

    @property
    def closed(self) -> bool:
        return self._data.closed


class Upload:
    """What ``cgi.FieldStorage`` and its look-alikes have; Starlette's and multipart's uploads too."""

    def __init__(self, file: Any, filename: str | None, type: str | None = None) -> None:
        self.file = file
        self.filename = filename
        self.type = type


class AsyncUpload:
    """Starlette's: its own ``read`` is a coroutine, the file inside is a plain one."""

    def __init__(self, file: Any, filename: str, content_type: str) -> None:
        self.file = file
        self.filename = filename
        self.content_type = content_type

    async def read(self, size: int = -1) -> Any: ...


class NamedUpload(io.BytesIO):
    """Django's: a file with a ``name`` and a ``content_type``."""

    def __init__(self, data: bytes, name: str, content_type: str) -> None:
        super().__init__(data)
        self.name = name
        self.content_type = content_type


class WrappingUpload:
    """Werkzeug's: a ``stream`` whose methods it lends, and a ``filename``."""

    def __init__(self, stream: Any, filename: str, content_type: str) -> None:
        self.stream = stream
        self.filename = filename
        self.content_type = content_type

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def pieces(data: bytes = SAMPLE) -> Iterator[bytes]:
    """A request body that a generator gives, with an empty piece in it."""
    yield data[:1]
    yield b''
    yield data[1:]


def failing_pieces(error: BaseException | None = None) -> Iterator[bytes]:
    """A request body that breaks off."""
    yield SAMPLE
    raise error or Interrupted('the client went away')


def digest(file: Readable) -> str:
    """The SHA-256 of what is left in a file, as a storage writes it: ``sha256:`` and hexadecimal digits."""
    found = hashlib.sha256()
    while block := file.read(256 * 1024):
        found.update(block)
    return f'sha256:{found.hexdigest()}'
