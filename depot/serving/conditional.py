"""Conditional requests (RFC 9110 section 13): is the file still the one that the client means?"""

from __future__ import annotations

import datetime
import hashlib
from functools import lru_cache
from http import HTTPStatus

from ..errors import InvalidDate
from .dates import parse_date
from .description import Description
from .request import Request

_SECOND = datetime.timedelta(seconds=1)


@lru_cache(1024)
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


def precondition(request: Request, etag: str | None, last_modified: datetime.datetime | None) -> HTTPStatus | None:
    """The status that a condition demands in place of the file: 412, 304 or None; in the order of section 13.2.2.

    Raises :class:`~depot.errors.InvalidDate` as :func:`is_fresh` does.
    """
    if not _is_still_meant(request, etag, last_modified):
        return HTTPStatus.PRECONDITION_FAILED
    return HTTPStatus.NOT_MODIFIED if is_fresh(request, etag, last_modified) else None


def _is_still_meant(request: Request, etag: str | None, last_modified: datetime.datetime | None) -> bool:
    """Sections 13.1.1 and 13.1.4; a date that is none, or that cannot be compared, is ignored."""
    if request.if_match is not None:  # then the date does not count
        return _is_star(request.if_match) or _matches_strongly(request.if_match, etag)
    limit = _date(request.if_unmodified_since)
    return limit is None or last_modified is None or last_modified.replace(microsecond=0) <= limit


def is_fresh(request: Request, etag: str | None, last_modified: datetime.datetime | None) -> bool:
    """Whether the client's copy is the file as it is now, so that 304 is the answer (sections 13.1.2 and 13.1.3).

    Raises :class:`~depot.errors.InvalidDate` for an ``If-Modified-Since`` that
    is no date, where RFC 9110 would ignore it: applications rely on the 400.
    """
    if request.if_none_match is not None:  # then the date does not count
        return _is_star(request.if_none_match) or _matches_weakly(request.if_none_match, etag)
    if request.if_modified_since is not None:
        since = parse_date(request.if_modified_since)
        return last_modified is not None and last_modified.replace(microsecond=0) <= since
    return False


def range_applies(
    request: Request, etag: str | None, last_modified: datetime.datetime | None, now: datetime.datetime
) -> bool:
    """Whether the parts that the client has are of this file (``If-Range``, section 13.1.5).

    A date counts if it is the file's own, and a second old: before that, the
    file may change once more without a new date.
    """
    if request.if_range is None:
        return True
    if '"' in request.if_range:
        return request.if_range.strip() == etag  # a weak one matches none
    date = _date(request.if_range)
    return date is not None and date == last_modified and now - date >= _SECOND


def _is_star(field: str) -> bool:
    return field.strip() == '*'


def _matches_strongly(field: str, etag: str | None) -> bool:
    """Section 8.8.3.2: a weak tag matches none."""
    return not all(before.endswith('W/') for before in _places(field, etag))


def _matches_weakly(field: str, etag: str | None) -> bool:
    """Section 8.8.3.2: ``W/`` makes no difference."""
    return bool(_places(field, etag))


def _places(field: str, etag: str | None) -> list[str]:
    """What stands before the tag, wherever a list has it (section 8.8.3)."""
    if etag is None or etag not in field:  # a list of others may be as long as it likes
        return []
    parts = field.split('"')  # a tag may have a comma in it, but no quotation mark
    return [before for before, tag in zip(parts[::2], parts[1::2], strict=False) if f'"{tag}"' == etag]


def _date(field: str | None) -> datetime.datetime | None:
    try:
        return None if field is None else parse_date(field)
    except InvalidDate:
        return None
