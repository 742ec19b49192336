"""A content comes from its chunks: whole, or not without an error."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator

from .chunks import Chunks
from .digesting import Digest
from .records import Record


class ChunkReader:
    """Reads what chunks hold, all of it or from the byte ``start``; once it failed, it fails.

    A whole content is digested meanwhile: one that is not what its file's ``checksum`` says raises
    :class:`~depot.errors.StorageFailure` before its last chunk is given.
    """

    def __init__(self, chunks: Chunks, start: int | None = None) -> None:
        self._chunks = chunks
        self._pieces = _verified(chunks) if start is None else _shortened(chunks, start)
        self._rest = memoryview(b'')
        self._failure: Exception | None = None

    @property
    def record(self) -> Record:
        """What is known of the content that is read."""
        return self._chunks.record

    def begin(self) -> None:
        """Takes the first chunk from the server, so that it says now if there is none."""
        self._has_more()

    def read(self, n: int = -1) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            return b''.join(self._taken(n))
        except Exception as error:
            self._failure = error
            raise
        except BaseException as error:  # what was read is lost: to go on would be to leave it out
            self._failure = self._chunks.failure(f'it was interrupted by {type(error).__name__}')
            raise

    def close(self) -> None:
        self._pieces.close()
        self._chunks.close()

    def _taken(self, n: int) -> Iterator[bytes | memoryview]:
        while n and (self._rest or self._has_more()):
            piece = self._rest if n < 0 else self._rest[:n]
            self._rest = self._rest[len(piece) :]
            n -= len(piece) if n > 0 else 0
            yield piece

    def _has_more(self) -> bool:
        self._rest = memoryview(next(self._pieces, b''))
        return bool(self._rest)


def _verified(chunks: Chunks) -> Generator[bytes, None, None]:
    """A whole content; its last chunk comes once all of them are what they were when they were stored."""
    last = next(chunks, b'')
    expected = chunks.record.checksum
    if expected is None:
        yield last
        yield from chunks
        return
    with contextlib.closing(Digest(chunks.record.content_length)) as digest:
        digest.update(last)
        for data in chunks:
            digest.update(data)
            yield last
            last = data
        if digest.checksum() != expected:
            raise chunks.failure(f'its bytes have the checksum {digest.checksum()}, and were stored with {expected}')
        yield last


def _shortened(chunks: Chunks, start: int) -> Generator[bytes, None, None]:
    """A part of a content, from the byte ``start``."""
    first = next(chunks, b'')
    yield first[start % chunks.record.chunk_size :]
    yield from chunks
