"""A client that calls a WSGI application as a strict server does."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator


class Answer(NamedTuple):
    """What came through WSGI."""

    status: int
    headers: dict[str, str]
    body: bytes


def environment(path='/', method='GET', **changes):
    """What a server says of a request."""
    path_info = path.encode().decode('latin-1')  # as PEP 3333 wants it
    environ = {'REQUEST_METHOD': method, 'PATH_INFO': path_info, 'QUERY_STRING': '', 'SCRIPT_NAME': '', **changes}
    setup_testing_defaults(environ)
    return environ


def ask(app, path='/', method='GET', **changes):
    """The application's answer; it is an error if either side breaks the rules of PEP 3333."""
    said = []

    def start_response(status, headers, exc_info=None):
        said.append((int(status[:3]), dict(headers)))
        return lambda data: None

    with closing(validator(app)(environment(path, method, **changes), start_response)) as body:
        content = b''.join(body)
    return Answer(*said[-1], content)
