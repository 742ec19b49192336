"""The answer to a request, in the words of WSGI."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ..errors import StorageFailure
from ..utils import utcnow_naive
from .conditional import Conditions, entity_tag, is_fresh, make_date, parse_date
from .description import describe
from .response import Policy, Response, plain, respond

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

#: Bytes that are read and sent at a time.
BLOCK_SIZE = 64 * 1024


class _FileIter:
    """The content of a file in blocks; closes the file at its end, and when it is closed itself."""

    def __init__(self, file: Any, block_size: int) -> None:
        self._file = file
        self._blocks = iter(lambda: file.read(block_size), b'')

    def __iter__(self) -> _FileIter:
        return self

    def __next__(self) -> bytes:
        block: bytes = next(self._blocks, b'')
        if not block:
            self.close()
            raise StopIteration
        return block

    def close(self) -> None:
        close_file(self._file)


class OpenedFile:
    """A file whose first block has been read, and is read again from here.

    Only after its first read does a stored file describe the content that it
    gives. It has no ``fileno``, so a server cannot send past this object.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._first: bytes = file.read(BLOCK_SIZE)

    def read(self, n: int = -1) -> bytes:
        if n < 0:
            first, self._first = self._first, b''
            rest: bytes = self._file.read()
            return first + rest
        if self._first:
            block, self._first = self._first[:n], self._first[n:]
        else:
            block = self._file.read(n)
        return block

    def close(self) -> None:
        close_file(self._file)


class FileServeApp:
    """A WSGI application that answers every request with one stored file, and closes it.

    It answers once, like the response that it is. ``cache_max_age`` is in
    seconds. The content goes through the ``wsgi.file_wrapper`` of the server,
    if it has one, unless ``replace_wsgi_filewrapper`` is true.
    """

    def __init__(self, storedfile: Any, cache_max_age: int, replace_wsgi_filewrapper: bool = False) -> None:
        self.file = storedfile
        self.cache_max_age = cache_max_age
        self.replace_wsgi_filewrapper = replace_wsgi_filewrapper

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.replace_wsgi_filewrapper:
            environ['wsgi.file_wrapper'] = _FileIter
        try:
            return self._serve(environ, start_response)
        except BaseException:
            close_file(self.file)
            raise

    def _serve(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = self._respond(_conditions(environ))
        if response.status is HTTPStatus.OK and environ['REQUEST_METHOD'] != 'HEAD':
            return self._send(environ, start_response)
        close_file(self.file)
        return send(response, environ, start_response)

    def _send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            opened = OpenedFile(self.file)
        except StorageFailure:
            raise
        except OSError:  # deleted since it was found
            close_file(self.file)
            return send(plain(HTTPStatus.NOT_FOUND), environ, start_response)
        # Asked for again: the content may be newer than what was found.
        _start(self._respond(Conditions()), start_response)
        body: Iterable[bytes] = environ.get('wsgi.file_wrapper', _FileIter)(opened, BLOCK_SIZE)
        return body

    def _respond(self, conditions: Conditions) -> Response:
        return respond(describe(self.file), conditions, Policy(int(self.cache_max_age)), utcnow_naive())

    def generate_etag(self) -> str | None:
        """The file's entity tag, quoted; see :func:`depot.serving.conditional.entity_tag`."""
        return entity_tag(describe(self.file))

    def has_been_modified(self, environ: Environ, etag: str | None, last_modified: datetime.datetime | None) -> bool:
        """Whether the client that sent this request lacks the file with this tag and date."""
        return not is_fresh(_conditions(environ), etag, last_modified)

    def parse_date(self, value: str) -> datetime.datetime:
        """An HTTP date as UTC without a time zone; RuntimeError if it is none."""
        return parse_date(value)

    def make_date(self, instant: datetime.datetime) -> str:
        """A UTC instant without a time zone as an HTTP date."""
        return make_date(instant)


def send(response: Response, environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Sends an answer that is not a file's content."""
    _start(response, start_response)
    return [response.body] if response.body and environ['REQUEST_METHOD'] != 'HEAD' else []


def close_file(file: Any) -> None:
    """Closes a stored file; those of third-party storages may have nothing to close."""
    close = getattr(file, 'close', None)
    if close is not None:
        close()


def request_path(environ: Environ) -> str:
    """The path below the application; WSGI hands over its bytes as if they were Latin-1."""
    path: str = environ.get('PATH_INFO', '')
    return path.encode('latin-1', 'replace').decode('utf-8', 'replace')


def _start(response: Response, start_response: StartResponse) -> None:
    start_response(f'{response.status.value} {response.status.phrase}', response.headers)


def _conditions(environ: Environ) -> Conditions:
    return Conditions(environ.get('HTTP_IF_NONE_MATCH'), environ.get('HTTP_IF_MODIFIED_SINCE'))
