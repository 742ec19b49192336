"""The objects of files: what Google knows of them, their content, and where they can be fetched."""

from __future__ import annotations

import io
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.storage import Blob, Bucket

from ...errors import FileMissing
from ..objects.reading import ObjectReader
from ..ranges import RangeReader, replaced
from .errors import failing
from .media import Media
from .urls import Urls


class Objects:
    """The objects in one bucket, by their keys. Missing ones raise :class:`~depot.errors.FileMissing`."""

    def __init__(self, bucket: Bucket, limits: dict[str, Any], urls: Urls, is_private: bool) -> None:
        #: Whether URLs are signed, so that they work for a while only.
        self.is_private = is_private
        self._bucket = bucket
        self._limits = limits
        self._urls = urls

    def exists(self, key: str) -> bool:
        """Whether there is one with this key."""
        with failing('look for the object', key):
            found: bool = self._bucket.blob(key).exists(**self._limits)
        return found

    def existing(self, file_id: str, key: str) -> Blob:
        """What Google knows of an object, by one request."""
        with failing('look for the object', key):
            blob = self._bucket.get_blob(key, **self._limits)
        if blob is None:
            raise self._missing(file_id)
        return blob

    def media(self, blob: Blob, file_id: str, start: int = 0, stop: int | None = None) -> Media:
        """The bytes of an object, opened by one request."""
        with failing('read the object', blob.name):
            try:
                return Media(blob, start=start, stop=stop, **self._limits)
            except NotFound:
                raise self._missing(file_id) from None

    def open_range(
        self, blob: Blob, file_id: str, start: int, stop: int, generation: int | None = None
    ) -> io.RawIOBase:
        """A part of an object, by one request; of this generation, or of that which it has now."""
        if start == stop:
            _check_generation(file_id, generation, self.existing(file_id, blob.name).generation)
            return RangeReader(io.BytesIO(), 0)
        media = self.media(blob, file_id, start, stop)
        try:
            _check_generation(file_id, generation, media.generation)
        except BaseException:
            media.close()
            raise
        return ObjectReader(media, blob.name, media.length, errors=(Exception,))

    def public_url(self, blob: Blob) -> str | None:
        """A URL by which everybody can fetch an object who knows it."""
        return self._urls.signed(blob) if self.is_private else self._urls.plain(blob)

    def url(self, blob: Blob, expires: float | None, headers: dict[str, str]) -> str | None:
        """A URL for so many seconds, if it has to be signed; ``headers`` are those that the answer shall have."""
        if self.is_private or headers:
            return self._urls.signed(blob, expires, **headers)
        return self._urls.plain(blob)

    def _missing(self, file_id: str) -> FileMissing:
        return FileMissing(f'File {file_id} not existing in the bucket {self._bucket.name}', file_id)


def _check_generation(file_id: str, described: int | None, found: int | None) -> None:
    if described is not None and found != described:
        raise replaced(file_id)
