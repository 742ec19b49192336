"""The ids of all files, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.cloud.storage import Bucket

from ..objects.keys import Keys
from .errors import failing

#: So many ids are in memory at a time while they are listed; Google gives no more at a time.
PAGE = 1_000


def listed(bucket: Bucket, keys: Keys, after: str | None, limits: dict[str, Any]) -> Iterator[str]:
    """The ids of all files, from the first one above ``after``; Google lists keys in ascending order."""
    found = bucket.client.list_blobs(
        bucket,
        prefix=keys.prefix or None,
        start_offset=None if after is None else f'{keys.prefix}{after}',  # from it on, not a key
        delimiter='/',  # what other tools keep in folders is passed over by Google
        fields='items(name),nextPageToken',
        page_size=PAGE,
        **limits,
    )
    with failing('list the bucket', bucket.name):
        for blob in found:
            file_id = keys.file_id(blob.name)
            if file_id is not None and (after is None or file_id > after):
                yield file_id
