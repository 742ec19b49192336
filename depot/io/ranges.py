"""A part of a file, from one byte up to another."""

from __future__ import annotations

import io
from typing import Any

from ..errors import FileMissing, InvalidRange
from .utils import Readable

_BLOCK_SIZE = 256 * 1024

# Servers read positions as signed numbers of 64 bits, and may send all of a file for what is no number to them.
_LAST = 2**63 - 1


class RawReader(io.RawIOBase):
    """A stream of bytes that a subclass gives by ``read``; what Python builds upon it asks for ``readinto``."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class RangeReader(RawReader):
    """Reads at most ``length`` bytes of a file, from where it stands; closes it at the end."""

    def __init__(self, file: Any, length: int) -> None:
        super().__init__()
        self._file = file
        self._left = length

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if self.closed:
            raise ValueError('I/O operation on closed file')
        block: bytes = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block

    def readall(self) -> bytes:
        return b''.join(iter(lambda: self.read(_BLOCK_SIZE), b''))

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            super().close()


class RestReader:
    """Reads what is left of a file of which the ``first`` bytes were taken already; it leaves the file open."""

    def __init__(self, first: bytes, file: Readable) -> None:
        self._first = first
        self._file = file

    def read(self, size: int, /) -> bytes:
        if not self._first:
            return self._file.read(size)
        block, self._first = self._first[:size], self._first[size:]
        return block

    def close(self) -> None:
        self._first = b''


def checked_range(start: int, stop: int) -> int:
    """The number of bytes from ``start`` up to ``stop``.

    Raises :class:`~depot.errors.InvalidRange` if it is below zero, and for what is no whole number.
    """
    if not (_is_whole(start) and _is_whole(stop) and 0 <= start <= stop):
        raise InvalidRange(f'no bytes from {start!r} up to {stop!r}; a range needs integers, 0 <= start <= stop')
    return stop - start


def sendable(start: int, stop: int) -> tuple[int, int]:
    """The same range in numbers that a server can read; no content is so long that it makes a difference."""
    return min(start, _LAST), min(stop, _LAST)


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def replaced(file_id: str) -> FileMissing:
    """The error for a part of a content that is no more, because another one has taken its place."""
    return FileMissing(f'File {file_id} was replaced since it was described; get it again', file_id)


def skip(file: Readable, size: int) -> None:
    """Reads past the next ``size`` bytes of a file that cannot seek."""
    while size and (block := file.read(min(size, _BLOCK_SIZE))):
        size -= len(block)
