"""The URLs of stored files: below the mountpoint, signed where they have to be, or were asked to be."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from depot import signing
from depot.errors import ConfigurationError, DepotError, InvalidLink, InvalidMountpoint
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving.links import Grant, Links, token_of
from depot.serving.urls import Urls

KEY = 'a key of this test'
NOW = 1_795_000_200  # a step begins: the times below are not rounded


@pytest.fixture(autouse=True)
def _storages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(signing, 'time', lambda: NOW)
    DepotManager._clear()
    DepotManager.configure('public', 'memory://')
    DepotManager.configure('private', 'memory://?private=true')
    yield
    DepotManager._clear()


def granted(url: str, fingerprint: str = '', keys: Any = KEY) -> Grant | None:
    """What the token of a URL grants for the path of the URL."""
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix('/depot/')
    return Links(keys).grant(path, token_of(parts.query), fingerprint)


# Plain URLs


@pytest.mark.parametrize(
    ('mountpoint', 'url'),
    [
        ('/depot', '/depot/public/1'),
        ('/depot/', '/depot/public/1'),
        ('/depot///', '/depot/public/1'),
        ('/', '/public/1'),
        ('//', '/public/1'),
        ('/a/files', '/a/files/public/1'),
        ('/dépôt', '/d%C3%A9p%C3%B4t/public/1'),
        ('/a b', '/a%20b/public/1'),
        ('/a%20b', '/a%2520b/public/1'),
        ('/a?b#c', '/a%3Fb%23c/public/1'),
        ('/a\\b', '/a%5Cb/public/1'),
        ('/a\r\nb\0', '/a%0D%0Ab%00/public/1'),
        ('/\ud800', '/%3F/public/1'),
        ("/~a!$&'()*+,;=:@-._", "/~a!$&'()*+,;=:@-._/public/1"),
    ],
)
def test_a_url_is_below_the_mountpoint(mountpoint: str, url: str) -> None:
    assert Urls(mountpoint).url_for('public/1') == url


@pytest.mark.parametrize('mountpoint', ['', 'depot', 'http://a/depot', '\\depot', None, b'/depot', 5])
def test_a_mountpoint_starts_with_a_slash(mountpoint: Any) -> None:
    with pytest.raises(InvalidMountpoint, match='does not start with a slash'):
        Urls(mountpoint)


@pytest.mark.parametrize('mountpoint', ['//evil.example', '/a//b', '/a/../b', '/..', '/.', '/./a'])
def test_a_mountpoint_that_a_browser_reads_otherwise_is_refused(mountpoint: str) -> None:
    with pytest.raises(InvalidMountpoint, match='an empty part, or one of dots'):
        Urls(mountpoint)


def test_what_is_no_part_of_a_path_is_encoded() -> None:
    assert Urls('/depot').url_for('фото/a b?c#d') == '/depot/%D1%84%D0%BE%D1%82%D0%BE/a%20b%3Fc%23d'


def test_the_url_of_a_storage_that_is_unknown_is_plain() -> None:
    assert Urls('/depot').url_for('unknown/1') == '/depot/unknown/1'


# Private storages


def test_the_url_of_a_private_file_is_signed_and_works_for_an_hour() -> None:
    url = Urls('/depot', KEY).url_for('private/1')
    assert url.startswith('/depot/private/1?token=')
    assert granted(url) == Grant(expires_at=NOW + 3600)


def test_an_alias_of_a_private_storage_is_private() -> None:
    DepotManager.alias('alias', 'private')
    assert granted(Urls('/depot', KEY).url_for('alias/1')) == Grant(expires_at=NOW + 3600)


def test_for_a_while_the_url_of_a_private_file_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = Urls('/depot', KEY, 1200)
    start = NOW - NOW % 100
    seen = []
    for seconds in (1, 50, 99.9, 101):
        monkeypatch.setattr(signing, 'time', lambda now=start + seconds: now)
        seen.append(urls.url_for('private/1'))
        grant = granted(seen[-1])
        assert grant is not None
        assert grant.expires_at is not None
        assert start + seconds + 1200 <= grant.expires_at <= start + seconds + 1300
    assert len({*seen[:3]}) == 1
    assert seen[3] != seen[2]


@pytest.mark.parametrize('url_expires', [60, 60.0, '60'])
def test_the_application_chooses_for_how_long(url_expires: Any) -> None:
    assert granted(Urls('/depot', KEY, url_expires).url_for('private/1')) == Grant(expires_at=NOW + 60)


def test_or_each_url_does() -> None:
    assert granted(Urls('/depot', KEY).url_for('private/1', expires=5)) == Grant(expires_at=NOW + 5)


def test_without_a_key_a_private_file_has_no_url() -> None:
    with pytest.raises(ConfigurationError, match="'private/1' is in a private storage: .* secret_key, .* authorize"):
        Urls('/depot').url_for('private/1')


def test_where_the_application_authorizes_the_url_is_plain() -> None:
    assert Urls('/depot', authorizes=True).url_for('private/1') == '/depot/private/1'


def test_where_there_is_a_key_too_the_url_is_signed() -> None:
    assert granted(Urls('/depot', KEY, authorizes=True).url_for('private/1')) is not None


def test_the_last_of_several_keys_signs() -> None:
    url = Urls('/depot', ['old', 'new']).url_for('private/1')
    assert granted(url, keys='old') is None
    assert granted(url, keys='new') is not None


# Options


@pytest.mark.parametrize(
    ('options', 'grant'),
    [
        ({'download': True}, Grant(disposition='attachment')),
        ({'filename': 'Bericht Nº 7.pdf'}, Grant('Bericht Nº 7.pdf')),
        ({'filename': 'a.pdf', 'download': True}, Grant('a.pdf', 'attachment')),
        ({'expires': 60}, Grant(expires_at=NOW + 60)),
        ({'expires': datetime.timedelta(hours=1)}, Grant(expires_at=NOW + 3600)),
        ({'expires': 0.5, 'download': True}, Grant(disposition='attachment', expires_at=NOW + 1)),
    ],
)
def test_what_is_asked_for_is_signed_for_a_public_file_too(options: Any, grant: Grant) -> None:
    assert granted(Urls('/depot', KEY).url_for('public/1', **options)) == grant


@pytest.mark.parametrize(
    'options', [{}, {'download': False}, {'filename': None}, {'filename': ''}, {'expires': None}, {'fingerprint': None}]
)
def test_where_nothing_is_asked_for_a_public_file_has_its_plain_url(options: Any) -> None:
    assert Urls('/depot', KEY).url_for('public/1', **options) == '/depot/public/1'


@pytest.mark.parametrize('storage', ['public', 'private'])
def test_a_fingerprint_is_asked_of_the_request(storage: str) -> None:
    url = Urls('/depot', KEY).url_for(f'{storage}/1', fingerprint='session 1')
    assert granted(url, 'session 1') is not None
    assert granted(url, 'session 2') is None
    assert granted(url) is None


@pytest.mark.parametrize('options', [{'download': True}, {'filename': 'a'}, {'expires': 60}, {'fingerprint': 'a'}])
@pytest.mark.parametrize('path', ['public/1', 'private/1'])
def test_without_a_key_nothing_can_be_asked_for(path: str, options: Any) -> None:
    with pytest.raises(ConfigurationError, match='is signed: give the middleware a secret_key'):
        Urls('/depot', authorizes=True).url_for(path, **options)


@pytest.mark.parametrize(
    'expires', [0, -1, -0.5, 10**400, float('inf'), float('nan'), '60', b'', [], {}, datetime.timedelta(-1)]
)
@pytest.mark.parametrize('path', ['public/1', 'private/1'])
def test_a_time_that_is_none_is_refused(path: str, expires: Any) -> None:
    with pytest.raises(InvalidLink, match='expires = .* is no number of seconds above 0'):
        Urls('/depot', KEY).url_for(path, expires=expires)


def test_a_fingerprint_that_binds_nothing_is_refused() -> None:
    with pytest.raises(InvalidLink, match='fingerprint is empty'):
        Urls('/depot', KEY).url_for('private/1', fingerprint='')


@pytest.mark.parametrize('option', ['filename', 'fingerprint'])
@pytest.mark.parametrize('value', [b'a', 5, True, ['a']])
def test_what_is_to_be_text_is_text(option: str, value: Any) -> None:
    with pytest.raises(InvalidLink, match=f'{option} = .* is no text'):
        Urls('/depot', KEY).url_for('public/1', **{option: value})


@pytest.mark.parametrize('filename', ['a\r\nb', '"', '\ud800', '\0', '../a', 'я' * 300])
def test_any_name_can_stand_in_a_url(filename: str) -> None:
    url = Urls('/depot', KEY).url_for('public/1', filename=filename)
    assert url.isascii()
    assert url.isprintable()
    assert granted(url) == Grant(filename)


# Where the application is


@pytest.mark.parametrize(
    ('base_url', 'url'),
    [
        ('https://example.com', 'https://example.com/depot/public/1'),
        ('https://example.com/', 'https://example.com/depot/public/1'),
        ('https://example.com/app', 'https://example.com/app/depot/public/1'),
        ('https://example.com/app/', 'https://example.com/app/depot/public/1'),
        ('http://localhost:8080/a/b', 'http://localhost:8080/a/b/depot/public/1'),
        ('http://[::1]:8080', 'http://[::1]:8080/depot/public/1'),
        ('HTTP://web_1', 'HTTP://web_1/depot/public/1'),
        ('https://example.com/Büro', 'https://example.com/B%C3%BCro/depot/public/1'),
        ('https://example.com/B%C3%BCro', 'https://example.com/B%C3%BCro/depot/public/1'),
    ],
)
def test_an_absolute_url_begins_with_the_base(base_url: str, url: str) -> None:
    assert Urls('/depot', base_url=base_url).url_for('public/1', absolute=True) == url
    assert Urls('/depot', base_url=base_url).url_for('public/1') == urlsplit(url).path


@pytest.mark.parametrize('base_url', ['/app', '/app/'])
def test_the_base_may_be_a_path_where_no_url_is_absolute(base_url: str) -> None:
    urls = Urls('/depot', base_url=base_url)
    assert urls.url_for('public/1') == '/app/depot/public/1'
    with pytest.raises(ConfigurationError, match='needs to know where the application is'):
        urls.url_for('public/1', absolute=True)


@pytest.mark.parametrize('base_url', [None, '', '/'])
def test_without_a_base_no_url_is_absolute(base_url: str | None) -> None:
    urls = Urls('/depot', KEY, base_url=base_url)
    assert urls.url_for('public/1') == '/depot/public/1'
    with pytest.raises(ConfigurationError, match='base_url, such as https://example.com'):
        urls.url_for('private/1', absolute=True)


@pytest.mark.parametrize(
    'base_url',
    [
        'example.com',
        'ftp://example.com',
        'javascript:alert(1)',
        '//example.com',
        'https://',
        'https:///app',
        'https:example.com',
        'https://user:secret@example.com',
        'https://example.com:port',
        'https://example.com?a=b',
        'https://example.com/#a',
        'https://example.com//app',
        'https://example.com/a\\b',
        'https://example.com/a b',
        'https://exa\nmple.com',
        'https://bücher.example',
        b'https://example.com',
        5,
    ],
)
def test_a_base_that_is_none_is_refused(base_url: Any) -> None:
    with pytest.raises(ConfigurationError, match='base_url = .* is none; one looks like https://example.com/app'):
        Urls('/depot', base_url=base_url)


def test_a_signed_url_can_be_absolute() -> None:
    url = Urls('/depot', KEY, base_url='https://example.com').url_for('private/1', absolute=True)
    assert url.startswith('https://example.com/depot/private/1?token=')
    assert granted(url) is not None


# Options of the middleware


@pytest.mark.parametrize('url_expires', [0, -1, 10**400, '', 'soon', None, float('nan'), 'inf', []])
def test_a_time_for_all_urls_that_is_none_is_refused(url_expires: Any) -> None:
    with pytest.raises(ConfigurationError, match='url_expires = .* is no number of seconds above 0'):
        Urls('/depot', KEY, url_expires)


@pytest.mark.parametrize('secret_key', ['', b'', [], [''], 5])
def test_a_key_that_is_none_is_refused(secret_key: Any) -> None:
    with pytest.raises(ConfigurationError, match='secret_key: a key to sign with is text or bytes'):
        Urls('/depot', secret_key)


def test_the_middleware_has_the_options_of_its_urls() -> None:
    middleware = DepotMiddleware(None, secret_key=KEY, url_expires=60, base_url='https://example.com/app')
    url = middleware.url_for('private/1', absolute=True, download=True)
    assert url.startswith('https://example.com/app/depot/private/1?token=')
    assert granted(url.replace('/app', '')) == Grant(disposition='attachment', expires_at=NOW + 60)


@pytest.mark.parametrize(
    'options', [{'secret_key': ''}, {'url_expires': 0}, {'base_url': 'example.com'}, {'mountpoint': '//a'}]
)
def test_a_middleware_whose_urls_cannot_be_made_is_not_registered(options: Any) -> None:
    with pytest.raises(DepotError):
        DepotManager.make_middleware(None, **options)
    assert DepotManager._middleware is None
