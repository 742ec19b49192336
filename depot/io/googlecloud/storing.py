"""Contents become objects, with all that the options of the storage say of them."""

from __future__ import annotations

from typing import Any

from google.cloud.storage import Blob, Bucket

from .. import utils
from ..metadata import Metadata
from ..objects.headers import described, disposition_header, header_text, metadata_headers
from ..utils import Content
from .uploads import upload

#: The media type, as it was given: the object's own has to be one that goes into a header.
CONTENT_TYPE = 'x-depot-content-type'


class Store:
    """Stores contents in one bucket, in pieces of ``chunk_size`` bytes."""

    def __init__(self, bucket: Bucket, chunk_size: int, storage_class: str | None, limits: dict[str, Any]) -> None:
        self._bucket = bucket
        self._chunk_size = chunk_size
        self._storage_class = storage_class
        self._limits = limits

    def store(
        self, key: str, content: Content, filename: str | None, content_type: str | None, **conditions: int | None
    ) -> bool:
        """Stores an object; False if the conditions, which are preconditions of the SDK, forbid it."""
        blob = self._bucket.blob(key, chunk_size=self._chunk_size)
        blob.metadata = {**metadata_headers(filename, utils.timestamp(), None), CONTENT_TYPE: content_type or ''}
        blob.content_disposition = disposition_header(filename)
        if self._storage_class:
            blob.storage_class = self._storage_class
        return upload(blob, content, header_text(content_type), **conditions, **self._limits)


def metadata_of(blob: Blob) -> Metadata:
    """What an object tells of the file that is stored in it."""
    kept = blob.metadata or {}
    return described(kept, kept.get(CONTENT_TYPE) or blob.content_type, blob.size, blob.updated)
