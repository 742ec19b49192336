"""One multipart upload: its parts go side by side, within a bound, and nothing is left of one that fails."""

from __future__ import annotations

import base64
import logging
import secrets
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...errors import InvalidContent, StorageFailure
from .contents import MOST_PARTS, Source
from .failures import MISSING, S3Failure
from .requests import Requests

if TYPE_CHECKING:
    from .uploads import Headers, Uploader

#: Tells an upload by its object, where the checksum was not known when it began.
UPLOAD = 'x-depot-upload'

_log = logging.getLogger('depot.io.boto3')


class MultipartUpload:
    """A content that is sent in parts; each is compared by the server with its CRC-32."""

    def __init__(self, uploader: Uploader, key: str, source: Source) -> None:
        self._uploader = uploader
        self._requests = uploader.requests
        self._key = key
        self._source = source
        # Where the checksum does not tell an object from another one.
        self._mark = {} if source.checksum else {UPLOAD: secrets.token_hex(16)}
        # The bytes that are on their way stay the same when parts are larger.
        fitting = uploader.transfer.concurrency * uploader.transfer.part_size // source.piece_size
        self._concurrency = max(1, fitting)
        self._headers: Headers | None = None
        self._is_new = False
        self._is_lost = False  # an upload may have begun whose id never came back
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def __enter__(self) -> MultipartUpload:
        return self

    def finish(self, headers: Headers, condition: Headers) -> None:
        headers['Metadata'].update(self._mark)
        if self._headers is None:
            self._headers = headers
            self._is_new = 'IfNoneMatch' in condition
            self._begin(headers)
            self._parts = [*self._sent()]
        elif headers != self._headers:  # they were given when the upload began
            raise StorageFailure(
                f'cannot replace {self._requests.place(self._key)}: another writer has changed its name or type '
                'while a large content was sent; try again',
                self._key,
            )
        answer = self._requests.with_key(
            'complete_multipart_upload',
            self._key,
            UploadId=self._id,
            MultipartUpload={'Parts': self._parts},
            **condition,
        )
        self._id = None
        if self._source.checksum:
            self._requests.remember(self._key, answer.get('ETag', ''), self._source.checksum)

    def _begin(self, headers: Headers) -> None:
        self._is_lost = True
        answer = self._uploader.open('create_multipart_upload', self._key, ChecksumAlgorithm='CRC32', **headers)
        self._id = answer['UploadId']
        self._is_lost = answer.get('ResponseMetadata', {}).get('RetryAttempts', 0) > 0

    def _sent(self) -> Iterator[dict[str, Any]]:
        """Sends the parts, and gives what the server made of them, in order."""
        waiting: deque[Future[dict[str, Any]]] = deque()
        threads = ThreadPoolExecutor(self._concurrency, 'depot-s3')
        try:
            for number, piece in enumerate(self._source.pieces(), 1):
                self._check_number(number)
                waiting.append(threads.submit(self._send, number, piece))
                if len(waiting) == self._concurrency:
                    yield waiting.popleft().result()
            for each in waiting:
                yield each.result()
        finally:
            threads.shutdown(cancel_futures=True)  # all of them have ended when an upload is given up

    def _check_number(self, number: int) -> None:
        if number > MOST_PARTS:
            raise InvalidContent(
                f'the content has more than {MOST_PARTS} parts of {self._source.piece_size} bytes; '
                'set multipart_chunksize higher, or give a file that can seek'
            )

    def _send(self, number: int, piece: bytes) -> dict[str, Any]:
        crc = zlib.crc32(piece)
        self._source.check(number, crc)
        checksum = base64.b64encode(crc.to_bytes(4, 'big')).decode()
        answer = self._requests.with_key(
            'upload_part', self._key, UploadId=self._id, PartNumber=number, Body=piece, ChecksumCRC32=checksum
        )
        part = {'PartNumber': number, 'ETag': answer['ETag']}
        # A server that knows no checksums does not give them back, and would not take them either.
        return {**part, 'ChecksumCRC32': checksum} if 'ChecksumCRC32' in answer else part

    def __exit__(self, *error: object) -> None:
        try:
            if self._id is not None:
                self._abort(self._id)
            if self._is_lost and self._is_new:  # nobody else uploads under a new id
                for each in unfinished(self._requests, self._key):
                    self._abort(each['UploadId'])
        except S3Failure as failure:
            _log.warning('a multipart upload may be left until clean() removes it: %s', failure)

    def _abort(self, upload_id: str) -> None:
        abort(self._requests, self._key, upload_id)


def unfinished(requests: Requests, prefix: str) -> Iterator[dict[str, Any]]:
    """The multipart uploads of keys with this prefix that have begun, and not ended."""
    markers: dict[str, Any] = {}
    while True:
        page = requests('list_multipart_uploads', Prefix=prefix, **markers)
        yield from page.get('Uploads', ())
        if page.get('IsTruncated') is not True:
            return
        markers = {'KeyMarker': page['NextKeyMarker'], 'UploadIdMarker': page['NextUploadIdMarker']}


def abort(requests: Requests, key: str, upload_id: str) -> None:
    """Removes the parts of an upload; one that has ended is nothing to remove."""
    try:
        requests('abort_multipart_upload', key, UploadId=upload_id)
    except S3Failure as error:
        if error.code not in MISSING:
            raise
