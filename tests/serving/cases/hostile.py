"""Requests that are made to break something. Where a server refuses one itself, the case says so."""

from __future__ import annotations

from .words import OneOf, Part, Parts, Refused, Whole, cases

WHOLE = Whole()
REFUSED = Refused(400)

NO_FIELDS = cases(
    'RFC 9110 section 5.5: CR, LF and NUL in a value are dangerous; a server refuses them, or makes blanks of them',
    ('a NUL in a range', b'Range: bytes=0-\x001', OneOf(REFUSED, WHOLE)),
    ('a NUL in a tag', b'If-None-Match: "\x00"', OneOf(REFUSED, WHOLE)),
    ('a carriage return in a range', b'Range: bytes=0-\r1', OneOf(REFUSED, WHOLE)),
    ('a line feed in a range', b'Range: bytes=0-\n1', OneOf(REFUSED, WHOLE, Part(0, 1))),
    ('a line feed, and a field behind it', b'Accept: */*\nRange: bytes=0-0', OneOf(REFUSED, WHOLE, Part(0, 1))),
    ('a form feed in a range', b'Range: bytes=0-\x0c1', OneOf(REFUSED, WHOLE)),
    ('a vertical tab behind a range', b'Range: bytes=0-1\x0b', OneOf(REFUSED, WHOLE)),
    ('a DEL in a tag', b'If-None-Match: "\x7f"', OneOf(REFUSED, WHOLE)),
    ('a control character in a date', b'If-Unmodified-Since: \x01', OneOf(REFUSED, WHOLE)),
) + cases(
    'RFC 9112 section 5: no blank before the colon, no folding, no name that is no token',
    ('a blank before the colon', 'Range : bytes=0-0', OneOf(REFUSED, WHOLE)),
    ('a folded range', 'Range: bytes=0-0,\r\n 4-4', OneOf(REFUSED, WHOLE, Part(0, 1), Parts((0, 1), (4, 5)))),
    ('a field without a colon', 'Range', OneOf(REFUSED, WHOLE)),
    ('a field without a name', ': bytes=0-0', OneOf(REFUSED, WHOLE)),
    ('a field name that is not ASCII', 'Rängë: bytes=0-0', OneOf(REFUSED, WHOLE)),
    ('a field name with a bracket', 'Range[]: bytes=0-0', OneOf(REFUSED, WHOLE)),
)  # fmt: skip

_TOO_LARGE = OneOf(Refused(400, 431), WHOLE)

LARGE_FIELDS = cases(
    'RFC 9110 section 5.4: a server may refuse what is larger than it likes',
    ('a range of 60 000 letters', 'Range: bytes=' + 'x' * 60_000, _TOO_LARGE),
    ('a range of 60 000 digits', 'Range: bytes=0-' + '9' * 60_000, OneOf(Refused(400, 431), Part(0, 256))),
    ('15 000 ranges', 'Range: bytes=' + ','.join(['0-0'] * 15_000), _TOO_LARGE),
    ('a list of 15 000 tags', 'If-None-Match: ' + ','.join(['"x"'] * 15_000), _TOO_LARGE),
    ('a tag of 60 000 quotes', 'If-None-Match: ' + '"' * 60_000, _TOO_LARGE),
    ('a date of 60 000 digits', 'If-Unmodified-Since: ' + '1' * 60_000, _TOO_LARGE),
    ('a dictionary of 15 000 digests', 'Want-Repr-Digest: ' + ','.join(['a=1'] * 15_000), _TOO_LARGE),
    ('90 fields', tuple(f'X-{each}: x' for each in range(90)), WHOLE),
    ('500 fields', tuple(f'X-{each}: x' for each in range(500)), _TOO_LARGE),
)

OTHER_BYTES = cases(
    'RFC 9110 section 5.5: obs-text is opaque; a server may refuse it',
    ('a range of bytes above ASCII', b'Range: \xff\xfe', WHOLE),
    ('a tag of bytes above ASCII', b'If-None-Match: "\xff\xfe"', WHOLE),
    ('a date of bytes above ASCII', b'If-Unmodified-Since: \xff\xfe', WHOLE),
    ('a digest of bytes above ASCII', b'Want-Repr-Digest: \xff\xfe=1', WHOLE),
    ('a base of bytes above ASCII', (b'Range: bytes=0-0', b'If-Range: \xff\xfe'), WHOLE),
    ('UTF-8 that is none', b'X-Name: \xc3(', WHOLE),
    ('half a surrogate pair', b'X-Name: \xed\xa0\x80', WHOLE),
)

INJECTIONS = cases(
    'What a client sends comes back in no header',
    ('a host with a port that is none', 'X-Host: a\tb', WHOLE),
    ('a tag that would end a header', 'If-None-Match: "%0d%0aX-Injected: 1"', WHOLE),
    ('a range that would end a header', 'Range: bytes=0-%0d%0aX-Injected:1', WHOLE),
    ('a format string', 'Range: bytes={0}-%s', WHOLE),
    ('a template', 'If-None-Match: ${jndi:ldap://127.0.0.1/a}', WHOLE),
    ('a template of another language', 'If-Range: {{7*7}}', WHOLE),
    ('a query of a database', "If-None-Match: ' OR 1=1 --", WHOLE),
)

CASES = [*NO_FIELDS, *LARGE_FIELDS, *OTHER_BYTES, *INJECTIONS]
