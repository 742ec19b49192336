"""Answers of HTTP that came to their end."""

from __future__ import annotations

import http.client
from typing import IO, Any

from urllib3 import HTTPConnectionPool, PoolManager

_EMPTY_LINES = (b'\r\n', b'\n')
_CUT = 'the connection ended among the headers of the answer'


def check_answers(manager: PoolManager) -> None:
    """Makes connections that are opened from now on fail where an answer ends among its headers, or in its body.

    Python takes the end of a connection for the end of the headers. So an answer that was cut has no length, which
    makes it an empty content, or an empty list, or no filename: all without an error. And botocore lets bodies be
    shorter than their head says; of an empty one it makes an empty list. What fails is tried again.
    """
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _checking(pool) for scheme, pool in pools.items()}


def _checking(pool: Any) -> Any:
    changes = {'response_class': _Answer, '_consume_headers': _skip_headers}
    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), changes)

    def urlopen(self: HTTPConnectionPool, *args: Any, **options: Any) -> Any:
        return pool.urlopen(self, *args, **{**options, 'enforce_content_length': True})

    checking: type[HTTPConnectionPool] = type(pool.__name__, (pool,), {'ConnectionCls': connection, 'urlopen': urlopen})
    return checking


def _skip_headers(_connection: Any, file: IO[bytes]) -> None:
    """In place of botocore's own, for an answer that only says 'continue': that reads for ever after the end."""
    while (line := file.readline()) not in _EMPTY_LINES:
        if not line:
            raise http.client.RemoteDisconnected(_CUT)


class _Answer(http.client.HTTPResponse):
    def begin(self) -> None:
        file, lines = self.fp, _Lines(self.fp)
        vars(self)['fp'] = lines
        super().begin()
        if vars(self)['fp'] is lines:  # there may be no body, and then no file any more
            self.fp = file
        if lines.last not in _EMPTY_LINES:  # RFC 9112 section 2.1: an empty line ends the head
            raise http.client.RemoteDisconnected(_CUT)


class _Lines:
    """A file that knows which line was the last."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.last = b''

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.file.readline(limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)
