"""The answer to one request for one stored file, whatever the server."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from ..errors import InvalidDate
from .conditional import entity_tag, precondition, range_applies
from .dates import make_date
from .description import Description
from .digest import repr_digest, wants_digest
from .disposition import disposition_headers
from .policy import Policy
from .ranges import Part, Span, content_range, multipart, requested_spans, size
from .request import Request

Headers = list[tuple[str, str]]

# What most clients send.
_PLAIN = (Request('GET'), Request('HEAD'))

# What RFC 9110 section 15.4.5 asks a 304 to repeat; a date only where there is no tag.
_KEPT_WHEN_FRESH = {'Cache-Control', 'ETag', 'Expires'}

# What may stand in a URL (RFC 3986 section 2): all else is percent-encoded, line breaks first of all.
_URL_CHARS = "%:/?#[]@!$&'()*+,;=~"


class Response(NamedTuple):
    """The status, the headers, and the body: bytes as they are, and parts of the file.

    The body of a HEAD is described by the headers and not here. None is the
    whole file, whatever its length.
    """

    status: HTTPStatus
    headers: Headers
    body: tuple[Part, ...] | None = ()


def respond(file: Description, request: Request, policy: Policy, now: datetime.datetime) -> Response:
    """The answer to a GET or HEAD. Nobody changes its headers: it may be given again, in the same second."""
    if not isinstance(policy.inline, Hashable):
        policy = policy._replace(inline=frozenset(policy.inline))
    # What clients make up is not kept in memory.
    answer = _remembered if request in _PLAIN else _answer
    return answer(file, request, policy, now.replace(microsecond=0))


def _answer(file: Description, request: Request, policy: Policy, now: datetime.datetime) -> Response:
    response = _answer_to_get(file, request, policy, now)
    return response._replace(body=()) if request.method == 'HEAD' else response


_remembered = lru_cache(1024)(_answer)


def _answer_to_get(file: Description, request: Request, policy: Policy, now: datetime.datetime) -> Response:
    etag = entity_tag(file)
    try:
        status = precondition(request, etag, file.last_modified)
    except InvalidDate as error:
        return plain(HTTPStatus.BAD_REQUEST, f'If-Modified-Since: {error}')
    if status is HTTPStatus.PRECONDITION_FAILED:
        return plain(status)
    headers = headers_for(file, request, policy, now)
    if status is HTTPStatus.NOT_MODIFIED:
        return Response(status, _kept_when_fresh(headers))
    spans = _spans(file, request, etag, now)
    return _whole(file, headers) if spans is None else _partial(file, headers, spans)


def _spans(file: Description, request: Request, etag: str | None, now: datetime.datetime) -> list[Span] | None:
    """What is asked for; None for the whole file. Section 14.2: ``Range`` is defined for GET only."""
    if request.range is None or request.method != 'GET' or not file.has_ranges or file.content_length is None:
        return None
    if not range_applies(request, etag, file.last_modified, now):
        return None
    return requested_spans(request.range, file.content_length)


def _whole(file: Description, headers: Headers) -> Response:
    length = file.content_length
    if length is None:
        return Response(HTTPStatus.OK, headers, None)
    body = (Span(0, length),) if file.has_ranges else None
    return Response(HTTPStatus.OK, [*headers, ('Content-Length', str(length))], body)


def _partial(file: Description, headers: Headers, spans: list[Span]) -> Response:
    length = file.content_length or 0
    if not spans:
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        return plain(status, headers=[('Content-Range', content_range(None, length)), ('Accept-Ranges', 'bytes')])
    body: tuple[Part, ...] = (spans[0],)
    extra = [('Content-Range', content_range(spans[0], length))]
    if len(spans) > 1:
        media_type, body = multipart(spans, length, dict(headers)['Content-Type'])
        headers = [(name, value) for name, value in headers if name != 'Content-Type']
        extra = [('Content-Type', media_type)]
    return Response(HTTPStatus.PARTIAL_CONTENT, [*extra, *headers, ('Content-Length', str(size(body)))], body)


def headers_for(file: Description, request: Request, policy: Policy, now: datetime.datetime) -> Headers:
    """What is said of a file whose content is sent, whole or in part."""
    lasting = _lasting_headers(file, policy)
    digest = repr_digest(file.checksum) if request.want_repr_digest and wants_digest(request.want_repr_digest) else None
    return [*lasting, *_dated(file, now), *([('Repr-Digest', digest)] if digest else []), *_caching(policy, now)]


@lru_cache(1024)
def _lasting_headers(file: Description, policy: Policy) -> Headers:
    """What is said of it whenever it is asked for; nobody changes this list."""
    etag = entity_tag(file)
    ranges = 'bytes' if file.has_ranges and file.content_length is not None else 'none'
    return [*disposition_headers(file, policy), ('Accept-Ranges', ranges), *([('ETag', etag)] if etag else [])]


def plain(status: HTTPStatus, text: str = '', headers: Headers | None = None) -> Response:
    """An answer in words, which is for this once: the next one may get another."""
    body = f'{text or status.phrase}\n'.encode()
    about = [
        ('Content-Type', 'text/plain; charset=utf-8'),
        ('Content-Length', str(len(body))),
        ('X-Content-Type-Options', 'nosniff'),
        ('Cache-Control', 'no-store'),
    ]
    return Response(status, [*(headers or []), *about], (body,))


def redirect(url: str, permanent: bool = True) -> Response:
    """To where the backend itself serves the file: for good, or for this once, because the URL will expire."""
    status = HTTPStatus.MOVED_PERMANENTLY if permanent else HTTPStatus.FOUND
    location = quote(url, safe=_URL_CHARS, errors='replace')
    response = plain(status, headers=[('Location', location)])
    kept = [each for each in response.headers if not permanent or each[0] != 'Cache-Control']
    return response._replace(headers=kept)


def _dated(file: Description, now: datetime.datetime) -> Headers:
    """RFC 9110 section 8.8.2.1: a file from the future is as old as the answer."""
    return [] if file.last_modified is None else [('Last-Modified', make_date(min(file.last_modified, now)))]


def _caching(policy: Policy, now: datetime.datetime) -> Headers:
    if policy.cache == 'no-store':
        return [('Cache-Control', 'no-store')]
    expires = now.replace(microsecond=0) + datetime.timedelta(seconds=policy.cache_max_age)
    return [('Cache-Control', f'max-age={policy.cache_max_age}, {policy.cache}'), ('Expires', make_date(expires))]


def _kept_when_fresh(headers: Headers) -> Headers:
    names = {name for name, _ in headers}
    kept = _KEPT_WHEN_FRESH if 'ETag' in names else _KEPT_WHEN_FRESH | {'Last-Modified'}
    return [(name, value) for name, value in headers if name in kept]
