"""The status and the headers of the answer."""

from __future__ import annotations

import datetime
from http import HTTPStatus

import pytest

from depot.serving.conditional import entity_tag
from depot.serving.description import Description
from depot.serving.policy import Policy
from depot.serving.ranges import Span
from depot.serving.request import Request
from depot.serving.response import plain, redirect, respond

NOON = datetime.datetime(2026, 11, 21, 12)
FILE = Description('1', 'a.txt', 'text/plain', NOON, 5, 'sha256:00', has_ranges=True)
LATER = NOON + datetime.timedelta(hours=1)


def answer(file=FILE, method='GET', **fields):
    status, headers, body = respond(file, Request(method, **fields), Policy(60), LATER)
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    return status, dict(headers), body


def test_the_headers_describe_the_file():
    assert answer() == (
        HTTPStatus.OK,
        {
            'Content-Type': 'text/plain',
            'Content-Disposition': 'inline;filename="a.txt";filename*=utf-8\'\'a.txt',
            'X-Content-Type-Options': 'nosniff',
            'Cross-Origin-Resource-Policy': 'cross-origin',
            'Accept-Ranges': 'bytes',
            'Content-Length': '5',
            'ETag': entity_tag(FILE),
            'Last-Modified': 'Sat, 21 Nov 2026 12:00:00 GMT',
            'Cache-Control': 'max-age=60, public',
            'Expires': 'Sat, 21 Nov 2026 13:01:00 GMT',
        },
        (Span(0, 5),),
    )


def test_a_file_that_says_nothing_is_served_as_unknown():
    _, headers, _ = answer(Description())
    assert headers['Content-Type'] == 'application/octet-stream'
    assert headers['Content-Disposition'] == 'inline'
    assert not {'Content-Length', 'ETag', 'Last-Modified'} & set(headers)


def test_an_empty_file_has_a_length():
    assert answer(FILE._replace(content_length=0))[1]['Content-Length'] == '0'


@pytest.mark.parametrize('content_type', ['text/html', 'image/svg+xml', 'application/x-made-up', 'TEXT/XML; a=b'])
def test_active_content_is_for_download_and_in_a_sandbox(content_type):
    _, headers, _ = answer(FILE._replace(content_type=content_type))
    assert headers['Content-Type'] == content_type
    assert headers['Content-Disposition'].startswith('attachment;')
    assert 'sandbox' in headers['Content-Security-Policy']
    assert 'allow-' not in headers['Content-Security-Policy']
    assert headers['X-Content-Type-Options'] == 'nosniff'


@pytest.mark.parametrize('content_type', ['text/plain', 'image/png', 'application/pdf', 'application/octet-stream'])
def test_passive_content_is_shown(content_type):
    _, headers, _ = answer(FILE._replace(content_type=content_type))
    assert headers['Content-Disposition'].startswith('inline;')
    assert 'Content-Security-Policy' not in headers
    assert headers['X-Content-Type-Options'] == 'nosniff'


@pytest.mark.parametrize(
    'text',
    [
        'a\r\nSet-Cookie: a=b',
        'a\nb',
        'a\rb',
        'a\0b',
        'a\x7fb',
        'a\x85b',
        'a\u2028b',
        'a"; filename=b',
        'a\\"b',
        '\ud800',
        '\u202egpj.exe',
        '../../etc/passwd',
        '..\\..\\boot.ini',
        '',
        ' ',
        '"',
        '日本語.txt',
        '\U0001f600',
    ],
)
@pytest.mark.parametrize('field', ['filename', 'content_type', 'checksum', 'file_id'])
def test_nothing_that_is_stored_breaks_out_of_its_header(text, field):
    _, headers, _ = answer(FILE._replace(**{field: text}))
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
    assert set(headers) == set(answer()[1])
    assert headers['Content-Disposition'].count('"') in (0, 2)
    assert '..' not in headers['Content-Disposition']


def test_a_client_that_has_the_file_gets_no_content():
    status, headers, body = answer(if_none_match=entity_tag(FILE))
    assert status == HTTPStatus.NOT_MODIFIED
    assert set(headers) == {'ETag', 'Cache-Control', 'Expires'}
    assert body == ()


def test_without_a_tag_the_date_is_kept():
    status, headers, _ = answer(Description(), if_none_match='*')
    assert (status, set(headers)) == (HTTPStatus.NOT_MODIFIED, {'Cache-Control', 'Expires'})
    assert answer(if_modified_since='Sat, 21 Nov 2026 12:00:00 GMT')[0] == HTTPStatus.NOT_MODIFIED


def test_a_date_that_is_none_is_a_bad_request():
    status, headers, body = answer(if_modified_since='rubbish')
    assert status == HTTPStatus.BAD_REQUEST
    assert headers['Content-Length'] == str(len(body[0]))
    assert b"If-Modified-Since: 'rubbish' is no date" in body[0]


def test_an_answer_in_words_says_its_status_if_nothing_else():
    assert plain(HTTPStatus.NOT_FOUND).body == (b'Not Found\n',)
    assert plain(HTTPStatus.NOT_FOUND, 'Gone fishing').body == (b'Gone fishing\n',)


@pytest.mark.parametrize(
    ('url', 'location'),
    [
        ('https://a.example/b%20c?d=e&f=g#h', 'https://a.example/b%20c?d=e&f=g#h'),
        ('https://[::1]:80/~a', 'https://[::1]:80/~a'),
        ('https://a.example/b c', 'https://a.example/b%20c'),
        ('https://a.example/é', 'https://a.example/%C3%A9'),
        ('https://a.example/\r\nSet-Cookie: a=b', 'https://a.example/%0D%0ASet-Cookie:%20a=b'),
        ('https://a.example/\0\ud800"<>\\', 'https://a.example/%00?%22%3C%3E%5C'),
    ],
)
def test_a_redirect_leads_to_a_url_and_nowhere_else(url, location):
    status, headers, _ = redirect(url)
    assert status == HTTPStatus.MOVED_PERMANENTLY
    assert dict(headers)['Location'] == location


def test_a_redirect_that_is_not_for_good_is_not_kept():
    status, headers, _ = redirect('https://a.example/', permanent=False)
    assert status == HTTPStatus.FOUND
    assert dict(headers)['Location'] == 'https://a.example/'
    assert dict(headers)['Cache-Control'] == 'no-store'


@pytest.mark.parametrize('collection', [list, set, tuple, frozenset])
def test_the_types_that_are_shown_are_any_collection(collection):
    _, headers, _ = respond(FILE, Request(), Policy(60, inline=collection(['text/plain'])), LATER)
    assert dict(headers)['Content-Disposition'].startswith('inline;')
    _, headers, _ = respond(FILE, Request(), Policy(60, inline=collection(['image/png'])), LATER)
    assert dict(headers)['Content-Disposition'].startswith('attachment;')
