"""What of a request decides its answer, whatever the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

#: The fields of RFC 9110 sections 13 and 14, and of RFC 9530 section 4, by their names here.
FIELDS = {
    'range': 'range',
    'if_range': 'if-range',
    'if_match': 'if-match',
    'if_none_match': 'if-none-match',
    'if_modified_since': 'if-modified-since',
    'if_unmodified_since': 'if-unmodified-since',
    'want_repr_digest': 'want-repr-digest',
}


class Request(NamedTuple):
    """The method, GET or HEAD, and the header fields that matter; None for those that were not sent."""

    method: str = 'GET'
    range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None
    want_repr_digest: str | None = None

    @classmethod
    def of(cls, method: str, header: Callable[[str], str | None]) -> Request:
        """The request, given its method and a function that finds a header field by its name in lower case."""
        return cls(method, **{name: header(field) for name, field in FIELDS.items()})
