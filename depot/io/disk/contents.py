"""Contents on the disk, written and read."""

from __future__ import annotations

import io
import os

from ..ranges import RangeReader
from .system import failing

# Small pieces are gathered up to this size, in bytes; larger ones are written as they come.
_SMALL_SIZE = 8 * 1024

# Descriptors, not file objects, for what is written and read at once: half the system calls.
_BINARY = getattr(os, 'O_BINARY', 0)  # only Windows knows it, and needs it
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
#: How to open what is read at once.
READ = os.O_RDONLY | _BINARY


class Output:
    """A new file on the disk. What the disk refuses is a StorageFailure; what else happens meanwhile is not."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pending = b''

    def __enter__(self) -> Output:
        with failing(self._path):
            self._descriptor = os.open(self._path, _NEW, 0o666)
        return self

    def write(self, block: bytes) -> None:
        self._pending += block
        if len(self._pending) >= _SMALL_SIZE:
            self._flush()

    def _flush(self) -> None:
        with failing(self._path):
            while self._pending:  # a disk that becomes full takes a part first, and then says so
                written = os.write(self._descriptor, self._pending)
                self._pending = self._pending[written:]

    def __exit__(self, *error: object) -> None:
        try:
            self._flush()
        finally:
            with failing(self._path):
                os.close(self._descriptor)


class ContentReader(RangeReader):
    """Reads a content, or a part of it; what the disk refuses is a :class:`~depot.errors.StorageFailure`.

    It closes the file, also if it cannot be made.
    """

    def __init__(self, content: io.FileIO, start: int, stop: int) -> None:
        try:
            with failing(str(content.name)):
                size = os.fstat(content.fileno()).st_size
                start = min(start, size)
                if start:
                    content.seek(start)
        except BaseException:
            content.close()
            raise
        super().__init__(content, min(stop, size) - start)
        self._is_whole = start == 0 and stop >= size

    def read(self, size: int | None = -1, /) -> bytes:
        with failing(str(self._file.name)):
            return super().read(size)

    def fileno(self) -> int:
        """The descriptor, by which a server can send the rest; only of a whole content, because some begin at 0."""
        if not self._is_whole:
            raise io.UnsupportedOperation('fileno')
        return int(self._file.fileno())
