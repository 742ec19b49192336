"""Derived files in a bucket of S3; how they go with theirs is told in :mod:`..objects.derived`."""

from __future__ import annotations

import contextlib
import functools

from ...errors import FileMissing
from ..objects.derived import Derived
from ..objects.keys import Keys, version_of
from ..ranges import replaced
from .contents import Source
from .deleting import delete_objects
from .failures import S3Failure
from .listing import listed_page
from .options import CANNED_ACL_PUBLIC_READ, Transfer
from .requests import Found, Requests
from .uploads import Headers, Uploader


class DerivedObjects(Derived):
    """Stores, finds and removes derived files."""

    def __init__(self, requests: Requests, keys: Keys, acl: str | None, transfer: Transfer) -> None:
        page = functools.partial(listed_page, requests)
        super().__init__(keys, page, functools.partial(delete_objects, requests), self._etag)
        self._requests = requests
        # They have no URL of the bucket.
        self._uploader = Uploader(requests, None if acl == CANNED_ACL_PUBLIC_READ else acl, transfer)

    def found(self, file_id: str, etag: str, key: str) -> tuple[str, Found]:
        """The object of a derived file; raises :class:`~depot.errors.FileMissing`."""
        place = self._keys.derived(file_id, version_of(etag), key)
        found = self._requests.find(place)
        if found is None:
            raise FileMissing(f'File {file_id} has no derived file {key} in {self._requests.place()}', file_id)
        return place, found

    def put(self, file_id: str, etag: str, key: str, source: Source, headers: Headers) -> None:
        """Stores a derived file of the content with this entity tag.

        Raises :class:`~depot.errors.FileMissing` if the file has another one in the end.
        """
        place = self._keys.derived(file_id, version_of(etag), key)
        self.begin()
        self._uploader.overwrite(place, source, headers)
        try:
            if self._etag(file_id) != etag:
                raise replaced(file_id)
        except BaseException:
            with contextlib.suppress(S3Failure):
                self._requests('delete_object', place)
            raise

    def _etag(self, file_id: str) -> str | None:
        found = self._requests.find(self._keys.key(file_id))
        return found and found.etag
