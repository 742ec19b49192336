"""The answer to one request for one stored file, whatever the server."""

from __future__ import annotations

import datetime
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from ..errors import InvalidDate
from ..utils import make_content_disposition
from .conditional import Conditions, entity_tag, is_fresh, make_date
from .description import Description
from .media import SANDBOX, checked_content_type, is_passive

Headers = list[tuple[str, str]]

# What RFC 9110 section 15.4.5 asks a 304 to repeat; a date only where there is no tag.
_KEPT_WHEN_FRESH = {'Cache-Control', 'ETag', 'Expires'}

# What may stand in a URL (RFC 3986 section 2): all else is percent-encoded, line breaks first of all.
_URL_CHARS = "%:/?#[]@!$&'()*+,;=~"


class Response(NamedTuple):
    """The status and the headers; the body of a 200 is the file's content."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b''


class Policy(NamedTuple):
    """What the application chose."""

    #: Seconds for which a copy may be used without asking.
    cache_max_age: int


def respond(file: Description, conditions: Conditions, policy: Policy, now: datetime.datetime) -> Response:
    """The answer to a GET; that to a HEAD is the same without the body."""
    try:
        fresh = is_fresh(conditions, entity_tag(file), file.last_modified)
    except InvalidDate as error:
        return plain(HTTPStatus.BAD_REQUEST, f'If-Modified-Since: {error}')
    headers = headers_for(file, policy, now)
    if fresh:
        return Response(HTTPStatus.NOT_MODIFIED, _kept_when_fresh(headers))
    return Response(HTTPStatus.OK, headers)


def headers_for(file: Description, policy: Policy, now: datetime.datetime) -> Headers:
    """What is said of a file whose content is sent."""
    return [*_content_headers(file), *_validators(file), *_caching(policy, now)]


def plain(status: HTTPStatus, text: str = '') -> Response:
    """An answer in words."""
    body = f'{text or status.phrase}\n'.encode()
    headers = [
        ('Content-Type', 'text/plain; charset=utf-8'),
        ('Content-Length', str(len(body))),
        ('X-Content-Type-Options', 'nosniff'),
    ]
    return Response(status, headers, body)


def redirect(url: str, permanent: bool = True) -> Response:
    """To where the backend itself serves the file: for good, or for this once, because the URL will expire."""
    status = HTTPStatus.MOVED_PERMANENTLY if permanent else HTTPStatus.FOUND
    _, headers, body = plain(status)
    if not permanent:
        headers = [('Cache-Control', 'no-store'), *headers]
    location = quote(url, safe=_URL_CHARS, errors='replace')
    return Response(status, [('Location', location), *headers], body)


def _content_headers(file: Description) -> Headers:
    content_type = checked_content_type(file.content_type)
    passive = is_passive(content_type)
    headers = [
        ('Content-Type', content_type),
        ('Content-Disposition', make_content_disposition('inline' if passive else 'attachment', file.filename)),
        ('X-Content-Type-Options', 'nosniff'),
    ]
    if not passive:
        headers.append(('Content-Security-Policy', SANDBOX))
    if file.content_length is not None:
        headers.append(('Content-Length', str(file.content_length)))
    return headers


def _validators(file: Description) -> Headers:
    etag = entity_tag(file)
    headers = [('ETag', etag)] if etag else []
    if file.last_modified is not None:
        headers.append(('Last-Modified', make_date(file.last_modified)))
    return headers


def _caching(policy: Policy, now: datetime.datetime) -> Headers:
    expires = now + datetime.timedelta(seconds=policy.cache_max_age)
    return [('Cache-Control', f'max-age={policy.cache_max_age}, public'), ('Expires', make_date(expires))]


def _kept_when_fresh(headers: Headers) -> Headers:
    names = {name for name, _ in headers}
    kept = _KEPT_WHEN_FRESH if 'ETag' in names else _KEPT_WHEN_FRESH | {'Last-Modified'}
    return [(name, value) for name, value in headers if name in kept]
