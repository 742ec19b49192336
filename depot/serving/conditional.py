"""Conditional requests (RFC 9110 section 13): does the client have the file already?"""

from __future__ import annotations

import datetime
import hashlib
import re
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple

from ..errors import InvalidDate
from .description import Description

# RFC 9110 section 8.8.3. A tag may have a comma in it, so the list cannot be split there.
_ENTITY_TAG = re.compile('(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Conditions(NamedTuple):
    """The headers of a request that ask for an answer only if the file is another one."""

    if_none_match: str | None = None
    if_modified_since: str | None = None


def entity_tag(file: Description) -> str | None:
    """A strong validator, quoted; None for a file of which nothing changes when it is replaced.

    It is made from the content's checksum. Where the storage knows none, the
    size and the date stand in, and then it cannot see that a file was replaced
    by one of the same size, name and type within the same second.
    """
    if not file.checksum and not file.last_modified:
        return None
    content = file.checksum or f'{file.last_modified} {file.content_length}'
    version = '\n'.join(map(str, (file.file_id, content, file.content_type, file.filename)))
    return f'"{hashlib.sha256(version.encode("utf-8", "backslashreplace")).hexdigest()[:32]}"'


def is_fresh(conditions: Conditions, etag: str | None, last_modified: datetime.datetime | None) -> bool:
    """Whether the client's copy is the file as it is now, so that 304 is the answer.

    Raises :class:`~depot.errors.InvalidDate` for an ``If-Modified-Since`` that
    is no date, where RFC 9110 would ignore it: applications rely on the 400.
    """
    if conditions.if_none_match is not None:  # section 13.2.2: then the date does not count
        return _matches(conditions.if_none_match, etag)
    if conditions.if_modified_since is not None:
        since = parse_date(conditions.if_modified_since)
        return last_modified is not None and last_modified.replace(microsecond=0) <= since
    return False


def _matches(if_none_match: str, etag: str | None) -> bool:
    """By the weak comparison of section 8.8.3.2: ``W/`` makes no difference."""
    return if_none_match.strip() == '*' or etag in _ENTITY_TAG.findall(if_none_match)


def parse_date(value: str) -> datetime.datetime:
    """An HTTP date, in any of its three forms, as UTC without a time zone.

    Raises :class:`~depot.errors.InvalidDate` for anything else.
    """
    try:
        date = parsedate_to_datetime(value)
        return date.astimezone(datetime.timezone.utc).replace(tzinfo=None) if date.tzinfo else date
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError):
        raise InvalidDate(f'{value!r} is no date; one looks like Sun, 06 Nov 1994 08:49:37 GMT') from None


def make_date(instant: datetime.datetime) -> str:
    """A UTC instant without a time zone in the form that HTTP prefers (IMF-fixdate)."""
    return format_datetime(instant.replace(tzinfo=datetime.timezone.utc), usegmt=True)
