"""What an ASGI server says of a request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from .request import Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_ENCODED_SLASH = re.compile(rb'%2f', re.IGNORECASE)


def request_path(scope: Scope) -> str:
    """The path below the application. It has the ``root_path`` at its front, but from servers of old.

    An encoded slash stays encoded, where the server tells: it separates nothing, and a file has one URL.
    """
    path = _decoded(scope)
    root = scope.get('root_path', '').rstrip('/')
    return path[len(root) :] if path == root or path.startswith(f'{root}/') else path


def _decoded(scope: Scope) -> str:
    raw, count = _ENCODED_SLASH.subn(b'%252F', (scope.get('raw_path') or b'').partition(b'?')[0])
    return unquote_to_bytes(raw).decode('utf-8', 'replace') if count else str(scope['path'])


def request_query(scope: Scope) -> str:
    """The query string, as it was sent."""
    return bytes(scope.get('query_string', b'')).decode('latin-1')


def request_of(scope: Scope) -> Request:
    """What of the request decides the answer."""
    fields: dict[str, str] = {}
    for name, value in scope['headers']:
        field, said = bytes(name).decode('latin-1').lower(), bytes(value).decode('latin-1')
        fields[field] = f'{fields[field]}, {said}' if field in fields else said
    return Request.of(scope['method'], fields.get)


def sends_by_path(scope: Scope) -> bool:
    """Whether the server can send a file by itself, when it is told a path."""
    return 'http.response.pathsend' in (scope.get('extensions') or {})
