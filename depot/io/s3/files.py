"""A stored file in a bucket, and one that is derived from it."""

from __future__ import annotations

import io

from ..lazy import LazyStoredFile
from ..objects.reading import ObjectReader
from ..ranges import checked_range
from .objects import Objects
from .reading import range_reader
from .requests import Found


class S3StoredFile(LazyStoredFile):
    """A file of a :class:`~depot.io.boto3.S3Storage`, or one that is derived from it: that has no public URL."""

    def __init__(self, objects: Objects, file_id: str, key: str, found: Found, is_derived: bool = False) -> None:
        self._objects = objects
        self._key = key
        self._is_derived = is_derived
        super().__init__(file_id)
        self.public_url_expires = objects.is_private and not is_derived
        self._describe(found)

    def _describe(self, found: Found) -> None:
        self._etag = found.etag
        self._set_description(found.metadata)

    @property
    def public_url(self) -> str | None:
        return None if self._is_derived else self._objects.public_url(self._key)

    def _open(self) -> ObjectReader:
        found, content = self._objects.opened(self.file_id, self._key)
        if found.etag != self._etag:  # replaced since: the new content comes with its own metadata
            self._describe(found)
        return content

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        self._check_not_closed()
        return range_reader(self._objects.requests, self.file_id, self._key, start, stop, self._etag)
