"""Instants and download names."""

from __future__ import annotations

import datetime
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.utils import make_content_disposition, utcfromtimestamp_naive, utcnow_naive

VALUE = re.compile(
    r"""attachment(;filename="([^"\\\x00-\x1f\x7f-\U0010ffff]*)";filename\*=utf-8''([A-Za-z0-9!#$&+.^_`|~%-]+))?"""
)


def test_now_is_utc_without_a_zone() -> None:
    before = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    now = utcnow_naive()
    assert now.tzinfo is None
    assert before <= now <= before + datetime.timedelta(minutes=1)


def test_a_timestamp_is_an_instant_of_utc() -> None:
    assert utcfromtimestamp_naive(0) == datetime.datetime(1970, 1, 1)
    assert utcfromtimestamp_naive(1_000_000_000.5) == datetime.datetime(2001, 9, 9, 1, 46, 40, 500_000)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('report.pdf', 'inline;filename="report.pdf";filename*=utf-8\'\'report.pdf'),
        ('Крупный', 'inline;filename="Krupnyy";filename*=utf-8\'\'%D0%9A%D1%80%D1%83%D0%BF%D0%BD%D1%8B%D0%B9'),
        ('a b.txt', 'inline;filename="a b.txt";filename*=utf-8\'\'a%20b.txt'),
        ('!#$&+-.^_`|~', 'inline;filename="!#$&+-.^_`|~";filename*=utf-8\'\'!#$&+-.^_`|~'),
        ('a"b\r\nc', "inline;filename=\"a'bc\";filename*=utf-8''a%22bc"),
        ('../../etc/passwd', 'inline;filename="passwd";filename*=utf-8\'\'passwd'),
        ('C:\\boot.ini', 'inline;filename="boot.ini";filename*=utf-8\'\'boot.ini'),
        ('photo\u202egpj.exe', 'inline;filename="photogpj.exe";filename*=utf-8\'\'photogpj.exe'),
        (None, 'inline'),
        ('', 'inline'),
        ('folder/', 'inline'),
    ],
)
def test_a_disposition_offers_the_name_twice(name: str | None, expected: str) -> None:
    assert make_content_disposition('inline', name) == expected


@given(st.text())
def test_no_name_can_break_out(name: str) -> None:
    assert VALUE.fullmatch(make_content_disposition('attachment', name))


@given(st.text(alphabet=st.characters(categories=['L', 'N', 'P', 'S', 'Zs'], exclude_characters='/\\'), max_size=60))
def test_a_harmless_name_arrives_as_it_is(middle: str) -> None:
    name = f'a{middle}z'
    found = VALUE.fullmatch(make_content_disposition('attachment', name))
    assert found
    assert unquote(found[3]) == name


@pytest.mark.parametrize(
    'name', ['CON', 'con.txt', 'Nul.tar.gz', 'COM1', 'lpt9 .txt', '\uff23\uff2f\uff2e.txt', 'COM\u00b9']
)
def test_no_name_means_a_device(name: str) -> None:
    found = VALUE.fullmatch(make_content_disposition('attachment', name))
    assert found
    assert unquote(found[3]) == f'_{name}'
    assert found[2].startswith('_')


@pytest.mark.parametrize(
    ('name', 'ascii_name'),
    [(' a.txt. .', 'a.txt'), ('a\uff0fb\u2215c.txt', 'a_b_c.txt'), ('\uff02.txt', "'.txt"), ('\ue000', 'file')],
)
def test_a_name_in_ascii_is_as_harmless(name: str, ascii_name: str) -> None:
    found = VALUE.fullmatch(make_content_disposition('attachment', name))
    assert found
    assert found[2] == ascii_name


@pytest.mark.parametrize('name', ['x' * 5000 + '.txt', '\u65e5' * 300 + '.txt', '\U0001f389' * 99 + '.txt'])
def test_a_name_that_is_too_long_keeps_its_end(name: str) -> None:
    found = VALUE.fullmatch(make_content_disposition('attachment', name))
    assert found
    for each in found[2], unquote(found[3]):
        assert each.endswith('.txt')
        assert len(each.encode()) <= 255
