"""Files in the memory of this process: for tests and for trying things out."""

from __future__ import annotations

import datetime
import io
import threading
from typing import Any

from ..errors import FileMissing
from . import utils
from .ids import checked_file_id, new_file_id
from .interfaces import FileStorage, StoredFile
from .ranges import RangeReader, checked_range
from .utils import BareContent, Content


class MemoryStoredFile(StoredFile):
    """A file of a :class:`MemoryFileStorage`."""

    def __init__(self, file_id: str, files: dict[str, dict[str, Any]]) -> None:
        self._files = files
        self._data: io.BytesIO | None = None
        self._closed = False
        metadata = _record(files, file_id)['metadata']
        super().__init__(
            file_id,
            metadata['filename'],
            metadata['content_type'],
            datetime.datetime.strptime(metadata['last_modified'], '%Y-%m-%d %H:%M:%S'),
            metadata['content_length'],
        )
        self.checksum = metadata['checksum']
