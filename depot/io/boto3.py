"""Files in a bucket of Amazon S3, or of a server that speaks its protocol."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from ..errors import ConfigurationError
from . import utils
from .ids import checked_key, new_file_id
from .interfaces import FileStorage, StoredFile, is_copy
from .objects.answers import check_answers
from .objects.derived import raise_first
from .objects.forks import close_in_children
from .objects.headers import disposition_header, header_text, metadata_headers
from .objects.keys import Keys
from .objects.reading import ObjectReader
from .ranges import checked_range
from .s3 import options
from .s3.bucket import BucketDriver, ensure_bucket
from .s3.contents import Source
from .s3.deleting import delete_files
from .s3.derived import DerivedObjects
from .s3.failures import misconfigured
from .s3.listing import abort_unfinished, listed
from .s3.options import CANNED_ACL_PRIVATE, CANNED_ACL_PUBLIC_READ
from .s3.reading import object_reader, range_reader
from .s3.requests import Found, Requests, prepare
from .s3.uploads import Headers, Uploader
from .s3.urls import Urls, answer_headers, base_url, own_endpoint
from .utils import BareContent, Content

__all__ = ['CANNED_ACL_PRIVATE', 'CANNED_ACL_PUBLIC_READ', 'S3Storage', 'S3StoredFile']

_log = logging.getLogger(__name__)


class S3StoredFile(StoredFile):
    """A file of a :class:`S3Storage`."""

    def __init__(self, storage: S3Storage, file_id: str, key: str, found: Found) -> None:
        self._storage = storage
        self._key = key
        self._content: ObjectReader | None = None
        self._closed = False
        super().__init__(file_id)
        self.public_url_expires = storage._is_private
        self._describe(found)

    def _describe(self, found: Found) -> None:
        self._etag = found.etag
        self.filename = found.metadata.filename
        self.content_type = found.metadata.content_type
        self.content_length = found.metadata.content_length
        self.last_modified = found.metadata.modified_at
        self.checksum = found.metadata.checksum

    @property
    def public_url(self) -> str | None:
        return self._storage._public_url(self.file_id)

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise ValueError('I/O operation on closed file')
        if self._content is None:
            self._content = self._open()
        return self._content.read(n)

    def _open(self) -> ObjectReader:
        found, content = self._storage._opened(self.file_id, self._key)
        if found.etag != self._etag:  # replaced since: the new content comes with its own metadata
            self._describe(found)
        return content

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        if self._closed:
            raise ValueError('I/O operation on closed file')
        return range_reader(self._storage._requests, self.file_id, self._key, start, stop, self._etag)

    def close(self) -> None:
        self._closed = True
        if self._content is not None:
            self._content.close()

    @property
    def closed(self) -> bool:
        return self._closed


class S3DerivedFile(S3StoredFile):
    """A file that is derived from one of a :class:`S3Storage`."""

    def __init__(self, storage: S3Storage, file_id: str, key: str, found: Found) -> None:
        super().__init__(storage, file_id, key, found)
        self.public_url_expires = False

    @property
    def public_url(self) -> None:
        """None: only who knows its key finds it."""


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
        self._encryption = options.encryption_headers(encryption, kms_key_id)
        self._customer_key = options.customer_key_headers(customer_key)
        if self._encryption and self._customer_key:
            raise ConfigurationError('customer_key and encryption exclude each other; leave one of them out')
        self._is_private = self._policy == CANNED_ACL_PRIVATE and not public_url
        name = bucket or _default_bucket(access_key_id)
        options.checked_url('public_url', public_url)
        options.checked_url('endpoint_url', endpoint_url)
        acl = options.checked_acl(acl, self._policy)
        expires = options.whole_number('url_expires', url_expires, 1, options.LONGEST_EXPIRY)
        config = options.client_config(
            addressing_style, connect_timeout, read_timeout, retries, self._transfer.concurrency
        )
        given = {'endpoint_url': endpoint_url, 'region_name': region_name, 'config': config}

        self._conn = session or _session(access_key_id, secret_access_key, session_token)
        self._s3 = _resource(self._conn, client, {name: value for name, value in given.items() if value})
        self._owns_client = client is None
        close_in_children(self._s3.meta.client._endpoint.http_session)
        self._keys = Keys(prefix)
        self._bucket_driver = BucketDriver(self._s3, self._s3.Bucket(name), prefix)
        self._requests = Requests(self._s3.meta.client, name, self._customer_key)
        self._uploader = Uploader(self._requests, acl, self._transfer)
        self._derived = DerivedObjects(self._requests, self._keys, acl, self._transfer)
        base = base_url(name, public_url, endpoint_url or own_endpoint(self._requests.client), addressing_style)
        self._urls = Urls(self._requests, base, expires)
        ensure_bucket(self._requests.client, name, acl == CANNED_ACL_PUBLIC_READ, region_name)

    def get(self, file_or_id: Any) -> S3StoredFile:
        key = self._keys.key(file_or_id)
        return S3StoredFile(self, self._id(key), key, self._found(key))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        info = self.fileinfo(content, filename, content_type)
        self._store(self._keys.key(file_id), info[0], lambda _: info[1:], None)
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        key = self._keys.key(file_or_id)
        if is_copy(self._id(key), content):
            bare, *named = self.fileinfo(content, filename, content_type)
            source = Source(bare, self._transfer)
            self._uploader.overwrite(key, source, self._headers(named, utils.timestamp(), source.checksum))
        else:
            self._store(
                key,
                utils.bare_content(content),
                lambda existing: self.fileinfo(content, filename, content_type, existing)[1:],
                self._found(key),
            )
        for error in self._derived.clear([self._id(key)]).values():
            _log.warning('File %s is replaced; what is derived from the old one stays until clean(): %s', key, error)
        return self._id(key)

    def delete(self, file_or_id: Any) -> None:
        key = self._keys.key(file_or_id)
        self._requests('delete_object', key)
        raise_first(self._derived.clear([self._id(key)]))

    def exists(self, file_or_id: Any) -> bool:
        return self._requests.find(self._keys.key(file_or_id)) is not None

    def list(self) -> list[str]:
        return [*self.iter_ids()]

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        return listed(self._requests, self._keys, after)

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        key = self._keys.key(file_or_id)
        return range_reader(self._requests, self._id(key), key, start, stop)

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
        key = self._keys.key(file_or_id)
        found = self._found(key)
        headers = answer_headers(found.metadata.filename, filename, disposition, content_type)
        if self._customer_key:
            return None
        return self._urls.signed(key, expires, **headers) if self._is_private or headers else self._urls.plain(key)

    def get_derived(self, file_or_id: Any, key: str) -> S3DerivedFile:
        key, (file_id, etag) = checked_key(key), self._described(file_or_id)
        return S3DerivedFile(self, file_id, *self._derived.found(file_id, etag, key))

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
        source = Source(bare, self._transfer)
        headers = self._headers(named, utils.timestamp(), source.checksum)
        self._derived.put(file_id, etag, key, source, headers)

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        raise_first(self._derived.delete(self._id(self._keys.key(file_or_id)), key))

    def close(self) -> None:
        """Lets the connections go; for a program that goes on without the storage."""
        if self._owns_client:
            self._requests.client.close()

    def _id(self, key: str) -> str:
        return key[len(self._keys.prefix) :]

    def _found(self, key: str) -> Found:
        found = self._requests.find(key)
        if found is None:
            raise self._requests.missing(self._id(key), key)
        return found

    def _opened(self, file_id: str, key: str) -> tuple[Found, ObjectReader]:
        answer = self._requests.get(file_id, key)
        found = self._requests.found(key, answer)
        return found, object_reader(self._requests, key, answer, found.metadata.checksum)

    def _described(self, file_or_id: Any) -> tuple[str, str]:
        """The id of a file, and the entity tag of the content that a stored file describes, or that there is now."""
        key = self._keys.key(file_or_id)
        is_described = isinstance(file_or_id, S3StoredFile) and file_or_id._storage is self and file_or_id._key == key
        return self._id(key), file_or_id._etag if is_described else self._found(key).etag

    def _public_url(self, file_id: str) -> str | None:
        if self._customer_key:  # it would have to go with the request
            return None
        key = self._keys.key(file_id)
        return self._urls.signed(key) if self._is_private else self._urls.plain(key)

    def _store(self, key: str, content: BareContent, named: Callable[[Any], Any], existing: Found | None) -> None:
        modified = utils.timestamp()
        self._uploader.store(
            key,
            Source(content, self._transfer),
            lambda found, checksum: self._headers(named(found and found.metadata), modified, checksum),
            existing,
        )

    def _headers(self, named: Sequence[str | None], modified: str, checksum: str | None) -> Headers:
        filename, content_type = named
        return {
            'StorageClass': self._storage_class,
            'ContentType': header_text(content_type),
            'ContentDisposition': disposition_header(filename),
            'Metadata': metadata_headers(filename, modified, checksum),
            **self._encryption,
        }


def _default_bucket(access_key_id: str | None) -> str:
    if not access_key_id:
        raise ConfigurationError('name a bucket; only with an access_key_id there is a name by default')
    return f'filedepot-{access_key_id.lower()}'


def _session(access_key_id: str | None, secret_access_key: str | None, session_token: str | None) -> Any:
    if bool(access_key_id) != bool(secret_access_key):
        raise ConfigurationError('access_key_id and secret_access_key go together; give both, or none of them')
    token = {'aws_session_token': session_token} if session_token else {}
    with _configuring():
        return boto3.Session(
            aws_access_key_id=access_key_id or None, aws_secret_access_key=secret_access_key or None, **token
        )


def _resource(session: Any, client: Any, given: dict[str, Any]) -> Any:
    with _configuring():
        if client is not None:  # boto3 makes a resource with a client of its own; this is the same one with theirs
            return type(session.resource('s3', region_name=client.meta.region_name))(client=client)
        resource = session.resource('s3', **given)
        prepare(resource.meta.client)
        check_answers(resource.meta.client._endpoint.http_session._manager)
        return resource


@contextlib.contextmanager
def _configuring() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise misconfigured(error, 'connect to S3') from error
