"""Files in Google Cloud Storage."""

from __future__ import annotations

import io
import itertools
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound
from google.auth.credentials import Signing
from google.cloud.storage import Blob, Bucket, Client

from ..errors import ConfigurationError, FileMissing, InvalidFileId, StorageFailure
from . import utils
from .googlecloud.bucket import add_viewers, opened_bucket, publish
from .googlecloud.credentials import credentials_from
from .googlecloud.derived import DerivedObjects
from .googlecloud.errors import failing
from .googlecloud.media import Media
from .googlecloud.options import (
    CANNED_ACL_PRIVATE,
    CANNED_ACL_PUBLIC_READ,
    LONGEST_EXPIRY,
    checked_chunk_size,
    checked_class,
    checked_expiry,
    checked_policy,
    checked_url,
    limits,
)
from .googlecloud.uploads import upload
from .ids import checked_file_id, checked_key, new_file_id
from .interfaces import FileStorage, StoredFile, is_copy
from .metadata import Metadata
from .objects.answers import check_answers
from .objects.derived import raise_first
from .objects.forks import close_in_children
from .objects.headers import described, disposition_header, header_text, metadata_headers
from .objects.keys import Keys
from .objects.reading import ObjectReader
from .ranges import RangeReader, checked_range, replaced, sendable
from .utils import Content

__all__ = ['CANNED_ACL_PRIVATE', 'CANNED_ACL_PUBLIC_READ', 'GCSStorage', 'GCSStoredFile']

#: The media type, as it was given: the object's own has to be one that goes into a header.
CONTENT_TYPE = 'x-depot-content-type'

#: So many files are deleted at once.
BATCH = 1_000

#: So many ids are in memory at a time while they are listed; Google gives no more at a time.
PAGE = 1_000

# How often the metadata is asked for again, when each time another content comes.
_ATTEMPTS = 50

_log = logging.getLogger(__name__)


class GCSStoredFile(StoredFile):
    """A file of a :class:`GCSStorage`."""

    def __init__(self, storage: GCSStorage, file_id: str, key: str) -> None:
        self._storage = storage
        self._key = key
        self._reader: ObjectReader | None = None
        self._closed = False
        super().__init__(file_id)
        self.public_url_expires = storage._is_private
        self._describe(storage._existing(file_id, key))

    def _describe(self, blob: Blob) -> None:
        self._blob = blob
        metadata = _metadata(blob)
        self.filename = metadata.filename
        self.content_type = metadata.content_type
        self.content_length = metadata.content_length
        self.last_modified = metadata.modified_at
        self.checksum = metadata.checksum

    @property
    def public_url(self) -> str | None:
        """Where the file can be fetched from Google: for ever if the storage is public, else for a while."""
        return self._storage._public_url(self._blob)

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise ValueError('I/O operation on closed file')
        if self._reader is None:
            self._reader = self._open()
        return self._reader.read(n)

    def _open(self) -> ObjectReader:
        for _ in range(_ATTEMPTS):
            media = self._storage._media(self._blob, self.file_id)
            if media.generation in {self._blob.generation, None}:
                return ObjectReader(media, self._blob.name, self._blob.size, self.checksum, (Exception,))
            media.close()
            self._describe(self._storage._existing(self.file_id, self._key))  # replaced since
        raise StorageFailure(f'cannot read {self._blob.name}: it is replaced again and again', self._blob.name)

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        if self._closed:
            raise ValueError('I/O operation on closed file')
        # Cut at the end that is known: what Google has not from there on does not tell which content it is of.
        stop = min(stop, self._blob.size)
        return self._storage._opened_range(self._blob, self.file_id, min(start, stop), stop, self._blob.generation)

    def close(self) -> None:
        self._closed = True
        if self._reader is not None:
            self._reader.close()

    @property
    def closed(self) -> bool:
        return self._closed


class GCSDerivedFile(GCSStoredFile):
    """A file that is derived from one of a :class:`GCSStorage`."""

    def __init__(self, storage: GCSStorage, file_id: str, key: str) -> None:
        super().__init__(storage, file_id, key)
        self.public_url_expires = False

    @property
    def public_url(self) -> None:
        """None: only who knows its key finds it."""


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
        self._chunk_size = checked_chunk_size(chunk_size)
        self._url_expires = checked_expiry('url_expires', url_expires)
        self._limits = limits(timeout, retry_timeout)
        self._base_url = checked_url('public_url', public_url)
        self._is_private = self._policy == CANNED_ACL_PRIVATE and not public_url
        self._owns_client = client is None
        self._keys = Keys(prefix)
        #: The SDK's.
        self.client: Client = client or _made_client(project_id, credentials, endpoint_url)
        close_in_children(self.client._http)
        #: The SDK's.
        self.bucket: Bucket = opened_bucket(
            self.client, bucket or _default_bucket(self.client), prefix, location, self._limits
        )
        if self._policy == CANNED_ACL_PUBLIC_READ:
            publish(self.bucket, self._limits)
        self._derived = DerivedObjects(self.bucket, self._keys, self._limits)

    def get(self, file_or_id: Any) -> GCSStoredFile:
        return GCSStoredFile(self, checked_file_id(file_or_id), self._keys.key(file_or_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        key = self._keys.key(file_id)
        if not self._store(key, *self.fileinfo(content, filename, content_type), if_generation_match=0):
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
        if not self._store(self._keys.key(file_id), *info, if_generation_not_match=condition):
            raise FileMissing(f'File {file_id} was deleted while it was replaced', file_id)
        for error in self._derived.clear([file_id]).values():
            _log.warning('File %s is replaced; what is derived from the old one stays: %s', file_id, error)
        return file_id

    def delete(self, file_or_id: Any) -> None:
        file_id = checked_file_id(file_or_id)
        self._derived.delete_object(self._keys.key(file_id))
        raise_first(self._derived.clear([file_id]))

    def exists(self, file_or_id: Any) -> bool:
        key = self._keys.key(file_or_id)
        with failing('look for the object', key):
            found: bool = self.bucket.blob(key).exists(**self._limits)
        return found

    def list(self) -> list[str]:
        return [*self.iter_ids()]

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        file_id = checked_file_id(file_or_id)
        return self._opened_range(self.bucket.blob(self._keys.key(file_id)), file_id, *sendable(start, stop))

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        prefix = self._keys.prefix
        found = self.client.list_blobs(
            self.bucket,
            prefix=prefix or None,
            start_offset=None if after is None else f'{prefix}{after}',  # from it on, not a key
            delimiter='/',  # what other tools keep in folders is passed over by Google
            fields='items(name),nextPageToken',
            page_size=PAGE,
            **self._limits,
        )
        with failing('list the bucket', self.bucket.name):
            for blob in found:
                file_id = self._keys.file_id(blob.name)
                if file_id is not None and (after is None or file_id > after):
                    yield file_id

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        """Removes files, several at a time; returns the ids of those that it could not, with the reason.

        Google's batches save round trips only: each deletion in one is a request of its own, that may fail alone.
        """
        failures: dict[str, Exception] = {}
        wanted = _checked(ids, failures)
        while batch := [*itertools.islice(wanted, BATCH)]:
            failed = self._derived.delete_objects([*map(self._keys.key, batch)])
            failures.update((key[len(self._keys.prefix) :], error) for key, error in failed.items())
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
        if not (self._is_private or filename or disposition or content_type):
            return file.public_url
        changes = {'response_type': content_type} if content_type else {}
        if filename or disposition:
            changes['response_disposition'] = disposition_header(filename or file.filename, disposition or 'inline')
        return self._signed_url(file._blob, expires, **changes)

    def get_derived(self, file_or_id: Any, key: str) -> GCSDerivedFile:
        key, (file_id, generation) = checked_key(key), self._described(file_or_id)
        return GCSDerivedFile(self, file_id, self._derived.place(file_id, generation, key))

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
            self._store(place, *info)

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
        is_described = isinstance(file_or_id, GCSStoredFile) and file_or_id._storage is self and file_or_id._key == key
        blob = file_or_id._blob if is_described else self._existing(file_id, key)
        return file_id, blob.generation

    def _existing(self, file_id: str, key: str) -> Blob:
        """What Google knows of an object, by one request."""
        with failing('look for the object', key):
            blob = self.bucket.get_blob(key, **self._limits)
        if blob is None:
            raise self._missing(file_id)
        return blob

    def _opened_range(
        self, blob: Blob, file_id: str, start: int, stop: int, generation: int | None = None
    ) -> io.RawIOBase:
        """A part of an object, by one request; of this generation, or of that which it has now."""
        if start == stop:
            _check_generation(file_id, generation, self._existing(file_id, blob.name).generation)
            return RangeReader(io.BytesIO(), 0)
        media = self._media(blob, file_id, start, stop)
        try:
            _check_generation(file_id, generation, media.generation)
        except BaseException:
            media.close()
            raise
        return ObjectReader(media, blob.name, media.length, errors=(Exception,))

    def _media(self, blob: Blob, file_id: str, start: int = 0, stop: int | None = None) -> Media:
        with failing('read the object', blob.name):
            try:
                return Media(blob, start=start, stop=stop, **self._limits)
            except NotFound:
                raise self._missing(file_id) from None

    def _missing(self, file_id: str) -> FileMissing:
        return FileMissing(f'File {file_id} not existing in the bucket {self.bucket.name}', file_id)

    def _store(
        self, key: str, content: Content, filename: str | None, content_type: str | None, **conditions: int | None
    ) -> bool:
        blob = self.bucket.blob(key, chunk_size=self._chunk_size)
        blob.metadata = {**metadata_headers(filename, utils.timestamp(), None), CONTENT_TYPE: content_type or ''}
        blob.content_disposition = disposition_header(filename)
        if self._storage_class:
            blob.storage_class = self._storage_class
        return upload(blob, content, header_text(content_type), **conditions, **self._limits)

    def _public_url(self, blob: Blob) -> str | None:
        if self._is_private:
            return self._signed_url(blob)
        return f'{self._base_url}/{quote(blob.name)}' if self._base_url else str(blob.public_url)

    def _signed_url(self, blob: Blob, expires: float | None = None, **changes: str) -> str | None:
        seconds = self._url_expires if expires is None else math.ceil(min(max(expires, 1), LONGEST_EXPIRY))
        if not isinstance(self.client._credentials, Signing):
            return None
        with failing('sign a URL for the object', blob.name):
            return str(blob.generate_signed_url(version='v4', expiration=seconds, method='GET', **changes))


def _made_client(project_id: str | None, given: Any, endpoint_url: str | None) -> Client:
    credentials, project = credentials_from(given)
    endpoint = checked_url('endpoint_url', endpoint_url)
    options = ClientOptions(api_endpoint=endpoint) if endpoint else None
    try:
        client = Client(project_id or project, credentials, client_options=options)
        for adapter in client._http.adapters.values():
            check_answers(adapter.poolmanager)
        return client
    except Exception as error:
        raise ConfigurationError(
            f'no client for Google Cloud Storage: {error}; change the options project_id, credentials or endpoint_url'
        ) from error


def _default_bucket(client: Client) -> str:
    if not client.project:
        raise ConfigurationError('no bucket: set the option bucket, or project_id, after which one is named')
    return f'filedepot-{client.project}'.lower()


def _checked(ids: Iterable[Any], failures: dict[str, Exception]) -> Iterator[str]:
    """The ids; what is none is a failure."""
    for each in ids:
        try:
            yield checked_file_id(each)
        except InvalidFileId as error:
            failures[str(FileStorage.fileid(each))] = error


def _check_generation(file_id: str, described: int | None, found: int | None) -> None:
    if described is not None and found != described:
        raise replaced(file_id)


def _metadata(blob: Blob) -> Metadata:
    kept = blob.metadata or {}
    return described(kept, kept.get(CONTENT_TYPE) or blob.content_type, blob.size, blob.updated)
