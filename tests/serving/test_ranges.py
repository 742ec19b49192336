"""Byte ranges, by RFC 9110 section 14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.serving.ranges import MOST_RANGES, Span, content_range, multipart, requested_spans, size

LENGTH = 10
DIGITS = '9' * 5000  # more than Python makes a number of


@pytest.mark.parametrize(
    ('field', 'spans'),
    [
        ('bytes=0-0', [(0, 1)]),
        ('bytes=9-9', [(9, 10)]),
        ('bytes=0-9', [(0, 10)]),
        ('bytes=0-', [(0, 10)]),
        ('bytes=3-', [(3, 10)]),
        ('bytes=-1', [(9, 10)]),
        ('bytes=-10', [(0, 10)]),
        ('bytes=-11', [(0, 10)]),
        ('bytes=0-99', [(0, 10)]),
        ('Bytes=0-0', [(0, 1)]),
        ('bytes=00000000000000000000000000-0', [(0, 1)]),
        (f'bytes=0-{DIGITS}', [(0, 10)]),
        (f'bytes=-{DIGITS}', [(0, 10)]),
        ('bytes=0-1,3-4', [(0, 2), (3, 5)]),
        ('bytes=5-6 ,\t0-1', [(5, 7), (0, 2)]),
        ('bytes=,0-1,,', [(0, 2)]),
        ('bytes= ,0-1', [(0, 2)]),
        ('bytes=0-5,4-5', [(0, 6), (4, 6)]),
        ('bytes=10-,0-0', [(0, 1)]),
    ],
)
def test_a_field_asks_for_spans(field, spans):
    assert requested_spans(field, LENGTH) == spans


@pytest.mark.parametrize('field', ['bytes=10-', 'bytes=10-11', 'bytes=-0', f'bytes={DIGITS}-', 'bytes=10-,-0'])
def test_what_the_file_does_not_have_is_not_satisfiable(field):
    assert requested_spans(field, LENGTH) == []


@pytest.mark.parametrize(
    'field',
    [
        '',
        'bytes',
        'bytes=',
        'bytes=,',
        'bytes=-',
        'bytes=a-b',
        'bytes=0',
        'bytes=0-1-2',
        'bytes=--1',
        'bytes=+0-1',
        'bytes=0x0-1',
        'bytes=0-1;',
        'bytes=0 -1',
        'bytes=0- 1',
        'bytes= 0-1',
        'bytes =0-1',
        'bytes:0-1',
        'bytes=0-1,a',
        'bytes=1-0',
        f'bytes={DIGITS}-1',
        'bytes=\u0660-\u0661',
        'items=0-1',
        'none',
        'bytes=0-9,0-0',
        'bytes=' + ','.join(['0-0'] * (MOST_RANGES + 1)),
        'bytes=' + ',' * 100_000 + '0-0',
    ],
)
def test_any_other_field_is_ignored(field):
    assert requested_spans(field, LENGTH) is None


def test_a_field_may_ask_for_so_many_ranges_and_no_more():
    fields = [
        'bytes=' + ','.join(f'{each}-{each}' for each in range(count)) for count in (MOST_RANGES, MOST_RANGES + 1)
    ]
    assert [requested_spans(each, 100) is None for each in fields] == [False, True]


@pytest.mark.parametrize('field', ['bytes=0-', 'bytes=-1', 'bytes=0-0', 'bytes=5-'])
def test_an_empty_file_has_no_ranges(field):
    assert requested_spans(field, 0) is None


numbers = st.integers(0, 30).map(str) | st.text('0123456789', max_size=30)
specs = st.builds('{}-{}'.format, numbers, numbers | st.just(''))
fields = st.lists(specs | st.text(' \t,-0123456789', max_size=5), max_size=40).map(
    lambda each: 'bytes=' + ','.join(each)
)


@given(fields | st.text(), st.integers(0, 40))
def test_no_field_asks_for_bytes_that_there_are_not(field, length):
    spans = requested_spans(field, length)
    assert all(0 <= each.start < each.stop <= length for each in spans or ())
    assert sum(each.length for each in spans or ()) <= length


@given(st.integers(0, 9), st.integers(0, 9))
def test_an_offset_counts_from_zero_and_is_included(first, last):
    spans = requested_spans(f'bytes={first}-{last}', LENGTH)
    assert spans == (None if last < first else [(first, last + 1)])


@given(fields, st.integers(1, 10_000))
def test_a_body_of_parts_is_not_much_more_than_the_file(field, length):
    spans = requested_spans(field, length) or []
    overhead = len(multipart([Span(0, 1)], length, 'text/plain')[1][0]) + 60
    assert size(multipart(spans, length, 'text/plain')[1]) <= length + overhead * (len(spans) + 1)


def test_the_content_range_names_the_last_byte():
    assert content_range(Span(2, 5), LENGTH) == 'bytes 2-4/10'
    assert content_range(None, LENGTH) == 'bytes */10'


def test_parts_stand_between_boundaries():
    content = b'0123456789'
    media_type, parts = multipart([Span(0, 2), Span(5, 6)], LENGTH, 'text/plain')
    kind, _, boundary = media_type.partition('; boundary=')
    assert kind == 'multipart/byteranges'
    body = b''.join(content[slice(*each)] if isinstance(each, Span) else each for each in parts)
    assert body.decode().split(f'--{boundary}') == [
        '',
        '\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n',
        '\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-5/10\r\n\r\n5\r\n',
        '--\r\n',
    ]
    assert size(parts) == len(body)


def test_a_boundary_is_of_one_request():
    one, other = (multipart([Span(0, 2), Span(start, 6)], LENGTH, 'text/plain')[0] for start in (4, 5))
    assert one != other
