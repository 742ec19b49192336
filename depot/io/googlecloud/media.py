"""The bytes of an object, as a stream that goes on where a connection broke."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import requests
from google.api_core.exceptions import NotFound, from_http_response
from google.cloud.storage import Blob

# RFC 9110 section 14.4.
_content_range = re.compile(r'bytes (\d+)-(\d+)/.*').fullmatch

_UNSATISFIABLE = http.client.REQUESTED_RANGE_NOT_SATISFIABLE


class Media:
    """The stored bytes of an object, from ``start`` up to ``stop``, of which the first request is sent at once.

    After a broken connection it goes on with the rest of the same generation, for as long as ``retry`` says.
    Raises the errors of Google's packages: ``NotFound`` if there is no such object.
    """

    def __init__(self, blob: Blob, timeout: float, retry: Any, start: int = 0, stop: int | None = None) -> None:
        self._blob = blob
        self._timeout = timeout
        self._persist: Callable[[Any], Any] = retry or (lambda call: call)
        self._position = start
        self._stop = stop
        #: The generation of the object that is read; None until that is known.
        self.generation: int | None = None
        #: How many bytes there are; None if the server does not tell.
        self.length: int | None = None
        self._response: requests.Response | None = None
        self._persist(self._open)()
        self._end = None if self.length is None else start + self.length

    def read(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except Exception:
            block: bytes = self._persist(self._read)(size)
            return block

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    def _read(self, size: int) -> bytes:
        if self._response is None:
            self._open()
        assert self._response is not None
        try:
            # As it is stored: what is compressed there is neither as long, nor has the checksum, that we know.
            block: bytes = self._response.raw.read(size, decode_content=False)
        except BaseException:
            self.close()
            self._response = None
            raise
        self._position += len(block)
        if self._position == self._end:
            self._response.raw.release_conn()  # for the next request: closing would end the connection
        return block

    def _open(self) -> None:
        response = self._blob.client._http.get(self._url(), headers=self._headers(), stream=True, timeout=self._timeout)
        try:
            self._check(response)
        except BaseException:
            response.close()
            raise
        self._response = response

    def _url(self) -> str:
        query = {'alt': 'media'}
        if self.generation is not None:
            query['generation'] = str(self.generation)
        if self._blob.user_project is not None:
            query['userProject'] = self._blob.user_project
        path = f'/download/storage/v1/b/{quote(self._blob.bucket.name)}/o/{quote(self._blob.name, safe="")}'
        return f'{self._blob.client.api_endpoint}{path}?{urlencode(query)}'

    def _headers(self) -> dict[str, str]:
        headers = {'Accept-Encoding': 'gzip'}  # else Google unpacks what is stored as gzip
        if self._position or self._stop is not None:
            last = '' if self._stop is None else self._stop - 1
            headers['Range'] = f'bytes={self._position}-{last}'
        return headers

    def _check(self, response: requests.Response) -> None:
        """Raises for an answer that does not begin at our position."""
        status = response.status_code
        if self.generation is not None and status == http.client.NOT_FOUND:
            raise NotFound('it was replaced or deleted while it was read')
        if status == _UNSATISFIABLE and self.generation is None:  # the object ends before the range begins
            response.raw.read()
            self.length = 0
        elif status == (http.client.PARTIAL_CONTENT if 'Range' in response.request.headers else http.client.OK):
            self._learn(response)
        else:
            raise from_http_response(response)

    def _learn(self, response: requests.Response) -> None:
        """What an answer says of what follows; one that ends within its headers is a broken connection."""
        length = response.headers.get('Content-Length', '')
        if response.status_code == http.client.PARTIAL_CONTENT:
            length = self._checked_length(response.headers.get('Content-Range', ''))
        if self.length is None:
            self.length = int(length) if length.isdigit() else None
        if self.generation is None:
            generation = response.headers.get('X-Goog-Generation', '')
            self.generation = int(generation) if generation.isdigit() else None

    def _checked_length(self, content_range: str) -> str:
        found = _content_range(content_range)
        if found is None or int(found[1]) != self._position:
            raise ConnectionError(f'asked for the bytes from {self._position}, and got {content_range!r}')
        return str(int(found[2]) - self._position + 1)
