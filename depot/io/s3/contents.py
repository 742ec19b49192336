"""A content on its way to a bucket: its length and checksum where they can be known before, and its pieces."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import InvalidContent
from ..utils import BareContent, blocks, copy_content, is_seekable
from .options import Transfer

#: S3 User Guide, "Amazon S3 multipart upload limits".
MOST_PARTS = 10_000


class Source:
    """A content, read once in pieces of one size; one that can seek and has several is digested before."""

    def __init__(self, content: BareContent, transfer: Transfer) -> None:
        #: Bytes; None where nobody knows before the end.
        self.length = _length(content)
        #: Of the whole; None where it is not known before the end.
        self.checksum: str | None = None
        self.piece_size = _piece_size(self.length, transfer)
        self._sums: list[int] = []
        if self.length is not None and self.length > self.piece_size:
            self.checksum, self._sums = _digested(content, self.piece_size)
        self._digest = hashlib.sha256()
        self._pieces = cut(blocks(content), self.piece_size)
        self._first = next(self._pieces, b'')
        self._second = next(self._pieces, None)
        if self._second is None:
            self._check_size(len(self._first))
            self.checksum = f'sha256:{hashlib.sha256(self._first).hexdigest()}'

    @property
    def only_piece(self) -> bytes | None:
        """The whole content where it is one piece."""
        return self._first if self._second is None else None

    def pieces(self) -> Iterator[bytes]:
        """The pieces; when they have all been given, the checksum is known.

        Raises :class:`~depot.errors.InvalidContent` for a content that has changed since it was digested.
        """
        size = 0
        for piece in self._given():
            if self.checksum is None:
                self._digest.update(piece)
            size += len(piece)
            yield piece
        self._check_size(size)
        self.checksum = self.checksum or f'sha256:{self._digest.hexdigest()}'

    def check(self, number: int, crc: int) -> None:
        """Raises :class:`~depot.errors.InvalidContent` if this is not the CRC-32 that a piece had when it was digested.

        Its object would have a checksum that the content has not, and could never be read.
        """
        if self._sums and self._sums[number - 1 : number] != [crc]:
            raise InvalidContent('the content was changed while it was stored; give a copy of it')

    def _check_size(self, size: int) -> None:
        if self._sums and size != self.length:
            raise InvalidContent(
                f'the content had {self.length} bytes, and {size} while it was stored; give a copy of it'
            )

    def _given(self) -> Iterator[bytes]:
        yield self._first
        self._first = b''  # not in memory to the end
        if self._second is not None:
            yield self._second
            self._second = b''
        yield from self._pieces


def cut(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of this size; the last may be shorter."""
    held: list[bytes | memoryview] = []
    missing = size
    for block in blocks:
        rest: bytes | memoryview = block
        while len(rest) >= missing:
            yield b''.join([*held, memoryview(rest)[:missing]])
            rest = memoryview(rest)[missing:]
            held, missing = [], size
        held.append(rest)
        missing -= len(rest)
    if missing < size:
        yield b''.join(held)


def _piece_size(length: int | None, transfer: Transfer) -> int:
    if length is None:
        return 2 * transfer.part_size  # so that the largest number of parts is far away
    if length <= transfer.threshold:
        return max(transfer.threshold, transfer.part_size)
    return max(transfer.part_size, -(-length // MOST_PARTS))


def _length(content: Any) -> int | None:
    """The bytes from a content's position to its end; None where only reading it can tell."""
    if isinstance(content, (bytes, bytearray)):
        return len(content)
    if isinstance(content, memoryview):
        return content.nbytes
    if isinstance(content, os.PathLike):
        status = os.stat(content)
        return status.st_size if stat.S_ISREG(status.st_mode) else None
    with contextlib.suppress(OSError):
        if is_seekable(content):
            return _left(content)
    return None


def _left(file: Any) -> int:
    position: int = file.tell()
    file.seek(0, io.SEEK_END)
    end: int = file.tell()
    file.seek(position)
    return max(end - position, 0)


class _Sums:
    """The CRC-32 of each piece of a content, whose blocks come in any size."""

    def __init__(self, piece_size: int) -> None:
        self.found: list[int] = []
        self._piece_size = piece_size
        self._missing = 0

    def add(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            if not self._missing:
                self.found.append(0)
                self._missing = self._piece_size
            part, rest = rest[: self._missing], rest[self._missing :]
            self.found[-1] = zlib.crc32(part, self.found[-1])
            self._missing -= len(part)


def _digested(content: Any, piece_size: int) -> tuple[str, list[int]]:
    """The checksum of a content, which is as it was afterwards, and the CRC-32 of each piece."""
    position = content.tell() if hasattr(content, 'seek') else None
    sums = _Sums(piece_size)
    checksum = copy_content(content, sums.add).checksum
    if position is not None:
        content.seek(position)
    return checksum, sums.found
