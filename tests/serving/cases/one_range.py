"""Requests for one range of a file."""

from __future__ import annotations

from ..servers.samples import EMPTY, LARGE, ONE
from .words import CHOICE, OneOf, Part, Parts, Unsatisfiable, Whole, cases

WHOLE, BEYOND = Whole(), Unsatisfiable()
_SIZE = len(LARGE.content)
_MANY = '9' * 5000

SATISFIABLE = (
    cases(
        'RFC 9110 section 14.1.2: positions count from zero, and the last one is part of the range',
        ('the first byte', 'Range: bytes=0-0', Part(0, 1)),
        ('the first two bytes', 'Range: bytes=0-1', Part(0, 2)),
        ('the last byte by its position', 'Range: bytes=255-255', Part(255, 256)),
        ('the last two bytes by their positions', 'Range: bytes=254-255', Part(254, 256)),
        ('one byte in the middle', 'Range: bytes=100-100', Part(100, 101)),
        ('bytes in the middle', 'Range: bytes=100-149', Part(100, 150)),
        ('all bytes by their positions', 'Range: bytes=0-255', Part(0, 256)),
        ('all but the first byte', 'Range: bytes=1-255', Part(1, 256)),
        ('all but the last byte', 'Range: bytes=0-254', Part(0, 255)),
    )
    + cases(
        'RFC 9110 section 14.1.2: a last position that is absent, or at or beyond the end, is the last byte',
        ('an open range from the start', 'Range: bytes=0-', Part(0, 256)),
        ('an open range from the middle', 'Range: bytes=128-', Part(128, 256)),
        ('an open range from the last byte', 'Range: bytes=255-', Part(255, 256)),
        ('a range that ends one byte beyond the end', 'Range: bytes=0-256', Part(0, 256)),
        ('a range that ends far beyond the end', 'Range: bytes=100-999999', Part(100, 256)),
        ('the last byte and more', 'Range: bytes=255-999', Part(255, 256)),
        ('a last position of 5000 digits', f'Range: bytes=1-{_MANY}', Part(1, 256)),
        ('a last position above 64 bits', 'Range: bytes=1-18446744073709551616', Part(1, 256)),
    )
    + cases(
        'RFC 9110 section 14.1.2: a suffix is the last bytes, all of them if it is longer than the file',
        ('the last byte', 'Range: bytes=-1', Part(255, 256)),
        ('the last two bytes', 'Range: bytes=-2', Part(254, 256)),
        ('the last half', 'Range: bytes=-128', Part(128, 256)),
        ('a suffix of all but one byte', 'Range: bytes=-255', Part(1, 256)),
        ('a suffix as long as the file', 'Range: bytes=-256', Part(0, 256)),
        ('a suffix one byte longer than the file', 'Range: bytes=-257', Part(0, 256)),
        ('a suffix much longer than the file', 'Range: bytes=-99999', Part(0, 256)),
        ('a suffix of 5000 digits', f'Range: bytes=-{_MANY}', Part(0, 256)),
    )
    + cases(
        'RFC 9110 section 14.1.1: a position is 1*DIGIT, so that zeros may stand before it',
        ('zeros before the positions', 'Range: bytes=007-0009', Part(7, 10)),
        ('zeros before a suffix', 'Range: bytes=-0003', Part(253, 256)),
        ('thousands of zeros before a position', f'Range: bytes={"0" * 5000}-1', Part(0, 2)),
        ('thousands of zeros before a last position', f'Range: bytes=3-{"0" * 5000}4', Part(3, 5)),
    )
)

UNSATISFIABLE = cases(
    'RFC 9110 sections 14.1.2 and 15.5.17: a first position at or beyond the end, or an empty suffix',
    ('an open range from just beyond the end', 'Range: bytes=256-', BEYOND),
    ('a range of one byte just beyond the end', 'Range: bytes=256-256', BEYOND),
    ('a range beyond the end', 'Range: bytes=300-400', BEYOND),
    ('an open range far beyond the end', 'Range: bytes=999999999999-', BEYOND),
    ('a first position of 5000 digits', f'Range: bytes={_MANY}-', BEYOND),
    ('both positions of 3900 digits', f'Range: bytes={"8" * 3900}-{"9" * 3900}', BEYOND),
    ('a first position above 64 bits', 'Range: bytes=18446744073709551616-18446744073709551617', BEYOND),
    ('a suffix of no bytes', 'Range: bytes=-0', BEYOND),
    ('a suffix of no bytes, in many zeros', f'Range: bytes=-{"0" * 5000}', BEYOND),
)

SPELLINGS = (
    cases(
        'RFC 9110 section 14.1: names of units are case-insensitive',
        ('the unit in upper case', 'Range: BYTES=0-1', Part(0, 2)),
        ('the unit in mixed case', 'Range: bYtEs=-1', Part(255, 256)),
        ('the name of the field in upper case', 'RANGE: bytes=0-1', Part(0, 2)),
        ('the name of the field in lower case', 'range: bytes=0-1', Part(0, 2)),
    )
    + cases(
        'RFC 9110 section 5.5: white space around a field value is no part of it',
        ('no blank before the value', 'Range:bytes=0-1', Part(0, 2)),
        ('blanks around the value', 'Range:    bytes=0-1   ', Part(0, 2)),
        ('tabs around the value', 'Range:\tbytes=0-1\t', Part(0, 2)),
    )
    + cases(
        'RFC 9110 section 5.6.1.2: empty elements of a list are to be ignored',
        ('a comma after the range', 'Range: bytes=0-1,', Part(0, 2)),
        ('a comma before the range', 'Range: bytes=,0-1', Part(0, 2)),
        ('commas and blanks around the range', 'Range: bytes=, ,0-1 ,\t,', Part(0, 2)),
    )
)

_MALFORMED = f'RFC 9110 section 14.2 lets a server ignore or reject what is malformed; {CHOICE}: ignored'

MALFORMED = (
    cases(
        _MALFORMED,
        ('a range whose last position is before its first', 'Range: bytes=5-4', WHOLE),
        ('a range from the end to the start', 'Range: bytes=255-0', WHOLE),
        ('a reversed range beyond the end', 'Range: bytes=400-300', WHOLE),
        ('a reversed range with a huge first position', f'Range: bytes={_MANY}-0', WHOLE),
        ('a reversed range of two huge positions', f'Range: bytes={"9" * 3900}-{"8" * 3900}', WHOLE),
        ('a unit alone', 'Range: bytes', WHOLE),
        ('a unit and an equals sign', 'Range: bytes=', WHOLE),
        ('a unit and commas', 'Range: bytes=,,', WHOLE),
        ('positions without a unit', 'Range: 0-1', WHOLE),
        ('positions without the name of a unit', 'Range: =0-1', WHOLE),
        ('a blank in place of the equals sign', 'Range: bytes 0-1', WHOLE),
        ('a colon in place of the equals sign', 'Range: bytes:0-1', WHOLE),
        ('two equals signs', 'Range: bytes==0-1', WHOLE),
        ('a blank before the equals sign', 'Range: bytes =0-1', WHOLE),
        ('a blank after the equals sign', 'Range: bytes= 0-1', WHOLE),
        ('a blank before the dash', 'Range: bytes=0 -1', WHOLE),
        ('a blank after the dash', 'Range: bytes=0- 1', WHOLE),
        ('a blank within a position', 'Range: bytes=1 0-20', WHOLE),
        ('a dash alone', 'Range: bytes=-', WHOLE),
        ('two dashes', 'Range: bytes=--1', WHOLE),
        ('two dashes between positions', 'Range: bytes=0--1', WHOLE),
        ('a suffix with a dash behind', 'Range: bytes=-1-', WHOLE),
        ('three positions', 'Range: bytes=0-1-2', WHOLE),
        ('a position alone', 'Range: bytes=5', WHOLE),
        ('letters for positions', 'Range: bytes=a-b', WHOLE),
        ('hexadecimal positions', 'Range: bytes=0x0-0x1', WHOLE),
        ('a plus before a position', 'Range: bytes=+0-1', WHOLE),
        ('a plus before a last position', 'Range: bytes=0-+1', WHOLE),
        ('a fraction', 'Range: bytes=0.0-1.0', WHOLE),
        ('an exponent', 'Range: bytes=0-1e1', WHOLE),
        ('an underscore, which Python takes in a number', 'Range: bytes=0-1_0', WHOLE),
        ('a superscript digit, which Python takes for a digit', b'Range: bytes=0-\xb2', WHOLE),
        ('a semicolon between ranges', 'Range: bytes=0-1;4-5', WHOLE),
        ('a blank between ranges', 'Range: bytes=0-1 4-5', WHOLE),
        ('a range in quotes', 'Range: bytes="0-1"', WHOLE),
        ('the form of Content-Range', 'Range: bytes 0-1/256', WHOLE),
        ('the form of Content-Range behind the unit', 'Range: bytes=0-1/256', WHOLE),
        ('the form of an unsatisfied range', 'Range: bytes=*/256', WHOLE),
        ('a star', 'Range: *', WHOLE),
        ('a percent-encoded dash', 'Range: bytes=0%2D1', WHOLE),
        ('a parameter behind the range', 'Range: bytes=0-1;q=1', WHOLE),
        ('a tab within the range', 'Range: bytes=0\t-1', WHOLE),
        ('thousands of dashes', 'Range: bytes=' + '-' * 5000, WHOLE),
    )
    + cases(
        f'{_MALFORMED}. Python takes digits of all scripts; a server may refuse what is not ASCII',
        ('Arabic digits', 'Range: bytes=٠-١'.encode(), WHOLE),
        ('full-width digits', 'Range: bytes=０-１'.encode(), WHOLE),
        ('a dash that is none', 'Range: bytes=0–1'.encode(), WHOLE),
    )
    + cases(
        'RFC 9110 section 5.5: an empty value is a value, and no range',
        ('a range field without a value', 'Range:', WHOLE),
        ('a range field of blanks', 'Range:    ', WHOLE),
    )
)

UNITS = cases(
    'RFC 9110 section 14.2: a unit that is not understood must be ignored',
    ('a unit of nobody', 'Range: items=0-1', WHOLE),
    ('a unit that begins as ours', 'Range: bytesx=0-1', WHOLE),
    ('a unit that is shorter than ours', 'Range: byte=0-1', WHOLE),
    ('the unit that stands for no ranges', 'Range: none=0-0', WHOLE),
    ('a unit of time, unsatisfiable in bytes', 'Range: seconds=999-', WHOLE),
    ('a unit with another notation of ranges', 'Range: rows=first..last', WHOLE),
)

NO_BYTES = cases(
    f'{CHOICE}: a range of an empty file is ignored; all of it is what there is',
    ('the first byte of an empty file', 'Range: bytes=0-0', WHOLE),
    ('an open range of an empty file', 'Range: bytes=0-', WHOLE),
    ('a suffix of an empty file', 'Range: bytes=-1', WHOLE),
    ('a suffix of no bytes of an empty file', 'Range: bytes=-0', WHOLE),
    ('a range beyond the end of an empty file', 'Range: bytes=5-9', WHOLE),
    ('several ranges of an empty file', 'Range: bytes=0-0,1-1', WHOLE),
    sample=EMPTY,
)

ONE_BYTE = cases(
    'RFC 9110 section 14.1.2, at the borders of a file of one byte',
    ('the only byte', 'Range: bytes=0-0', Part(0, 1)),
    ('the only byte by an open range', 'Range: bytes=0-', Part(0, 1)),
    ('the only byte by a suffix', 'Range: bytes=-1', Part(0, 1)),
    ('the only byte and more', 'Range: bytes=0-5', Part(0, 1)),
    ('the byte behind the only one', 'Range: bytes=1-1', BEYOND),
    ('an open range behind the only byte', 'Range: bytes=1-', BEYOND),
    ('two ranges of which the only byte satisfies one', 'Range: bytes=0-0,1-1', Part(0, 1)),
    sample=ONE,
)

LARGE_FILE = cases(
    'RFC 9110 section 14.1.2, in a file of more than any buffer',
    ('the first byte of a large file', 'Range: bytes=0-0', Part(0, 1)),
    ('the last byte of a large file', 'Range: bytes=-1', Part(_SIZE - 1, _SIZE)),
    ('a range across 64 KiB', 'Range: bytes=65535-65536', Part(65535, 65537)),
    ('a range across 1 MiB', 'Range: bytes=1048570-1048585', Part(1048570, 1048586)),
    ('a range of several buffers', 'Range: bytes=100000-2500000', Part(100000, 2500001)),
    ('a range from the middle to the end', 'Range: bytes=1572864-', Part(1572864, _SIZE)),
    ('all of a large file as a video player asks for it', 'Range: bytes=0-', Part(0, _SIZE)),
    ('just beyond the end of a large file', f'Range: bytes={_SIZE}-', BEYOND),
    (
        'several ranges of a large file',
        'Range: bytes=0-9,2000000-2200000,-5',
        Parts((0, 10), (2000000, 2200001), (_SIZE - 5, _SIZE)),
    ),
    ('a large file without a range', 'Accept: */*', WHOLE),
    sample=LARGE,
)

OTHER_METHODS = cases(
    'RFC 9110 section 14.2: Range is defined for GET only, and ignored else',
    ('a range of a HEAD', 'Range: bytes=0-0', WHOLE),
    ('an unsatisfiable range of a HEAD', 'Range: bytes=256-', WHOLE),
    ('several ranges of a HEAD', 'Range: bytes=0-0,4-5', WHOLE),
    ('a malformed range of a HEAD', 'Range: rubbish', WHOLE),
    ('a suffix of a HEAD', 'Range: bytes=-1', WHOLE),
    method='HEAD',
)

OLD_CLIENTS = cases(
    'RFC 9110 section 14.2 and RFC 9112 section 2.3: a field means the same in HTTP/1.0',
    ('a range by HTTP/1.0', 'Range: bytes=0-1', Part(0, 2)),
    ('an unsatisfiable range by HTTP/1.0', 'Range: bytes=256-', BEYOND),
    ('the whole file by HTTP/1.0', 'Accept: */*', WHOLE),
    version=b'HTTP/1.0',
)

# RFC 9110 section 5.3: a recipient may join the lines, and takes the last one, the first one or none otherwise.
_TWICE = OneOf(WHOLE, Part(0, 2), Part(4, 6))

REPEATED = cases(
    'RFC 9110 section 5.3: Range is no list of fields, so that two of them are malformed; a server may pass on one',
    ('two range fields', ('Range: bytes=0-1', 'Range: bytes=4-5'), _TWICE),
    ('two range fields with other headers between', ('Range: bytes=0-1', 'Accept: */*', 'Range: bytes=4-5'), _TWICE),
    ('two range fields, of which one is empty', ('Range: bytes=0-1', 'Range:'), OneOf(WHOLE, Part(0, 2))),
)

CASES = [
    *SATISFIABLE, *UNSATISFIABLE, *SPELLINGS, *MALFORMED, *UNITS, *NO_BYTES, *ONE_BYTE, *LARGE_FILE,
    *OTHER_METHODS, *OLD_CLIENTS, *REPEATED,
]  # fmt: skip
