"""The one way to the server: each request names the bucket, and what goes wrong becomes an error of ours."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ...errors import FileMissing
from ..metadata import Metadata
from ..objects.headers import described
from .failures import MISSING, S3Failure, failure

# Files whose content was too long to be digested before it was sent; the field layer asks right after.
_REMEMBERED = 1024

_CHECKSUM_HEADERS = ('x-amz-checksum-sha256', 'x-amz-checksum-crc32')
_UNSIGNED = Config(s3={'payload_signing_enabled': False})


class Found(NamedTuple):
    """One object, as it was when it was asked for."""

    etag: str
    metadata: Metadata
    #: As the server gave it.
    headers: dict[str, str]


class Requests:
    """Requests to one bucket."""

    def __init__(self, client: Any, bucket: str, customer_key: dict[str, Any]) -> None:
        self.client = client
        self.bucket = bucket
        self._customer_key = customer_key
        self._checksums: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, operation: str, key: str | None = None, **params: Any) -> dict[str, Any]:
        """What the server answers; raises :class:`~.failures.S3Failure`."""
        if key is not None:
            params['Key'] = key
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(Bucket=self.bucket, **params)
        except (ClientError, BotoCoreError) as error:
            raise failure(error, f'{operation} {self.place(key)}', key) from error
        return answer

    def with_key(self, operation: str, key: str, **params: Any) -> dict[str, Any]:
        """As a call; for requests that need the key an object is encrypted with, where the application keeps it."""
        return self(operation, key, **self._customer_key, **params)

    def place(self, key: str | None = None) -> str:
        """How messages name the bucket, or an object in it."""
        return f'bucket {self.bucket}' if key is None else f'{key} in bucket {self.bucket}'

    def find(self, key: str) -> Found | None:
        """The object with this key; None if there is none."""
        try:
            return self.found(key, self.with_key('head_object', key))
        except S3Failure as error:
            if error.code in MISSING:
                return None
            raise

    def get(self, file_id: str, key: str, **params: Any) -> dict[str, Any]:
        """The object and its content, opened; raises :class:`~depot.errors.FileMissing`."""
        try:
            return self.with_key('get_object', key, **params)
        except S3Failure as error:
            if error.code in MISSING:
                raise self.missing(file_id, key) from None
            raise

    def missing(self, file_id: str, key: str) -> FileMissing:
        """The error for an object that is not there."""
        return FileMissing(f'File {file_id} not existing as {self.place(key)}', file_id)

    def found(self, key: str, answer: dict[str, Any]) -> Found:
        """What an answer tells of an object."""
        etag = answer.get('ETag', '')
        headers = answer.get('Metadata') or {}
        told = answer.get('LastModified')
        modified = told if isinstance(told, datetime) else None  # anything, where boto3 is patched
        metadata = described(headers, answer.get('ContentType'), answer.get('ContentLength'), modified)
        if metadata.checksum is None:
            metadata = metadata._replace(checksum=self._checksums.get((key, etag)))
        return Found(etag, metadata, headers)

    def remember(self, key: str, etag: str, checksum: str) -> None:
        """Knows the checksum of an object that could not be told to the server, as long as this process runs."""
        with self._lock:
            self._checksums[key, etag] = checksum
            if len(self._checksums) > _REMEMBERED:
                self._checksums.popitem(last=False)


def prepare(client: Any) -> None:
    """Makes a new client digest a content once, and sign its URLs in the way that all servers take."""
    events, config = client.meta.events, client.meta.config
    if 'payload_signing_enabled' not in (config.s3 or {}):
        unsigned = config.merge(_UNSIGNED)
        for operation in ('PutObject', 'UploadPart'):
            events.register(f'before-sign.s3.{operation}', functools.partial(_leave_to_the_checksum, unsigned))
    # botocore presigns by version 2, which newer regions and KMS refuse, unless a version is configured.
    events.register_first('choose-signer.s3', _version_4)


def _leave_to_the_checksum(unsigned: Config, request: Any, **_: Any) -> None:
    # A checksum header is signed, and the server compares the content with it: a signed digest is not needed, too.
    if any(each in request.headers for each in _CHECKSUM_HEADERS):
        request.context['client_config'] = unsigned


def _version_4(signature_version: str, **_: Any) -> str | None:
    return 's3v4-query' if signature_version in ('v4-query', 's3v4-query') else None
