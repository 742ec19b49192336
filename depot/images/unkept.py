"""Renditions of files whose storage keeps none."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from ..io.interfaces import StoredFile
from ..io.ranges import RangeReader, checked_range
from .making import Fresh


class UnkeptRendition(StoredFile):
    """A rendition in memory, which nobody keeps; a stored file like any other."""

    def __init__(self, original: Any, fresh: Fresh) -> None:
        data, filename, content_type = fresh
        last_modified = getattr(original, 'last_modified', None)
        super().__init__(original.file_id, filename, content_type, last_modified, len(data))
        self.checksum = f'sha256:{hashlib.sha256(data).hexdigest()}'
        self._data = data
        self._content = io.BytesIO(data)

    def again(self) -> UnkeptRendition:
        """The same rendition, unread, for somebody else."""
        other = UnkeptRendition.__new__(UnkeptRendition)
        other.__dict__.update(self.__dict__, _content=io.BytesIO(self._data))
        return other

    def read(self, n: int = -1) -> bytes:
        return self._content.read(n)

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        if self.closed:
            raise ValueError('I/O operation on closed file')
        return RangeReader(io.BytesIO(self._data[start:stop]), stop - start)

    def close(self) -> None:
        self._content.close()

    @property
    def closed(self) -> bool:
        return self._content.closed
