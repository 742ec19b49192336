"""The answer to a request, in the words of WSGI."""

from __future__ import annotations

import concurrent.futures
import datetime
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ..errors import ConfigurationError, InvalidContent
from .body import BLOCK_SIZE, close_file
from .conditional import entity_tag, is_fresh
from .dates import make_date, parse_date
from .delivery import Delivery, deliver
from .description import describe
from .policy import Policy
from .request import FIELDS, Request
from .server import Answer, Undecided

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_STATUS_LINES = {each: f'{each.value} {each.phrase}' for each in HTTPStatus}

# What a request's header fields are called here, in their order.
_KEYS = tuple(f'HTTP_{each.upper().replace("-", "_")}' for each in FIELDS.values())


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


class FileServeApp:
    """A WSGI application that answers every request with one stored file, and closes it.

    It answers once, like the response that it is. ``cache_max_age`` is in
    seconds. The content goes through the ``wsgi.file_wrapper`` of the server,
    if it has one, unless ``replace_wsgi_filewrapper`` is true. A ``policy``
    says more than ``cache_max_age`` does, and takes its place: without one,
    anybody may keep a copy.

    Raises :class:`~depot.errors.InvalidContent` for what is no stored file,
    such as an ``UploadedFile``, whose ``file`` is one.
    """

    def __init__(
        self,
        storedfile: Any,
        cache_max_age: int,
        replace_wsgi_filewrapper: bool = False,
        policy: Policy | None = None,
    ) -> None:
        if isinstance(storedfile, dict):  # what a column holds; it has no content to close
            kind = type(storedfile).__name__
            raise InvalidContent(
                f'a stored file can be served, not the type {kind}; give the file of it: uploaded.file'
            )
        self.file = storedfile
        self.cache_max_age = cache_max_age
        self.replace_wsgi_filewrapper = replace_wsgi_filewrapper
        self._policy = policy

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.replace_wsgi_filewrapper:
            environ['wsgi.file_wrapper'] = _FileIter
        try:
            policy = self._policy or Policy(int(self.cache_max_age))
            return send(deliver(self.file, request_of(environ), policy), environ, start_response)
        except BaseException:
            close_file(self.file)
            raise

    def generate_etag(self) -> str | None:
        """The file's entity tag, quoted; see :func:`depot.serving.conditional.entity_tag`."""
        return entity_tag(describe(self.file))

    def has_been_modified(self, environ: Environ, etag: str | None, last_modified: datetime.datetime | None) -> bool:
        """Whether the client that sent this request lacks the file with this tag and date."""
        return not is_fresh(request_of(environ), etag, last_modified)

    def parse_date(self, value: str) -> datetime.datetime:
        """An HTTP date as UTC without a time zone; RuntimeError if it is none."""
        return parse_date(value)

    def make_date(self, instant: datetime.datetime) -> str:
        """A UTC instant without a time zone as an HTTP date."""
        return make_date(instant)


def waited(answer: Answer) -> Delivery:
    """The answer, after this thread has waited for it if it has to.

    Raises :class:`~depot.errors.ConfigurationError` if only an event loop could wait.
    """
    if isinstance(answer, Delivery):
        return answer
    if isinstance(answer, Undecided):
        answer.close()
        raise ConfigurationError(f'authorize or fingerprint gave {answer.said!r}, which says neither yes nor no')
    concurrent.futures.wait([answer.making], answer.seconds)
    return answer.answer()


def send(delivery: Delivery, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends an answer. What the server's own way does not know of, parts of a file, is sent block by block."""
    status, headers, body = delivery
    start_response(_STATUS_LINES[status], [*headers])  # to which others may add
    if isinstance(body, bytes):
        return [body] if body else []
    wrapper = environ.get('wsgi.file_wrapper', _FileIter) if status is HTTPStatus.OK else _FileIter
    content: Iterable[bytes] = wrapper(body, BLOCK_SIZE)
    return content


def request_path(environ: Environ) -> str:
    """The path below the application; WSGI hands over its bytes as if they were Latin-1.

    It does not tell an encoded slash from a slash, nor do some servers two at the beginning from one. A path that has
    such, by what the server says of the request as it came, is none: a file has one URL.
    """
    target: str = environ.get('RAW_URI') or environ.get('REQUEST_URI') or ''
    if target.startswith('//') or '%2f' in target.partition('?')[0].lower():
        return ''
    path: str = environ.get('PATH_INFO', '')
    return path.encode('latin-1', 'replace').decode('utf-8', 'replace')


def request_of(environ: Environ) -> Request:
    """What of the request decides the answer."""
    return Request(environ.get('REQUEST_METHOD', 'GET'), *map(environ.get, _KEYS))
