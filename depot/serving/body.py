"""The body of an answer, opened: what a server sends, block by block."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Sequence
from typing import Any

from ..errors import StorageFailure
from .ranges import Part, Span

#: Bytes that are read and sent at a time.
BLOCK_SIZE = 64 * 1024

#: Bytes that a server gets at a time that asks for more: a client on this machine takes as many.
MOST_AT_ONCE = 4 * BLOCK_SIZE


def close_file(file: Any) -> None:
    """Closes a stored file; those of third-party storages may have nothing to close."""
    close = getattr(file, 'close', None)
    if close is not None:
        close()


def _rest(body: WholeBody | DiskBody | PartsBody) -> bytes:
    return b''.join(iter(lambda: body.read(BLOCK_SIZE), b''))


def _ended(file: Any, left: int) -> StorageFailure:
    return StorageFailure(f'{file!r} ended {left} bytes before its end')


class WholeBody:
    """All of a file that is read from its beginning to its end, and whose first block has been read.

    Only after its first read does a stored file describe the content that it
    gives. It has no ``fileno``, so a server cannot send past this object.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        #: The first bytes, which tell what the content is.
        self.head: bytes = file.read(BLOCK_SIZE)
        self._first: bytes = self.head

        self._left: int | None = None

    def expect(self, length: int | None) -> None:
        """No more bytes than these are read, and fewer are a :class:`~depot.errors.StorageFailure`."""
        self._left = length

    def read(self, n: int = -1) -> bytes:
        if n < 0:
            return _rest(self)
        block = self._next(n)
        if self._left is None:
            return block
        if n and self._left and not block:
            raise _ended(self._file, self._left)
        block = block[: self._left]
        self._left -= len(block)
        return block

    def _next(self, n: int) -> bytes:
        taken, self._first = self._first[:n], self._first[n:]
        return taken or bytes(self._file.read(n))

    def close(self) -> None:
        close_file(self._file)


class DiskBody:
    """All of a content that is open on the disk: a server can send it in its own way, by its descriptor or seeking.

    Storages never change a content. Where somebody else did, it has no more
    bytes than were announced, and fewer are a :class:`~depot.errors.StorageFailure`.
    """

    def __init__(self, file: Any, reader: Any, length: int) -> None:
        self._file = file
        self._reader = reader
        self._length = length
        self._content = io.FileIO(reader.fileno(), closefd=False)
        self.seek, self.tell = self._content.seek, self._content.tell
        self.fileno, self.seekable = self._content.fileno, self._content.seekable

    def read(self, n: int = -1) -> bytes:
        """At most some blocks: waitress asks for megabytes, sends what its client takes, and reads the rest again."""
        if n < 0:
            return _rest(self)
        left = max(self._length - self.tell(), 0)
        block: bytes = self._content.read(min(n, left, MOST_AT_ONCE))
        if n and left and not block:
            raise _ended(self._file, left)
        return block

    @property
    def local_path(self) -> str | None:
        """Where another can open it, who may find a later content there."""
        path = getattr(self._file, 'local_path', None)
        return path if isinstance(path, str) else None

    def close(self) -> None:
        try:
            self._content.close()
            self._reader.close()
        finally:
            close_file(self._file)


class PartsBody:
    """Some parts of a file, and what stands between them; the first is opened at once, the others in their turn.

    Raises what ``open_range`` of the file raises, and
    :class:`~depot.errors.StorageFailure` where the storage has fewer bytes than
    it said: an answer never ends short without an error.
    """

    def __init__(self, file: Any, parts: Sequence[Part]) -> None:
        self._file = file
        self._parts = deque(parts)
        self._reader: Any = None
        self._left = 0
        # What stands before the part that is open.
        self._words = b''
        self._advance()

    def on_disk(self) -> DiskBody | None:
        """The same body, if it is all of a content on the disk and nothing was read of it yet."""
        if self._parts or self._words or self._reader is None:
            return None
        try:
            is_all = os.fstat(self._reader.fileno()).st_size == self._left
        except (AttributeError, io.UnsupportedOperation):
            return None
        return DiskBody(self._file, self._reader, self._left) if is_all else None

    def _advance(self) -> None:
        """On to the next part of the file, which is opened before anything of it is announced."""
        while self._parts:
            part = self._parts.popleft()
            if isinstance(part, Span):
                self._close_reader()
                self._reader, self._left = self._file.open_range(*part), part.length
                return
            self._words += part

    def read(self, n: int = -1) -> bytes:
        if n < 0:
            return _rest(self)
        if not self._words and not self._left:
            self._advance()
        if self._words:
            words, self._words = self._words, b''
            return words
        return self._block(n) if self._left else b''

    def _block(self, n: int) -> bytes:
        block: bytes = self._reader.read(min(n, self._left))
        if not block:
            raise _ended(self._file, self._left)
        self._left -= len(block)
        return block

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def close(self) -> None:
        try:
            self._close_reader()
        finally:
            close_file(self._file)
