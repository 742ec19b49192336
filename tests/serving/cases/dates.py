"""If-Modified-Since and If-Unmodified-Since: RFC 9110 sections 13.1.3 and 13.1.4."""

from __future__ import annotations

import datetime

from .words import ASCTIME, CHOICE, EARLIER, EXACT, LATER, RFC850, Failure, NotModified, Whole, cases

WHOLE, FRESH, FAILED, NO_DATE = Whole(), NotModified(), Failure(412), Failure(400)


def _two_digits(years: int) -> str:
    """The sixth of November so many years from now, in the form with two digits for the year."""
    year = datetime.date.today().year + years
    weekday = datetime.date(year if years < 50 else year - 100, 11, 6).strftime('%A')
    return f'{weekday}, 06-Nov-{year % 100:02} 08:49:37 GMT'


def _field(name):
    def rows(why, *rows, **common):
        return cases(why, *((f'{name}: {what}', f'{name}: {value}', want) for what, value, want in rows), **common)

    return rows


_modified, _unmodified = _field('If-Modified-Since'), _field('If-Unmodified-Since')

MODIFIED_SINCE = (
    _modified(
        'RFC 9110 section 13.1.3: false if the file is not newer than the date',
        ('the date of the file', EXACT, FRESH),
        ('a second later', LATER, FRESH),
        ('a second earlier', EARLIER, WHOLE),
        ('long past', 'Thu, 01 Jan 1970 00:00:00 GMT', WHOLE),
        ('before the age of computers', 'Mon, 01 Jan 0001 00:00:00 GMT', WHOLE),
        ('the last second there is', 'Fri, 31 Dec 9999 23:59:59 GMT', FRESH),
        ('a day that only leap years have', 'Tue, 29 Feb 2000 00:00:00 GMT', FRESH),
        ('blanks around the date', f'   {EXACT}   ', FRESH),
    )
    + _modified(
        'RFC 9110 section 5.6.7: all three forms of a date are to be accepted',
        ('the date of the file in the form of RFC 850', RFC850, FRESH),
        ('later in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:38 GMT', FRESH),
        ('earlier in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:36 GMT', WHOLE),
        ('the date of the file in the form of asctime', ASCTIME, FRESH),
        ('later in the form of asctime', 'Sun Nov  6 08:49:38 1994', FRESH),
        ('earlier in the form of asctime', 'Sun Nov  6 08:49:36 1994', WHOLE),
        ('a day of two digits in the form of asctime', 'Wed Nov 16 08:49:37 1994', FRESH),
    )
    + _modified(
        'RFC 9110 section 5.6.7: two digits more than 50 years ahead are the most recent such year of the past',
        ('two digits of a year that is 49 years ahead', _two_digits(49), FRESH),
        ('two digits of a year that would be 51 years ahead', _two_digits(51), WHOLE),
    )
    + _modified(
        'RFC 9110 section 5.6.7: a minute may have a leap second, 60',
        ('a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', FRESH),
    )
    + _modified(
        f'The RFC ignores what is no date; {CHOICE}: 400, which tests of applications rely on',
        ('rubbish', 'rubbish', NO_DATE),
        ('no value', '', NO_DATE),
        ('a number', '784111777', NO_DATE),
        ('another notation of dates', '1994-11-06T08:49:37Z', NO_DATE),
        ('a month that is none', 'Sun, 06 Nix 1994 08:49:37 GMT', NO_DATE),
        ('a day that is none', 'Sun, 32 Nov 1994 08:49:37 GMT', NO_DATE),
        ('a day that the year does not have', 'Mon, 29 Feb 1999 00:00:00 GMT', NO_DATE),
        ('an hour that is none', 'Sun, 06 Nov 1994 25:49:37 GMT', NO_DATE),
        ('a minute that is none', 'Sun, 06 Nov 1994 08:61:37 GMT', NO_DATE),
        ('a second that is none', 'Sun, 06 Nov 1994 08:49:77 GMT', NO_DATE),
        ('a year of thousands of digits', f'Sun, 06 Nov {"9" * 5000} 08:49:37 GMT', NO_DATE),
        ('a day of thousands of digits', f'Sun, {"1" * 5000} Nov 1994 08:49:37 GMT', NO_DATE),
        ('a zone of thousands of digits', f'Sun, 06 Nov 1994 08:49:37 +{"9" * 5000}', NO_DATE),
        ('a tag', '<tag>', NO_DATE),
        ('a star', '*', NO_DATE),
        ('two dates', f'{EXACT}, {EXACT}', NO_DATE),
    )
    + cases(
        'RFC 9110 section 13.1.3: the condition holds for a HEAD too',
        ('If-Modified-Since: the date of the file, of a HEAD', f'If-Modified-Since: {EXACT}', FRESH),
        ('If-Modified-Since: a second earlier, of a HEAD', f'If-Modified-Since: {EARLIER}', WHOLE),
        ('If-Modified-Since: rubbish, of a HEAD', 'If-Modified-Since: rubbish', NO_DATE),
        method='HEAD',
    )
    + cases(
        f'{CHOICE}: Arabic digits are digits to Python, and no date',
        ('If-Modified-Since: Arabic digits', 'If-Modified-Since: Sun, ٠٦ Nov 1994 08:49:37 GMT'.encode(), NO_DATE),
    )
)

UNMODIFIED_SINCE = (
    _unmodified(
        'RFC 9110 section 13.1.4: true if the file is not newer than the date',
        ('the date of the file', EXACT, WHOLE),
        ('a second later', LATER, WHOLE),
        ('a second earlier', EARLIER, FAILED),
        ('long past', 'Thu, 01 Jan 1970 00:00:00 GMT', FAILED),
        ('the last second there is', 'Fri, 31 Dec 9999 23:59:59 GMT', WHOLE),
    )
    + _unmodified(
        'RFC 9110 section 5.6.7: all three forms of a date are to be accepted',
        ('the date of the file in the form of RFC 850', RFC850, WHOLE),
        ('earlier in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:36 GMT', FAILED),
        ('the date of the file in the form of asctime', ASCTIME, WHOLE),
        ('earlier in the form of asctime', 'Sun Nov  6 08:49:36 1994', FAILED),
        ('two digits of a year that would be 51 years ahead', _two_digits(51), FAILED),
    )
    + _unmodified(
        'RFC 9110 section 13.1.4: what is no date must be ignored',
        ('rubbish', 'rubbish', WHOLE),
        ('no value', '', WHOLE),
        ('a day that is none', 'Sun, 32 Nov 1994 08:49:37 GMT', WHOLE),
        ('another notation of dates', '1970-01-01T00:00:00Z', WHOLE),
        ('two dates', f'{EARLIER}, {EARLIER}', WHOLE),
        ('a year of thousands of digits', f'Sun, 06 Nov {"1" * 5000} 08:49:37 GMT', WHOLE),
        ('a tag', '"a"', WHOLE),
    )
    + cases(
        'RFC 9110 section 13.2.1: the condition holds for a HEAD too',
        ('If-Unmodified-Since: the date of the file, of a HEAD', f'If-Unmodified-Since: {EXACT}', WHOLE),
        ('If-Unmodified-Since: a second earlier, of a HEAD', f'If-Unmodified-Since: {EARLIER}', FAILED),
        ('If-Unmodified-Since: rubbish, of a HEAD', 'If-Unmodified-Since: rubbish', WHOLE),
        method='HEAD',
    )
)

CASES = [*MODIFIED_SINCE, *UNMODIFIED_SINCE]
