"""Sending a content: in one request if it is small, in pieces of a resumable upload if it is not."""

from __future__ import annotations

import collections
import hashlib
import logging
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Blob

from ...errors import StorageFailure
from ..objects.headers import CHECKSUM
from ..utils import Content, blocks
from .errors import failing, failure

log = logging.getLogger(__name__)

#: Bytes; a content that is smaller goes in one request. The SDK's own limit, above which it takes three.
ONE_REQUEST = 8 * 1024 * 1024

#: By this an upload is told from another one, until the checksum is there in its place.
UPLOAD = 'x-depot-upload'


class ContentStream:
    """A content as the SDK reads it: as many bytes as it asks for, from a known position; digested on the way."""

    def __init__(self, content: Content) -> None:
        self._blocks = blocks(content)
        self._pending: collections.deque[memoryview] = collections.deque()
        self._position = 0
        self._digest = hashlib.sha256()
        self._digested = 0
        self._thread: ThreadPoolExecutor | None = None
        self._digesting: Future[None] | None = None
        #: What the content itself raised.
        self.error: BaseException | None = None

    @property
    def checksum(self) -> str:
        """``sha256:`` and the digest of all that was read."""
        self._wait()
        return f'sha256:{self._digest.hexdigest()}'

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        pieces: list[memoryview] = []
        missing = size
        while missing and (block := self._next()):
            pieces.append(block[:missing])
            if len(block) > missing:
                self._pending.appendleft(block[missing:])
            missing -= len(pieces[-1])
        read = b''.join(pieces)
        self._digest_new(read)
        self._position += len(read)
        return read

    def digest_in(self, thread: ThreadPoolExecutor) -> None:
        """From now on, a thread digests what was read while it is sent."""
        self._thread = thread

    def unread(self, block: bytes) -> None:
        """Puts back what was read last."""
        self._pending.appendleft(memoryview(block))
        self._position -= len(block)

    def _next(self) -> memoryview:
        if self._pending:
            return self._pending.popleft()
        try:
            block = next(filter(None, self._blocks), b'')
        except BaseException as error:
            self.error = error
            raise
        return memoryview(block)

    def _digest_new(self, block: bytes) -> None:
        self._wait()  # so that no more than this one block waits
        new = memoryview(block)[self._digested - self._position :]  # not again what was unread
        self._digested += len(new)
        if self._thread is None:
            self._digest.update(new)
        else:
            self._digesting = self._thread.submit(self._digest.update, new)

    def _wait(self) -> None:
        if self._digesting is not None:
            self._digesting.result()


def upload(blob: Blob, content: Content, content_type: str, **conditions: Any) -> bool:
    """Stores a content as an object, whose attributes were set before; False if the conditions forbid it.

    ``conditions`` are arguments of the SDK: preconditions, timeout, retry. A response that was lost is no failure
    if the object is there. Raises what the content raises, and :class:`~depot.errors.StorageFailure`.
    """
    stream = ContentStream(content)
    head = stream.read(ONE_REQUEST)
    is_small = len(head) < ONE_REQUEST
    mark = {CHECKSUM: stream.checksum} if is_small else {UPLOAD: secrets.token_hex(16)}
    blob.metadata = {**blob.metadata, **mark}
    try:
        if is_small:
            blob.upload_from_string(head, content_type, **conditions)
        else:
            stream.unread(head)
            del head
            with ThreadPoolExecutor(1, 'depot-gcs-digest') as thread:
                stream.digest_in(thread)
                blob.upload_from_file(stream, content_type=content_type, **conditions)
    except Exception as error:
        if error is stream.error:
            raise
        if not _is_there(blob, mark, stream.tell(), conditions):
            if isinstance(error, PreconditionFailed):
                return False
            raise failure('store the object', blob.name, error) from error
    if not is_small:
        _tell_checksum(blob, stream.checksum, conditions)
    return True


def _is_there(blob: Blob, mark: dict[str, str], size: int, conditions: dict[str, Any]) -> bool:
    """Whether the object is the one that was sent; if so, the blob knows what the server knows of it."""
    found = blob.bucket.blob(blob.name)
    try:
        with failing('look for the object', blob.name):
            found.reload(timeout=conditions['timeout'], retry=conditions['retry'])
    except StorageFailure:
        return False
    if found.size != size or not mark.items() <= (found.metadata or {}).items():
        return False
    blob._set_properties(found._properties)
    return True


def _tell_checksum(blob: Blob, checksum: str, conditions: dict[str, Any]) -> None:
    """Writes down the checksum, which was not known when the upload began.

    The file is whole, and checked by the server, whether this is done or not. So a failure is none of the upload's.
    """
    blob.metadata = {**blob.metadata, UPLOAD: None, CHECKSUM: checksum}
    try:
        blob.patch(
            if_generation_match=blob.generation,
            if_metageneration_match=blob.metageneration,
            timeout=conditions['timeout'],
            retry=conditions['retry'],
        )
    except (NotFound, PreconditionFailed):
        pass  # replaced or deleted meanwhile; or done, and the response was lost
    except Exception as error:
        log.warning('The object %s is stored, but has no checksum: %s', blob.name, error)
