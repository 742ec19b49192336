"""Storing one object: by one request, or by a multipart upload, and never over what another writer stored."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from typing import Any, Protocol

from ...errors import FileMissing, StorageFailure
from .contents import Source
from .failures import CONFLICT, UNSUPPORTED, S3Failure
from .multipart import MultipartUpload
from .options import Transfer
from .requests import Found, Requests

# How often an upload is tried again because others have replaced the file meanwhile; each time, one of them got done.
_ATTEMPTS = 100

Headers = dict[str, Any]

#: The headers of an object: from the one that it replaces, and from the checksum, each where it is known.
Describe = Callable[['Found | None', 'str | None'], Headers]


class Upload(Protocol):
    """A content that is sent, or nearly."""

    def finish(self, headers: Headers, condition: Headers) -> None:
        """Makes it an object, under a condition that may fail; then it can be tried again."""


class Uploader:
    """Stores objects in one bucket."""

    def __init__(self, requests: Requests, acl: str | None, transfer: Transfer) -> None:
        self.requests = requests
        self.transfer = transfer
        self._acl = {} if acl is None else {'ACL': acl}
        self._conditional = True

    def overwrite(self, key: str, source: Source, headers: Headers) -> None:
        """Stores an object, whether there is one or not."""
        with self._upload(key, source) as upload:
            self._finish(key, upload, headers, {})

    def store(self, key: str, source: Source, describe: Describe, existing: Found | None) -> None:
        """Stores a new object, or one in place of the existing; another writer's is never lost, nor brought back.

        Raises :class:`~depot.errors.FileMissing` if the existing one is removed meanwhile.
        """
        checksum = source.checksum  # of a stream it is known in the end, when the headers have been sent
        with self._upload(key, source) as upload:
            for _ in range(_ATTEMPTS):
                headers = describe(existing, checksum)
                if self._finish(key, upload, headers, _condition(existing)):
                    return
                existing = self._next(key, existing)
        raise StorageFailure(f'cannot store {self.requests.place(key)}: others replace it again and again', key)

    def open(self, operation: str, key: str, **params: Any) -> dict[str, Any]:
        """A request that gives an object its ACL. The first bucket without ACLs is noticed, and never asked again."""
        try:
            return self.requests.with_key(operation, key, **params, **self._acl)
        except S3Failure as error:
            if error.code != 'AccessControlListNotSupported' or not self._acl:
                raise
        self._acl = {}
        return self.requests.with_key(operation, key, **params)

    def _upload(self, key: str, source: Source) -> contextlib.AbstractContextManager[Upload]:
        piece = source.only_piece
        if piece is None:
            return MultipartUpload(self, key, source)
        return contextlib.nullcontext(SingleUpload(self, key, source, piece))

    def _finish(self, key: str, upload: Upload, headers: Headers, condition: Headers) -> bool:
        """Whether the object is stored; False if another writer's is there, or gone."""
        try:
            upload.finish(headers, condition if self._conditional else {})
        except S3Failure as error:
            if condition and error.code in UNSUPPORTED and self._conditional:
                self._conditional = False
                return self._finish(key, upload, headers, condition)
            if self._is_done(key, headers, error):
                return True
            if error.code in CONFLICT:
                return False
            raise
        return True

    def _is_done(self, key: str, headers: Headers, error: S3Failure) -> bool:
        """Whether a request that failed has been done all the same: its answer was lost, and so it was sent twice."""
        if not (error.code is None or error.code in CONFLICT or error.is_of_server or error.code == 'NoSuchUpload'):
            return False
        with contextlib.suppress(S3Failure):
            found = self.requests.find(key)
            return found is not None and _lowered(found.headers) == _lowered(headers['Metadata'])
        return False

    def _next(self, key: str, existing: Found | None) -> Found | None:
        found = self.requests.find(key)
        if existing is None and found is not None:
            raise StorageFailure(f'cannot create {self.requests.place(key)}: it is there already', key)
        if existing is not None and found is None:
            raise FileMissing(f'{self.requests.place(key)} was deleted while it was replaced', key)
        return found


class SingleUpload:
    """A content that one request sends; the server compares it with its SHA-256."""

    def __init__(self, uploader: Uploader, key: str, source: Source, content: bytes) -> None:
        self._uploader = uploader
        self._key = key
        self._content = content
        self._checksum = base64.b64encode(bytes.fromhex((source.checksum or '').partition(':')[2])).decode()

    def finish(self, headers: Headers, condition: Headers) -> None:
        self._uploader.open(
            'put_object',
            self._key,
            Body=self._content,
            ChecksumSHA256=self._checksum,
            **headers,
            **condition,
        )


def _condition(existing: Found | None) -> Headers:
    return {'IfNoneMatch': '*'} if existing is None else {'IfMatch': existing.etag}


def _lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
