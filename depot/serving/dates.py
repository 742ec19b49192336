"""Dates in HTTP (RFC 9110 section 5.6.7)."""

from __future__ import annotations

import datetime
import re
from email.utils import format_datetime
from functools import lru_cache

from ..errors import InvalidDate

_MONTHS = ('jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec')
_DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
_LONG_DAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day'
_MONTH = f'(?P<month>{"|".join(_MONTHS)})'
_TIME = '(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})'
_FORMS = (
    f'{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT',  # IMF-fixdate
    f'{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT',  # of RFC 850
    f'{_DAY} {_MONTH} (?P<day>[0-9 ][0-9]) {_TIME} (?P<year>[0-9]{{4}})',  # of asctime
)
_DATES = [re.compile(each, re.IGNORECASE | re.ASCII) for each in _FORMS]


def parse_date(value: str) -> datetime.datetime:
    """An HTTP date, in any of its three forms, as UTC without a time zone.

    Raises :class:`~depot.errors.InvalidDate` for anything else.
    """
    try:
        found = next(filter(None, (each.fullmatch(value.strip()) for each in _DATES)))
        hour, minute, second = (int(found[each]) for each in ('hour', 'minute', 'second'))
        month = _MONTHS.index(found['month'].lower()) + 1
        # A leap second is none to Python.
        return datetime.datetime(_year(found['year']), month, int(found['day']), hour, minute, second - (second == 60))
    except (AttributeError, StopIteration, TypeError, ValueError):
        raise InvalidDate(f'{value!r} is no date; one looks like Sun, 06 Nov 1994 08:49:37 GMT') from None


def _year(digits: str) -> int:
    """Two digits that seem to be more than 50 years ahead mean the past."""
    if len(digits) == 4:
        return int(digits)
    this_year = datetime.datetime.now(datetime.timezone.utc).year
    year = this_year - this_year % 100 + int(digits)
    return year - 100 if year > this_year + 50 else year


@lru_cache(1024)
def make_date(instant: datetime.datetime) -> str:
    """A UTC instant without a time zone in the form that HTTP prefers (IMF-fixdate)."""
    return format_datetime(instant.replace(tzinfo=datetime.timezone.utc), usegmt=True)
