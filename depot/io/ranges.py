"""A part of a file, from one byte up to another."""

from __future__ import annotations

import io
from typing import Any

from ..errors import InvalidRange
from .utils import Readable

_SKIP_SIZE = 256 * 1024


class RangeReader(io.RawIOBase):
    """Reads at most ``length`` bytes of a file, from where it stands; closes it at the end."""

    def __init__(self, file: Any, length: int) -> None:
        super().__init__()
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self.closed:
            raise ValueError('I/O operation on closed file')
        block = self._file.read(min(len(buffer), self._left))
        buffer[: len(block)] = block
        self._left -= len(block)
        return len(block)

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            super().close()


def checked_range(start: int, stop: int) -> int:
    """The number of bytes from ``start`` up to ``stop``; :class:`~depot.errors.InvalidRange` if below zero."""
    if not 0 <= start <= stop:
        raise InvalidRange(f'no bytes from {start} up to {stop}; a range needs 0 <= start <= stop')
    return stop - start


def skip(file: Readable, size: int) -> None:
    """Reads past the next ``size`` bytes of a file that cannot seek."""
    while size and (block := file.read(min(size, _SKIP_SIZE))):
        size -= len(block)
