"""Ranges on the condition that the file is the one that the client has a part of: RFC 9110 section 13.1.5."""

from __future__ import annotations

from .words import ASCTIME, CHOICE, EARLIER, EXACT, LATER, RFC850, NotModified, Part, Parts, Unsatisfiable, Whole, cases

WHOLE, FIRST = Whole(), Part(0, 2)
_RANGE = 'Range: bytes=0-1'


def _with_range(why, *rows, **common):
    return cases(
        why, *((f'If-Range: {name}', (_RANGE, f'If-Range: {value}'), want) for name, value, want in rows), **common
    )


TAGS = _with_range(
    'RFC 9110 section 13.1.5: the tag is compared strongly',
    ('the tag of the file', '<tag>', FIRST),
    ('another tag', '"another"', WHOLE),
    ('the tag of the file, but weak', 'W/<tag>', WHOLE),
    ('another weak tag', 'W/"another"', WHOLE),
    ('the tag of the file in another case', '<swapped>', WHOLE),
    ('a tag that begins as that of the file', '"<opaque>x"', WHOLE),
    ('the empty tag', '""', WHOLE),
    ('the tag of the file with blanks around', '  <tag>  ', FIRST),
) + _with_range(
    'RFC 9110 section 13.1.5: one entity-tag or one date, nothing else; else the condition is false',
    ('a tag without quotes', '<opaque>', WHOLE),
    ('a tag without its first quote', '<opaque>"', WHOLE),
    ('a tag without its last quote', '"<opaque>', WHOLE),
    ('a tag in single quotes', "'<opaque>'", WHOLE),
    ('a star', '*', WHOLE),
    ('a list of tags', '"another", <tag>', WHOLE),
    ('the tag of the file twice', '<tag>, <tag>', WHOLE),
    ('the tag of the file and a comma', '<tag>,', WHOLE),
    ('the tag of the file and the date of it', f'<tag>, {EXACT}', WHOLE),
    ('a weak tag with a small letter', 'w/<tag>', WHOLE),
    ('no value', '', WHOLE),
    ('rubbish', 'rubbish', WHOLE),
    ('thousands of quotes', '"' * 5000, WHOLE),
    ('a tag of thousands of letters', '"' + 'x' * 5000 + '"', WHOLE),
)

DATES = (
    _with_range(
        'RFC 9110 section 13.1.5: the date must be the very one, which is strong when it is long past (8.8.2.2)',
        ('the date of the file', EXACT, FIRST),
        ('a second later', LATER, WHOLE),
        ('a second earlier', EARLIER, WHOLE),
        ('a date in the future', 'Fri, 31 Dec 9999 23:59:59 GMT', WHOLE),
        ('a date long past', 'Thu, 01 Jan 1970 00:00:00 GMT', WHOLE),
    )
    + _with_range(
        'RFC 9110 section 5.6.7: all three forms of a date are to be accepted',
        ('the date of the file in the form of RFC 850', RFC850, FIRST),
        ('the date of the file in the form of asctime', ASCTIME, FIRST),
        ('a later date in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:38 GMT', WHOLE),
        ('a later date in the form of asctime', 'Sun Nov  6 08:49:38 1994', WHOLE),
    )
    + _with_range(
        'RFC 9110 section 13.1.5: what is no date is false, and no error as it is in If-Modified-Since',
        ('a day that is none', 'Sun, 32 Nov 1994 08:49:37 GMT', WHOLE),
        ('a date of another notation', '1994-11-06T08:49:37Z', WHOLE),
        ('a date with a comma too much', 'Sun,, 06 Nov 1994 08:49:37 GMT', WHOLE),
        ('a date of thousands of digits', f'Sun, {"9" * 5000} Nov 1994 08:49:37 GMT', WHOLE),
    )
)

WITH_RANGES = cases(
    'RFC 9110 section 13.2.2: a true If-Range leaves the range as it is, a false one takes it away',
    ('the right tag and several ranges', ('Range: bytes=0-1,100-101', 'If-Range: <tag>'), Parts((0, 2), (100, 102))),
    ('another tag and several ranges', ('Range: bytes=0-1,100-101', 'If-Range: "a"'), WHOLE),
    ('the right tag and a range beyond the end', ('Range: bytes=256-', 'If-Range: <tag>'), Unsatisfiable()),
    ('another tag and a range beyond the end', ('Range: bytes=256-', 'If-Range: "a"'), WHOLE),
    ('the right date and a range beyond the end', ('Range: bytes=256-', f'If-Range: {EXACT}'), Unsatisfiable()),
    ('another date and a range beyond the end', ('Range: bytes=256-', f'If-Range: {LATER}'), WHOLE),
    ('the right tag and a suffix', ('Range: bytes=-1', 'If-Range: <tag>'), Part(255, 256)),
    ('the right tag and the rest of the file', ('Range: bytes=100-', 'If-Range: <tag>'), Part(100, 256)),
    ('the right tag and a malformed range', ('Range: bytes=x', 'If-Range: <tag>'), WHOLE),
    ('the right tag and an unknown unit', ('Range: items=0-1', 'If-Range: <tag>'), WHOLE),
    ('the condition before the range', ('If-Range: "a"', 'Range: bytes=0-1'), WHOLE),
) + cases(
    f'RFC 9110 section 15.3.7 would have fewer headers in a 206 to an If-Range; {CHOICE}: all of them, because Firefox '
    'resumes a download by the tag and the date, and what locks up the page of a stranger is never left out',
    ('the right tag, and all headers', (_RANGE, 'If-Range: <tag>'), Part(0, 2, x_content_type_options='nosniff')),
) + cases(
    'RFC 9110 section 13.1.5: without a Range it is to be ignored',
    ('the right tag and no range', 'If-Range: <tag>', WHOLE),
    ('another tag and no range', 'If-Range: "a"', WHOLE),
    ('rubbish and no range', 'If-Range: rubbish', WHOLE),
) + cases(
    'RFC 9110 section 13.2.2: conditions on the whole file come before it',
    ('another tag, and the client has the file', (_RANGE, 'If-Range: "a"', 'If-None-Match: <tag>'), NotModified()),
    ('the right tag, and the client has another', (_RANGE, 'If-Range: <tag>', 'If-None-Match: "a"'), FIRST),
    ('another tag, and the client has another', (_RANGE, 'If-Range: "a"', 'If-None-Match: "a"'), WHOLE),
)  # fmt: skip

NO_RANGE = cases(
    'RFC 9110 section 14.2: a HEAD has no ranges, so that If-Range has nothing to say',
    ('the right tag of a HEAD', (_RANGE, 'If-Range: <tag>'), WHOLE),
    ('another tag of a HEAD', (_RANGE, 'If-Range: "a"'), WHOLE),
    method='HEAD',
) + cases(
    'RFC 9110 section 5.3: If-Range is no list, so that two of them are malformed: no part of a wrong file',
    ('two tags in two fields, both wrong', (_RANGE, 'If-Range: "a"', 'If-Range: "b"'), WHOLE),
)

CASES = [*TAGS, *DATES, *WITH_RANGES, *NO_RANGE]
