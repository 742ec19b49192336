"""Several conditions in one request: RFC 9110 section 13.2.2."""

from __future__ import annotations

from .words import EARLIER, EXACT, LATER, Failure, NotModified, Part, Parts, Unsatisfiable, Whole, cases

WHOLE, FRESH, FAILED, NO_DATE, FIRST = Whole(), NotModified(), Failure(412), Failure(400), Part(0, 2)

_MATCHES, _DIFFERS = 'If-Match: <tag>', 'If-Match: "a"'
_HAS_IT, _HAS_ANOTHER = 'If-None-Match: <tag>', 'If-None-Match: "a"'
_UNMODIFIED, _MODIFIED = f'If-Unmodified-Since: {EXACT}', f'If-Unmodified-Since: {EARLIER}'
_OLD, _NEW = f'If-Modified-Since: {EXACT}', f'If-Modified-Since: {EARLIER}'
_RANGE, _BEYOND = 'Range: bytes=0-1', 'Range: bytes=256-'
_RUBBISH = 'If-Modified-Since: rubbish'

PAIRS = (
    cases(
        'RFC 9110 section 13.2.2, steps 1 and 2: If-Unmodified-Since does not count beside If-Match',
        ('it matches, and was modified since', (_MATCHES, _MODIFIED), WHOLE),
        ('it matches, and was not modified since', (_MATCHES, _UNMODIFIED), WHOLE),
        ('it differs, and was not modified since', (_DIFFERS, _UNMODIFIED), FAILED),
        ('it differs, and was modified since', (_DIFFERS, _MODIFIED), FAILED),
        ('any file will do, and it was modified since', ('If-Match: *', _MODIFIED), WHOLE),
    )
    + cases(
        'RFC 9110 section 13.2.2, steps 1 and 3: If-Match comes before If-None-Match',
        ('it matches, and the client has it', (_MATCHES, _HAS_IT), FRESH),
        ('it matches, and the client has another', (_MATCHES, _HAS_ANOTHER), WHOLE),
        ('it differs, and the client has it', (_DIFFERS, _HAS_IT), FAILED),
        ('it differs, and the client has another', (_DIFFERS, _HAS_ANOTHER), FAILED),
        ('the client has it, and it differs, in this order', (_HAS_IT, _DIFFERS), FAILED),
    )
    + cases(
        'RFC 9110 section 13.2.2, steps 1 and 4: If-Match comes before If-Modified-Since',
        ('it matches, and is not newer', (_MATCHES, _OLD), FRESH),
        ('it matches, and is newer', (_MATCHES, _NEW), WHOLE),
        ('it differs, and is not newer', (_DIFFERS, _OLD), FAILED),
        ('it differs, and is newer', (_DIFFERS, _NEW), FAILED),
    )
    + cases(
        'RFC 9110 section 13.2.2, steps 2 and 3: If-Unmodified-Since comes before If-None-Match',
        ('it was not modified, and the client has it', (_UNMODIFIED, _HAS_IT), FRESH),
        ('it was not modified, and the client has another', (_UNMODIFIED, _HAS_ANOTHER), WHOLE),
        ('it was modified, and the client has it', (_MODIFIED, _HAS_IT), FAILED),
        ('it was modified, and the client has another', (_MODIFIED, _HAS_ANOTHER), FAILED),
    )
    + cases(
        'RFC 9110 section 13.2.2, steps 2 and 4: If-Unmodified-Since comes before If-Modified-Since',
        ('it was not modified, and is not newer', (_UNMODIFIED, _OLD), FRESH),
        ('it was not modified, and is newer', (_UNMODIFIED, _NEW), WHOLE),
        ('it was modified, and is not newer', (_MODIFIED, _OLD), FAILED),
        ('it was modified, and is newer', (_MODIFIED, _NEW), FAILED),
    )
    + cases(
        'RFC 9110 section 13.2.2, steps 3 and 4: If-Modified-Since does not count beside If-None-Match',
        ('the client has it, and it is not newer', (_HAS_IT, _OLD), FRESH),
        ('the client has it, and it is newer', (_HAS_IT, _NEW), FRESH),
        ('the client has another, and it is not newer', (_HAS_ANOTHER, _OLD), WHOLE),
        ('the client has another, and it is newer', (_HAS_ANOTHER, _NEW), WHOLE),
        ('the client has another, and the date is later', (_HAS_ANOTHER, f'If-Modified-Since: {LATER}'), WHOLE),
        ('the client has it, and the date is none', (_HAS_IT, _RUBBISH), FRESH),
        ('the client has another, and the date is none', (_HAS_ANOTHER, _RUBBISH), WHOLE),
        ('the client has a tag of no form, and the date is none', ('If-None-Match: x', _RUBBISH), WHOLE),
    )
)

RANGES = cases(
    'RFC 9110 sections 13.2.2 and 14.2: a range counts when no condition says otherwise',
    ('it matches, and a range', (_MATCHES, _RANGE), FIRST),
    ('it differs, and a range', (_DIFFERS, _RANGE), FAILED),
    ('it differs, and a range beyond the end', (_DIFFERS, _BEYOND), FAILED),
    ('it matches, and a range beyond the end', (_MATCHES, _BEYOND), Unsatisfiable()),
    ('it was not modified, and a range', (_UNMODIFIED, _RANGE), FIRST),
    ('it was modified, and a range', (_MODIFIED, _RANGE), FAILED),
    ('the client has it, and a range beyond the end', (_HAS_IT, _BEYOND), FRESH),
    ('the client has another, and a range beyond the end', (_HAS_ANOTHER, _BEYOND), Unsatisfiable()),
    ('it is not newer, and a range', (_OLD, _RANGE), FRESH),
    ('it is newer, and a range', (_NEW, _RANGE), FIRST),
    ('it is newer, and a range beyond the end', (_NEW, _BEYOND), Unsatisfiable()),
    ('it is not newer, and a malformed range', (_OLD, 'Range: rubbish'), FRESH),
    ('it matches, and several ranges', (_MATCHES, 'Range: bytes=0-1,9-9'), Parts((0, 2), (9, 10))),
)

RUBBISH = cases(
    'design.md, Serving: no date is a 400 where the date counts; conditions before it decide first',
    ('it matches, and the date is none', (_MATCHES, _RUBBISH), NO_DATE),
    ('it differs, and the date is none', (_DIFFERS, _RUBBISH), FAILED),
    ('it was modified, and the date is none', (_MODIFIED, _RUBBISH), FAILED),
    ('it was not modified, and the date is none', (_UNMODIFIED, _RUBBISH), NO_DATE),
    ('a range, and the date is none', (_RANGE, _RUBBISH), NO_DATE),
)

ALL_TOGETHER = cases(
    'RFC 9110 section 13.2.2, all steps',
    ('all is true', (_MATCHES, _MODIFIED, _HAS_ANOTHER, _OLD, 'If-Range: <tag>', _RANGE), FIRST),
    (
        'all is true but that the range has another base',
        (_MATCHES, _MODIFIED, _HAS_ANOTHER, _OLD, 'If-Range: "a"', _RANGE),
        WHOLE,
    ),
    ('all is true but that the client has it', (_MATCHES, _MODIFIED, _HAS_IT, _NEW, 'If-Range: <tag>', _RANGE), FRESH),
    ('nothing is true', (_DIFFERS, _MODIFIED, _HAS_IT, _OLD, 'If-Range: "a"', _BEYOND), FAILED),
)

OF_A_HEAD = cases(
    'RFC 9110 section 13.2.2: the order is the same for a HEAD',
    ('it differs, and the client has it, of a HEAD', (_DIFFERS, _HAS_IT), FAILED),
    ('it matches, and the client has it, of a HEAD', (_MATCHES, _HAS_IT), FRESH),
    ('the client has another, and it is not newer, of a HEAD', (_HAS_ANOTHER, _OLD), WHOLE),
    ('it was modified, and the client has it, of a HEAD', (_MODIFIED, _HAS_IT), FAILED),
    method='HEAD',
)

CASES = [*PAIRS, *RANGES, *RUBBISH, *ALL_TOGETHER, *OF_A_HEAD]
