"""A stored file in a bucket, and one that is derived from it."""

from __future__ import annotations

import io

from google.cloud.storage import Blob

from ...errors import StorageFailure
from ..lazy import LazyStoredFile
from ..objects.reading import ObjectReader
from ..ranges import checked_range
from .objects import Objects
from .storing import metadata_of

# How often the metadata is asked for again, when each time another content comes.
_ATTEMPTS = 50


class GCSStoredFile(LazyStoredFile):
    """A file of a :class:`~depot.io.gcs.GCSStorage`, or one that is derived from it: that has no public URL."""

    def __init__(self, objects: Objects, file_id: str, key: str, is_derived: bool = False) -> None:
        self._objects = objects
        self._key = key
        self._is_derived = is_derived
        super().__init__(file_id)
        self.public_url_expires = objects.is_private and not is_derived
        self._describe(objects.existing(file_id, key))

    def _describe(self, blob: Blob) -> None:
        self._blob = blob
        self._set_description(metadata_of(blob))

    @property
    def public_url(self) -> str | None:
        """Where the file can be fetched from Google: for ever if the storage is public, else for a while."""
        return None if self._is_derived else self._objects.public_url(self._blob)

    def _open(self) -> ObjectReader:
        for _ in range(_ATTEMPTS):
            media = self._objects.media(self._blob, self.file_id)
            if media.generation in {self._blob.generation, None}:
                return ObjectReader(media, self._blob.name, self._blob.size, self.checksum, (Exception,))
            media.close()
            self._describe(self._objects.existing(self.file_id, self._key))  # replaced since
        raise StorageFailure(f'cannot read {self._blob.name}: it is replaced again and again', self._blob.name)

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        self._check_not_closed()
        # Cut at the end that is known: what Google has not from there on does not tell which content it is of.
        stop = min(stop, self._blob.size)
        return self._objects.open_range(self._blob, self.file_id, min(start, stop), stop, self._blob.generation)
