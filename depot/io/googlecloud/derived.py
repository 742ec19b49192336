"""Derived files in a bucket of Google's; how they go with theirs is told in :mod:`..objects.derived`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.storage import Bucket

from ...errors import StorageFailure
from ..objects.derived import Derived, Listed
from ..objects.keys import Keys, version_of
from ..ranges import replaced
from .errors import failing

# So many objects are deleted at a time.
_DELETERS = 8


class DerivedObjects(Derived):
    """Finds and removes derived files, and objects in general."""

    def __init__(self, bucket: Bucket, keys: Keys, limits: dict[str, Any]) -> None:
        super().__init__(keys, self._listed_page, self.delete_objects, self._generation)
        self._bucket = bucket
        self._limits = limits

    def place(self, file_id: str, generation: int, key: str) -> str:
        """The key of the object."""
        return self._keys.derived(file_id, version_of(f'{generation}'), key)

    @contextlib.contextmanager
    def putting(self, file_id: str, generation: int, key: str) -> Iterator[str]:
        """Gives the key of the object, which is stored inside; it is removed if the file has changed by then.

        Raises :class:`~depot.errors.FileMissing` in that case.
        """
        place = self.place(file_id, generation, key)
        self.begin()
        yield place
        try:
            if self._generation(file_id) != f'{generation}':
                raise replaced(file_id)
        except BaseException:
            with contextlib.suppress(StorageFailure):
                self.delete_object(place)
            raise

    def delete_object(self, key: str) -> None:
        """Removes an object, if there is one."""
        with failing('delete the object', key), contextlib.suppress(NotFound):
            self._bucket.blob(key).delete(**self._limits)

    def delete_objects(self, keys: Iterable[str]) -> dict[str, Exception]:
        """Removes objects; returns the keys of those that it could not, with the reason."""
        failures: dict[str, Exception] = {}

        def delete(key: str) -> None:
            try:
                self.delete_object(key)
            except Exception as error:
                failures[key] = error

        with ThreadPoolExecutor(_DELETERS, 'depot-gcs-delete') as threads:
            [*threads.map(delete, keys)]
        return failures

    def _generation(self, file_id: str) -> str | None:
        """The generation that a file has now."""
        key = self._keys.key(file_id)
        with failing('look for the object', key):
            blob = self._bucket.get_blob(key, **self._limits)
        return None if blob is None else f'{blob.generation}'

    def _listed_page(self, prefix: str, after: str, size: int) -> tuple[list[Listed], bool]:
        found = self._bucket.client.list_blobs(
            self._bucket,
            max_results=size,
            prefix=prefix or None,
            start_offset=after or None,  # from it on, not above
            fields='items(name,generation,timeCreated),nextPageToken',
            **self._limits,
        )
        with failing('list the bucket', self._bucket.name):
            try:
                blobs = [*found]
            except Forbidden:  # who may not list can derive nothing, but shall be able to delete
                return [], True
        page = [Listed(each.name, f'{each.generation}', each.time_created) for each in blobs if each.name != after]
        return page, len(blobs) < size
