"""Requests for several ranges of a file."""

from __future__ import annotations

from ..servers.samples import EMPTY, ONE, PARTS, TEXT
from .words import CHOICE, Part, Parts, Unsatisfiable, Whole, cases

WHOLE, BEYOND = Whole(), Unsatisfiable()


def _every(step: int, count: int) -> str:
    return 'Range: bytes=' + ','.join(f'{each * step}-{each * step}' for each in range(count))


def _spans(step: int, count: int) -> list[tuple[int, int]]:
    return [(each * step, each * step + 1) for each in range(count)]


IN_ORDER = (
    cases(
        'RFC 9110 section 15.3.7.2: several ranges are the parts of a multipart/byteranges',
        ('the first and the last byte', 'Range: bytes=0-0,255-255', Parts((0, 1), (255, 256))),
        ('the first byte and a suffix', 'Range: bytes=0-0,-1', Parts((0, 1), (255, 256))),
        ('three ranges', 'Range: bytes=0-9,100-109,200-209', Parts((0, 10), (100, 110), (200, 210))),
        ('a range and an open one', 'Range: bytes=0-9,250-', Parts((0, 10), (250, 256))),
        ('a range and one that ends beyond the end', 'Range: bytes=0-9,250-999', Parts((0, 10), (250, 256))),
        ('a blank after the comma', 'Range: bytes=0-9, 100-109', Parts((0, 10), (100, 110))),
        ('blanks and tabs around the comma', 'Range: bytes=0-9 \t,\t 100-109', Parts((0, 10), (100, 110))),
        ('empty elements between the ranges', 'Range: bytes=0-9,,, 100-109,', Parts((0, 10), (100, 110))),
        ('the unit in upper case for several ranges', 'Range: BYTES=0-9,100-109', Parts((0, 10), (100, 110))),
        ('huge last positions in several ranges', f'Range: bytes=240-{"9" * 3000},0-9', Parts((240, 256), (0, 10))),
    )
    + cases(
        'RFC 9110 section 15.3.7.2: the client may have an order in mind',
        ('two ranges, the later one first', 'Range: bytes=200-209,0-9', Parts((200, 210), (0, 10))),
        ('a suffix before the first bytes', 'Range: bytes=-10,0-9', Parts((246, 256), (0, 10))),
        (
            'three ranges, the middle one last',
            'Range: bytes=200-204,0-4,100-104',
            Parts((200, 205), (0, 5), (100, 105)),
        ),
    )
    + cases(
        'RFC 9110 section 15.3.7.2: a part has the type of the whole file, and its lines end nothing',
        ('parts that look like the border of parts', 'Range: bytes=0-99,200-299', Parts((0, 100), (200, 300))),
        ('parts of one line each', 'Range: bytes=0-1,100-101,-2', Parts((0, 2), (100, 102), (958, 960))),
        sample=PARTS,
    )
    + cases(
        'RFC 9110 section 15.3.7.2: a part has the type of the whole file',
        ('parts of a text', 'Range: bytes=0-9,500-509', Parts((0, 10), (500, 510))),
        sample=TEXT,
    )
)

OVERLAPPING = cases(
    f'RFC 9110 section 15.3.7.2: overlapping ranges may be one; {CHOICE}: no more bytes than the file',
    ('two overlapping ranges', 'Range: bytes=0-99,50-149', Parts((0, 100), (50, 150))),
    ('two adjacent ranges', 'Range: bytes=0-9,10-19', Parts((0, 10), (10, 20))),
    ('a range within another', 'Range: bytes=0-99,10-19', Parts((0, 100), (10, 20))),
    ('the same range twice', 'Range: bytes=0-9,0-9', Parts((0, 10), (0, 10))),
    ('ranges with a byte between them', 'Range: bytes=0-9,11-19', Parts((0, 10), (11, 20))),
    ('adjacent ranges, the later one first', 'Range: bytes=10-19,0-9', Parts((10, 20), (0, 10))),
    ('two halves', 'Range: bytes=0-127,128-255', Parts((0, 128), (128, 256))),
)

TOO_MUCH = cases(
    f'RFC 9110 section 14.2 warns of them; {CHOICE}: ranges of more bytes than the file are ignored',
    ('the whole file twice', 'Range: bytes=0-,0-', WHOLE),
    ('the whole file twice by its positions', 'Range: bytes=0-255,0-255', WHOLE),
    ('one byte more than the file', 'Range: bytes=0-255,0-0', WHOLE),
    ('one byte more than the file in two parts', 'Range: bytes=0-128,128-255', WHOLE),
    ('the whole file by suffixes', 'Range: bytes=-256,-999', WHOLE),
    ('many open ranges', 'Range: bytes=' + ','.join(f'{each}-' for each in range(30)), WHOLE),
    ('two thirds of the file, thrice', 'Range: bytes=0-170,0-170,0-170', WHOLE),
)

TOO_MANY = cases(
    f'RFC 9110 section 14.2; {CHOICE}: over 32 ranges are ignored',
    ('32 ranges', _every(8, 32), Parts(*_spans(8, 32))),
    ('32 adjacent ranges', _every(1, 32), Parts(*_spans(1, 32))),
    ('the same byte 32 times', 'Range: bytes=' + ','.join(['7-7'] * 32), Parts(*[(7, 8)] * 32)),
    ('33 ranges', _every(7, 33), WHOLE),
    ('33 adjacent ranges', _every(1, 33), WHOLE),
    ('33 ranges of which one is unsatisfiable', _every(8, 32) + ',256-', WHOLE),
    ('33 unsatisfiable ranges', 'Range: bytes=' + ','.join(['256-'] * 33), WHOLE),
    ('a thousand ranges', 'Range: bytes=' + ','.join(['0-0'] * 1000), WHOLE),
    ('thousands of commas', 'Range: bytes=' + ',' * 7000, WHOLE),
)

UNSATISFIABLE_AMONG_THEM = cases(
    'RFC 9110 section 14.1.2: what is satisfiable of a set is what counts',
    ('two ranges, the second one beyond the end', 'Range: bytes=0-9,256-', Part(0, 10)),
    ('two ranges, the first one beyond the end', 'Range: bytes=300-400,0-9', Part(0, 10)),
    ('a range and a suffix of no bytes', 'Range: bytes=0-9,-0', Part(0, 10)),
    ('all bytes, and a range beyond the end', 'Range: bytes=0-255,300-400', Part(0, 256)),
    ('three ranges, the middle one beyond the end', 'Range: bytes=0-9,300-400,200-209', Parts((0, 10), (200, 210))),
    ('31 ranges beyond the end and the last byte', 'Range: bytes=' + '256-,' * 31 + '-1', Part(255, 256)),
) + cases(
    'RFC 9110 section 15.5.17: no range of the set overlaps the file',
    ('two ranges beyond the end', 'Range: bytes=256-,300-400', BEYOND),
    ('a suffix of no bytes and a range beyond the end', 'Range: bytes=-0,256-', BEYOND),
    ('32 ranges beyond the end', 'Range: bytes=' + ','.join(['256-'] * 32), BEYOND),
)

MALFORMED = cases(
    f'RFC 9110 section 14.1.1: one malformed range makes the set so; {CHOICE}: ignored',
    ('a range and a reversed one', 'Range: bytes=0-9,5-4', WHOLE),
    ('a range and a letter', 'Range: bytes=0-9,x', WHOLE),
    ('a range and a dash', 'Range: bytes=0-9,-', WHOLE),
    ('a range and a position', 'Range: bytes=0-9,20', WHOLE),
    ('a range beyond the end and a reversed one', 'Range: bytes=256-,9-5', WHOLE),
    ('a range and one with its own unit', 'Range: bytes=0-9,bytes=20-29', WHOLE),
    ('sets of two units', 'Range: bytes=0-9,items=20-29', WHOLE),
    ('32 ranges and a malformed one', _every(8, 32) + ',x', WHOLE),
)

ONE_BYTE = cases(
    f'{CHOICE}: ranges of more bytes than the file are ignored',
    ('the only byte twice', 'Range: bytes=0-0,0-0', WHOLE),
    ('the only byte by its position and by a suffix', 'Range: bytes=0-0,-1', WHOLE),
    sample=ONE,
) + cases(
    f'{CHOICE}: ranges of an empty file are ignored',
    ('unsatisfiable ranges of an empty file', 'Range: bytes=0-0,9-9', WHOLE),
    sample=EMPTY,
)

CASES = [
    *IN_ORDER, *OVERLAPPING, *TOO_MUCH, *TOO_MANY, *UNSATISFIABLE_AMONG_THEM, *MALFORMED, *ONE_BYTE,
]  # fmt: skip
