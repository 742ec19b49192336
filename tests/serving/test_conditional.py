"""Conditional requests, by RFC 9110 section 13."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.errors import InvalidDate
from depot.serving.conditional import entity_tag, is_fresh
from depot.serving.dates import make_date, parse_date
from depot.serving.description import Description
from depot.serving.request import Request

NOON = datetime.datetime(2026, 11, 21, 12)
SECOND = datetime.timedelta(seconds=1)
HALF_SECOND = datetime.timedelta(microseconds=500_000)

FILE = Description('1', 'a.txt', 'text/plain', NOON, 5, 'sha256:00')
UNHASHED = FILE._replace(checksum=None)


# Tags


@pytest.mark.parametrize('file', [FILE, UNHASHED])
def test_a_tag_is_strong_and_quoted_and_stays_the_same(file):
    tag = entity_tag(file)
    assert tag == entity_tag(file)
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert tag.strip('"').isalnum()


@pytest.mark.parametrize('change', [{'checksum': 'sha256:01'}, {'content_type': 'text/html'}, {'filename': 'b.txt'}])
def test_a_tag_changes_with_the_content_and_with_what_is_said_of_it(change):
    assert entity_tag(FILE) != entity_tag(FILE._replace(**change))


def test_a_tag_does_not_change_with_the_date_of_the_same_content():
    assert entity_tag(FILE) == entity_tag(FILE._replace(last_modified=NOON + SECOND))


@pytest.mark.parametrize('change', [{'last_modified': NOON + SECOND}, {'content_length': 6}, {'file_id': '2'}])
def test_without_a_checksum_a_tag_changes_with_date_size_and_id(change):
    assert entity_tag(UNHASHED) != entity_tag(UNHASHED._replace(**change))


def test_a_file_that_says_nothing_of_its_version_has_no_tag():
    assert entity_tag(UNHASHED._replace(last_modified=None)) is None


def test_a_name_that_is_no_unicode_has_a_tag():
    assert entity_tag(FILE._replace(filename='\ud800')) != entity_tag(FILE)


# If-None-Match


@pytest.mark.parametrize(
    'header', ['"a"', 'W/"a"', '"b", "a"', '"b","a"', '"b" , W/"a"', ' "a" ', '"x,y", "a"', ', "a",,', '*', ' * ']
)
def test_a_tag_that_matches_is_fresh(header):
    assert is_fresh(Request(if_none_match=header), '"a"', None)


@pytest.mark.parametrize('header', ['"b"', 'a', '', '"', '"a', 'W/a', '"A"', '"a b"', '"xa"', '*, "b"'])
def test_any_other_header_is_not_fresh(header):
    assert not is_fresh(Request(if_none_match=header), '"a"', None)


def test_a_tag_may_have_a_comma_in_it():
    assert is_fresh(Request(if_none_match='"b", "x,y"'), '"x,y"', None)


def test_a_tag_is_found_at_the_end_of_a_long_list():
    assert is_fresh(Request(if_none_match='"a",' * 100_000 + 'W/"b"'), '"b"', None)
    assert not is_fresh(Request(if_none_match='"a",' * 100_000 + '"c'), '"b"', None)


def test_what_stands_between_two_tags_is_none():
    assert not is_fresh(Request(if_none_match='"x"a"y"'), '"a"', None)


def test_a_file_without_a_tag_matches_only_the_star():
    assert not is_fresh(Request(if_none_match='"None", None'), None, None)
    assert is_fresh(Request(if_none_match='*'), None, None)


# If-Modified-Since


def test_without_conditions_nothing_is_fresh():
    assert not is_fresh(Request(), '"a"', NOON)


@pytest.mark.parametrize(
    ('last_modified', 'fresh'),
    [(NOON, True), (NOON - SECOND, True), (NOON + HALF_SECOND, True), (NOON + SECOND, False), (None, False)],
)
def test_a_file_not_modified_since_is_fresh(last_modified, fresh):
    assert is_fresh(Request(if_modified_since=make_date(NOON)), None, last_modified) is fresh


@pytest.mark.parametrize('date', [make_date(NOON), 'rubbish'])
def test_a_date_does_not_count_beside_a_tag(date):
    assert not is_fresh(Request(if_none_match='"b"', if_modified_since=date), '"a"', NOON)
    assert is_fresh(Request(if_none_match='"a"', if_modified_since=date), '"a"', NOON + SECOND)


# Dates


@pytest.mark.parametrize(
    'text',
    ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'],
)
def test_a_date_has_three_forms(text):
    assert parse_date(text) == datetime.datetime(1994, 11, 6, 8, 49, 37)


def test_a_leap_second_is_one_too_many_for_python():
    assert parse_date('Sat, 31 Dec 2016 23:59:60 GMT') == datetime.datetime(2016, 12, 31, 23, 59, 59)


@pytest.mark.parametrize(('years', 'century'), [(0, 0), (49, 0), (51, -100), (99, -100)])
def test_two_digits_of_a_year_are_at_most_fifty_years_ahead(years, century):
    year = datetime.date.today().year + years
    assert parse_date(f'Sunday, 06-Nov-{year % 100:02} 08:49:37 GMT').year == year + century


@pytest.mark.parametrize(
    'text',
    [
        None,
        3,
        '',
        'yesterday',
        '2026-11-21',
        'Sun, 32 Nov 1994 08:49:37 GMT',
        'Sun, 06 Nov 1994 25:49:37 GMT',
        'Fri, 31 Dec 9999 23:59:59 -2300',
        'Sun, 06 Nov 99999999999999999999 08:49:37 GMT',
        f'Sun, {"9" * 5000} Nov 1994 08:49:37 GMT',
        'Sun, 06 Nov 1994 08:49:37 +9999999999',
        '\0',
    ],
)
def test_what_is_no_date_is_an_error(text):
    with pytest.raises(RuntimeError, match='is no date') as caught:
        parse_date(text)
    assert caught.type is InvalidDate


@given(st.datetimes(min_value=datetime.datetime(1900, 1, 1)))
def test_a_date_comes_back_in_whole_seconds(instant):
    assert parse_date(make_date(instant)) == instant.replace(microsecond=0)


@given(st.text() | st.from_regex(r'(Sun, )?[0-9]{1,9}[ -][A-Za-z]{3}[ -][0-9]{1,9} [0-9:]{1,12} ?[GMT+\-0-9]{0,9}'))
def test_a_date_is_a_date_or_an_error(text):
    with contextlib.suppress(InvalidDate):
        assert parse_date(text).tzinfo is None


@given(st.text(alphabet='W/",*a \t\xe9'))
def test_no_list_of_tags_is_an_error(header):
    assert is_fresh(Request(if_none_match=header), '"a"', None) in (True, False)
