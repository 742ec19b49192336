"""Reading a part of an object."""

from __future__ import annotations

import io
import re
from typing import Any

from ...errors import StorageFailure
from ..objects.reading import ObjectReader
from ..ranges import RangeReader, replaced, sendable, skip
from .failures import CONFLICT, S3Failure
from .requests import Requests

# RFC 9110 section 14.4.
_content_range = re.compile(r'bytes (\d+)-(\d+)/(\d+)').fullmatch

_UNSATISFIABLE = frozenset({'416', 'InvalidRange'})


def object_reader(requests: Requests, key: str, answer: dict[str, Any], checksum: str | None) -> ObjectReader:
    """The whole content of an answer; ``checksum`` is that which it must have, where it is known."""
    # Whatever reading a body raises, is of the backend: all kinds of errors of botocore, urllib3 and sockets.
    return ObjectReader(answer['Body'], requests.place(key), answer.get('ContentLength'), checksum, (Exception,))


def range_reader(requests: Requests, file_id: str, key: str, start: int, stop: int, etag: str = '') -> io.RawIOBase:
    """The bytes from ``start`` up to ``stop``, or the object's end; one request.

    With an ``etag`` they are of the content that has it; raises :class:`~depot.errors.FileMissing` if there is
    another one now.
    """
    start, stop = sendable(start, stop)
    if start == stop:
        _check_existing(requests, file_id, key, etag)
        return RangeReader(io.BytesIO(), 0)
    condition = {'IfMatch': etag} if etag else {}
    try:
        answer = requests.get(file_id, key, Range=f'bytes={start}-{stop - 1}', **condition)
    except S3Failure as error:
        if etag and error.code in CONFLICT:
            raise replaced(file_id) from None
        if error.code not in _UNSATISFIABLE:
            raise
        return RangeReader(io.BytesIO(), 0)  # the file ends before
    reader = object_reader(requests, key, answer, None)
    try:
        _check_etag(file_id, etag, answer.get('ETag', ''))
        return _limited(requests.place(key), reader, answer.get('ContentRange'), start, stop)
    except BaseException:
        reader.close()
        raise


def _check_existing(requests: Requests, file_id: str, key: str, etag: str) -> None:
    found = requests.find(key)
    if found is None:
        raise requests.missing(file_id, key)
    _check_etag(file_id, etag, found.etag)


def _check_etag(file_id: str, described: str, found: str) -> None:
    if described and found != described:  # not all servers know conditions
        raise replaced(file_id)


def _limited(place: str, reader: ObjectReader, answered: str | None, start: int, stop: int) -> io.RawIOBase:
    if answered is None:  # the server does not know ranges, and sends the whole
        skip(reader, start)
        return RangeReader(reader, stop - start)
    found = _content_range(answered)
    first, last, size = map(int, found.groups()) if found else (-1, -1, -1)
    if (first, last) != (start, min(stop, size) - 1):
        message = f'cannot read {place}: asked for bytes {start} to {stop - 1}, it answered {answered}'
        raise StorageFailure(message, place)
    return reader
