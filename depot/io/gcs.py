"""Files in Google Cloud Storage."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.cloud.storage import Bucket, Client

from ..errors import FileMissing, StorageFailure
from .googlecloud.bucket import add_viewers, opened_bucket, publish
from .googlecloud.connection import connected, default_bucket
from .googlecloud.derived import DerivedObjects
from .googlecloud.files import GCSStoredFile
from .googlecloud.listing import listed
from .googlecloud.objects import Objects
from .googlecloud.options import (
    CANNED_ACL_PRIVATE,
    CANNED_ACL_PUBLIC_READ,
    checked_chunk_size,
    checked_class,
    checked_expiry,
    checked_policy,
    checked_url,
    limits,
)
from .googlecloud.storing import Store
from .googlecloud.urls import Urls, answer_headers
from .ids import checked_file_id, checked_key, new_file_id, valid_ids
from .interfaces import FileStorage, is_copy
from .objects.derived import raise_first
from .objects.forks import close_in_children
from .objects.keys import Keys
from .ranges import checked_range, sendable
from .utils import Content

__all__ = ['CANNED_ACL_PRIVATE', 'CANNED_ACL_PUBLIC_READ', 'GCSStorage', 'GCSStoredFile']

#: So many files are deleted at once.
BATCH = 1_000

_log = logging.getLogger(__name__)


class GCSStorage(FileStorage):
    """Files in a bucket of Google Cloud Storage, each an object whose key is the prefix and the file's id.

    ``credentials`` are a dict, the path of a JSON file, JSON text, an object of google-auth, ``'default'`` (what
    Google finds by itself) or ``'anonymous'``; without any, the variable ``GOOGLE_APPLICATION_CREDENTIALS`` tells.
    A ready ``client`` of the SDK takes the place of project, credentials and endpoint. A missing bucket is made, in
    ``location``.

    With the ``policy`` ``public-read``, the default, everybody may read the bucket, and files have a plain URL. With
    ``private`` they have one that is signed and expires after ``url_expires`` seconds; credentials without a private
    key cannot sign, and give None. With a ``public_url`` files are fetched below that, from a CDN that may read the
    bucket, whatever the policy.

    A content of less than 8 MiB is stored by one request. A larger one goes in pieces of ``chunk_size`` bytes, of
    which three are in memory. What a crash leaves of it is invisible, and gone after a week. ``timeout`` is how many
    seconds one request may wait for an answer, ``retry_timeout`` for how many it is repeated.

    Raises :class:`~depot.errors.StorageFailure`, which names the object, for what Google refuses and for what the
    network does; when it is made, :class:`~depot.errors.ConfigurationError`, which names the option to change.
    """

    capabilities = frozenset(
        {'atomic_replace', 'checksums', 'ranges', 'sorted_ids', 'batch_delete', 'unfinished', 'derived'}
    )

    def __init__(
        self,
        project_id: str | None = None,
        credentials: Any = None,
        bucket: str | None = None,
        policy: str | None = None,
        storage_class: str | None = None,
        prefix: str = '',
        *,
        location: str | None = None,
        chunk_size: int | str = 16 * 1024 * 1024,
        endpoint_url: str | None = None,
        public_url: str | None = None,
        url_expires: float | str = 3600,
        timeout: float | str = 60,
        retry_timeout: float | str = 120,
        client: Client | None = None,
    ) -> None:
        self._policy = checked_policy(policy)
        self._storage_class = checked_class(storage_class)
        pieces = checked_chunk_size(chunk_size)
        expires = checked_expiry('url_expires', url_expires)
        self._limits = limits(timeout, retry_timeout)
        urls = Urls(checked_url('public_url', public_url), expires)
        self._owns_client = client is None
        self._keys = Keys(prefix)
        #: The SDK's.
        self.client: Client = client or connected(project_id, credentials, endpoint_url)
        close_in_children(self.client._http)
        #: The SDK's.
        self.bucket: Bucket = opened_bucket(
            self.client, bucket or default_bucket(self.client), prefix, location, self._limits
        )
        if self._policy == CANNED_ACL_PUBLIC_READ:
            publish(self.bucket, self._limits)
        is_private = self._policy == CANNED_ACL_PRIVATE and not public_url
        self._objects = Objects(self.bucket, self._limits, urls, is_private)
        self._store = Store(self.bucket, pieces, self._storage_class, self._limits)
        self._derived = DerivedObjects(self.bucket, self._keys, self._limits)

    def get(self, file_or_id: Any) -> GCSStoredFile:
        return GCSStoredFile(self._objects, checked_file_id(file_or_id), self._keys.key(file_or_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        key = self._keys.key(file_id)
        if not self._store.store(key, *self.fileinfo(content, filename, content_type), if_generation_match=0):
            raise StorageFailure(f'cannot store the object {key}: there is one already', file_id)
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id = checked_file_id(file_or_id)
        existing = None if is_copy(file_id, content) else self.get(file_id)
        # That there is one, and not that it is the one we have seen: of two writers the last one wins.
        condition = None if existing is None else 0
        info = self.fileinfo(content, filename, content_type, existing)
        if not self._store.store(self._keys.key(file_id), *info, if_generation_not_match=condition):
            raise FileMissing(f'File {file_id} was deleted while it was replaced', file_id)
        for error in self._derived.clear([file_id]).values():
            _log.warning('File %s is replaced; what is derived from the old one stays: %s', file_id, error)
        return file_id

    def delete(self, file_or_id: Any) -> None:
        file_id = checked_file_id(file_or_id)
        self._derived.delete_object(self._keys.key(file_id))
        raise_first(self._derived.clear([file_id]))

    def exists(self, file_or_id: Any) -> bool:
        return self._objects.exists(self._keys.key(file_or_id))

    def list(self) -> list[str]:
        return [*self.iter_ids()]

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        file_id = checked_file_id(file_or_id)
        return self._objects.open_range(self.bucket.blob(self._keys.key(file_id)), file_id, *sendable(start, stop))

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        return listed(self.bucket, self._keys, after, self._limits)

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        """Removes files, several at a time; returns the ids of those that it could not, with the reason.

        Google's batches save round trips only: each deletion in one is a request of its own, that may fail alone.
        """
        failures: dict[str, Exception] = {}
        wanted = valid_ids(ids, checked_file_id, failures)
        while batch := [*itertools.islice(wanted, BATCH)]:
            failed = self._derived.delete_objects([*map(self._keys.key, batch)])
            failures.update((self._keys.id_of(key), error) for key, error in failed.items())
            failures.update(self._derived.clear([each for each in batch if each not in failures]))
        return failures

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        return self._derived.clean(before, dry_run)

    def url(
        self,
        file_or_id: Any,
        expires: float | None = None,
        filename: str | None = None,
        disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        file = self.get(file_or_id)
        headers = answer_headers(file.filename, filename, disposition, content_type)
        return self._objects.url(file._blob, expires, headers)

    def get_derived(self, file_or_id: Any, key: str) -> GCSStoredFile:
        key, (file_id, generation) = checked_key(key), self._described(file_or_id)
        place = self._derived.place(file_id, generation, key)
        return GCSStoredFile(self._objects, file_id, place, is_derived=True)

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        key, (file_id, generation) = checked_key(key), self._described(file_or_id)
        info = self.fileinfo(content, filename, content_type)
        with self._derived.putting(file_id, generation, key) as place:
            self._store.store(place, *info)

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        raise_first(self._derived.delete(checked_file_id(file_or_id), key))

    def set_bucket_public_iam(self, bucket: Bucket, members: Iterable[str]) -> None:
        """Lets members (``allUsers``: everybody) read the objects of a bucket, by one binding of its policy.

        Who may already stays. Raises :class:`~depot.errors.ConfigurationError` if Google does not allow it.
        """
        add_viewers(bucket, members, self._limits)

    def close(self) -> None:
        """Lets the connections go; for a program that goes on without the storage."""
        if self._owns_client:
            self.client.close()

    def _described(self, file_or_id: Any) -> tuple[str, int]:
        """The id of a file, and the generation that a stored file describes, or that there is now."""
        file_id, key = checked_file_id(file_or_id), self._keys.key(file_or_id)
        is_ours = isinstance(file_or_id, GCSStoredFile) and file_or_id._objects is self._objects
        is_described = is_ours and not file_or_id._is_derived
        blob = file_or_id._blob if is_described else self._objects.existing(file_id, key)
        return file_id, blob.generation
