"""Files in a bucket of Amazon S3, or of a server that speaks its protocol."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3

from ..errors import ConfigurationError
from . import utils
from .ids import checked_key, new_file_id
from .interfaces import FileStorage, is_copy
from .objects.derived import raise_first
from .objects.keys import Keys
from .ranges import checked_range
from .s3 import options
from .s3.bucket import BucketDriver, ensure_bucket
from .s3.connection import configuring, connected, default_bucket, session_options
from .s3.deleting import delete_files
from .s3.derived import DerivedObjects
from .s3.files import S3StoredFile
from .s3.listing import abort_unfinished, listed
from .s3.objects import Objects
from .s3.options import CANNED_ACL_PRIVATE, CANNED_ACL_PUBLIC_READ
from .s3.reading import range_reader
from .s3.requests import Requests
from .s3.storing import Store
from .s3.uploads import Uploader
from .s3.urls import Urls, base_url, own_endpoint
from .utils import Content

__all__ = ['CANNED_ACL_PRIVATE', 'CANNED_ACL_PUBLIC_READ', 'S3Storage', 'S3StoredFile']

_log = logging.getLogger(__name__)


class S3Storage(FileStorage):
    """Files in a bucket of Amazon S3, or of a server that speaks its protocol.

    The key of a file is the ``prefix`` and its id. Without ``access_key_id``,
    boto3 looks for credentials where it always does. The bucket is by default
    called by the access key; it is made unless it is there.

    With the ``policy`` ``public-read``, the default, files have a plain URL that
    everybody can fetch; with ``private``, one that is signed and expires after
    ``url_expires`` seconds. With a ``public_url`` they are fetched below that,
    from a CDN that may read the bucket, whatever the policy.

    ``acl=False`` gives objects no ACL. ``encryption`` is ``AES256``, ``aws:kms``
    (with a ``kms_key_id``, or the account's own) or ``aws:kms:dsse``; with a
    ``customer_key`` of 32 bytes the server keeps no key, and there are no URLs.

    A content of more than ``multipart_threshold`` bytes is sent in parts of
    ``multipart_chunksize`` bytes, ``max_concurrency`` at a time; there are that
    many parts in memory. Timeouts are in seconds, for each of ``retries`` and
    one. A ready ``session`` or ``client`` of boto3 is used as it is.

    Raises :class:`~depot.errors.ConfigurationError` for options that do not fit
    the server, and :class:`~depot.errors.StorageFailure` for what it refuses
    later, both with the option to change.
    """

    capabilities = frozenset(
        {'atomic_replace', 'checksums', 'ranges', 'sorted_ids', 'batch_delete', 'unfinished', 'derived'}
    )

    def __init__(
        self,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        bucket: str | None = None,
        region_name: str | None = None,
        policy: str | None = None,
        storage_class: str | None = None,
        endpoint_url: str | None = None,
        prefix: str = '',
        *,
        acl: str | bool | None = None,
        encryption: str | None = None,
        kms_key_id: str | None = None,
        customer_key: bytes | str | None = None,
        addressing_style: str | None = None,
        connect_timeout: float | str | None = None,
        read_timeout: float | str | None = None,
        retries: int | str | None = None,
        session_token: str | None = None,
        session: Any = None,
        client: Any = None,
        public_url: str | None = None,
        url_expires: int | str = 3600,
        multipart_threshold: int | str = 8 * 1024 * 1024,
        multipart_chunksize: int | str = 8 * 1024 * 1024,
        max_concurrency: int | str = 4,
    ) -> None:
        self._policy = options.checked_policy(policy)
        self._storage_class = storage_class or 'STANDARD'
        self._transfer = options.checked_transfer(multipart_threshold, multipart_chunksize, max_concurrency)
        encrypted = options.encryption_headers(encryption, kms_key_id)
        encrypted_by_us = options.customer_key_headers(customer_key)
        if encrypted and encrypted_by_us:
            raise ConfigurationError('customer_key and encryption exclude each other; leave one of them out')
        name = bucket or default_bucket(access_key_id)
        options.checked_url('public_url', public_url)
        options.checked_url('endpoint_url', endpoint_url)
        acl = options.checked_acl(acl, self._policy)
        expires = options.whole_number('url_expires', url_expires, 1, options.LONGEST_EXPIRY)
        config = options.client_config(
            addressing_style, connect_timeout, read_timeout, retries, self._transfer.concurrency
        )

        self._conn = session or _session(access_key_id, secret_access_key, session_token)
        given = {'endpoint_url': endpoint_url, 'region_name': region_name, 'config': config}
        self._s3 = connected(self._conn, client, given)
        self._owns_client = client is None
        self._keys = Keys(prefix)
        self._bucket_driver = BucketDriver(self._s3, self._s3.Bucket(name), prefix)
        self._requests = Requests(self._s3.meta.client, name, encrypted_by_us)
        headers = {'StorageClass': self._storage_class, **encrypted}
        self._store = Store(Uploader(self._requests, acl, self._transfer), self._transfer, headers)
        self._derived = DerivedObjects(self._requests, self._keys, acl, self._transfer)
        base = base_url(name, public_url, endpoint_url or own_endpoint(self._requests.client), addressing_style)
        urls = None if encrypted_by_us else Urls(self._requests, base, expires)  # its key would go with each request
        is_private = self._policy == CANNED_ACL_PRIVATE and not public_url
        self._objects = Objects(self._requests, self._keys, urls, is_private)
        ensure_bucket(self._requests.client, name, acl == CANNED_ACL_PUBLIC_READ, region_name)

    def get(self, file_or_id: Any) -> S3StoredFile:
        key = self._keys.key(file_or_id)
        return S3StoredFile(self._objects, self._keys.id_of(key), key, self._objects.found(key))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        bare, *named = self.fileinfo(content, filename, content_type)
        self._store.store(self._keys.key(file_id), bare, lambda _: named, None)
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        key = self._keys.key(file_or_id)
        file_id = self._keys.id_of(key)
        if is_copy(file_id, content):
            bare, *named = self.fileinfo(content, filename, content_type)
            self._store.overwrite(key, bare, named)
        else:
            self._store.store(
                key,
                utils.bare_content(content),
                lambda existing: self.fileinfo(content, filename, content_type, existing)[1:],
                self._objects.found(key),
            )
        for error in self._derived.clear([file_id]).values():
            _log.warning('File %s is replaced; what is derived from the old one stays until clean(): %s', key, error)
        return file_id

    def delete(self, file_or_id: Any) -> None:
        key = self._keys.key(file_or_id)
        self._requests('delete_object', key)
        raise_first(self._derived.clear([self._keys.id_of(key)]))

    def exists(self, file_or_id: Any) -> bool:
        return self._requests.find(self._keys.key(file_or_id)) is not None

    def list(self) -> list[str]:
        return [*self.iter_ids()]

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        return listed(self._requests, self._keys, after)

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        key = self._keys.key(file_or_id)
        return range_reader(self._requests, self._keys.id_of(key), key, start, stop)

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        return delete_files(self._requests, self._keys, self._derived, ids)

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        aborted = abort_unfinished(self._requests, self._keys, before, dry_run)
        return [*aborted, *self._derived.clean(before, dry_run)]

    def url(
        self,
        file_or_id: Any,
        expires: float | None = None,
        filename: str | None = None,
        disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        return self._objects.url(self._keys.key(file_or_id), expires, filename, disposition, content_type)

    def get_derived(self, file_or_id: Any, key: str) -> S3StoredFile:
        key, (file_id, etag) = checked_key(key), self._described(file_or_id)
        place, found = self._derived.found(file_id, etag, key)
        return S3StoredFile(self._objects, file_id, place, found, is_derived=True)

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        key, (file_id, etag) = checked_key(key), self._described(file_or_id)
        bare, *named = self.fileinfo(content, filename, content_type)
        self._derived.put(file_id, etag, key, *self._store.prepared(bare, named))

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        raise_first(self._derived.delete(self._keys.id_of(self._keys.key(file_or_id)), key))

    def close(self) -> None:
        """Lets the connections go; for a program that goes on without the storage."""
        if self._owns_client:
            self._requests.client.close()

    def _described(self, file_or_id: Any) -> tuple[str, str]:
        """The id of a file, and the entity tag of the content that a stored file describes, or that there is now."""
        key = self._keys.key(file_or_id)
        is_ours = isinstance(file_or_id, S3StoredFile) and file_or_id._objects is self._objects
        is_described = is_ours and not file_or_id._is_derived
        return self._keys.id_of(key), file_or_id._etag if is_described else self._objects.found(key).etag


def _session(access_key_id: str | None, secret_access_key: str | None, session_token: str | None) -> Any:
    given = session_options(access_key_id, secret_access_key, session_token)
    with configuring():
        return boto3.Session(**given)
