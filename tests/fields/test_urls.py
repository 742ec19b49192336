"""The URL of an uploaded file is right for its storage: public, private, or behind a middleware of any make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy.orm import Mapped, mapped_column

from depot.errors import ConfigurationError, InvalidLink, WrongOption
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage, MemoryStoredFile
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving.links import Grant, token_of

KEY = 'a key of this test'
PUBLIC_URL = 'https://bucket.example/1'


@pytest.fixture
def private() -> MemoryFileStorage:
    """A private storage, the default one."""
    storage = DepotManager.configure('default', 'memory://?private=true')
    assert isinstance(storage, MemoryFileStorage)
    return storage


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage whose files have public URLs."""
    monkeypatch.setattr(MemoryStoredFile, 'public_url', PUBLIC_URL)
    DepotManager.configure('default', 'memory://')


@pytest.fixture
def middleware() -> DepotMiddleware:
    middleware: DepotMiddleware = DepotManager.make_middleware(None, secret_key=KEY, base_url='https://example.com')
    return middleware


def granted(middleware: DepotMiddleware, url: str, fingerprint: str = '') -> Grant | None:
    parts = urlsplit(url)
    assert middleware.urls.links is not None
    return middleware.urls.links.grant(parts.path.removeprefix('/depot/'), token_of(parts.query), fingerprint)


def bare(grant: Grant | None) -> Grant | None:
    return grant and grant._replace(expires_at=None)


# Private storages


def test_a_private_file_has_a_signed_url(private: MemoryFileStorage, middleware: DepotMiddleware) -> None:
    uploaded = UploadedFile(b'abc')
    assert uploaded.url.startswith(f'/depot/{uploaded.path}?token=')
    assert granted(middleware, uploaded.url) is not None


def test_a_row_knows_its_private_file_as_any_other(
    private: MemoryFileStorage, middleware: DepotMiddleware, base: Any, saved: Callable[..., Any]
) -> None:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'

        id: Mapped[int] = mapped_column(primary_key=True)
        content: Mapped[UploadedFile | None] = mapped_column(UploadedFileField)

    content = saved(Document(content=b'abc')).content
    assert 'token' not in content.encode()
    assert granted(middleware, content.url_for(download=True)) is not None


def test_no_url_of_the_backend_is_kept_of_a_private_file(
    private: MemoryFileStorage, middleware: DepotMiddleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStoredFile, 'public_url', PUBLIC_URL)
    uploaded = UploadedFile(b'abc')
    assert uploaded['_public_url'] is None
    assert granted(middleware, uploaded.url) is not None


def test_one_that_was_kept_before_the_storage_became_private_is_not_used(
    private: MemoryFileStorage, middleware: DepotMiddleware
) -> None:
    for row in ({'depot_name': 'default', 'path': 'default/1', '_public_url': PUBLIC_URL}, {'path': 'default/1'}):
        for url in (UploadedFile(row).url, UploadedFile(row).url_for(), UploadedFile(row).url_for(absolute=True)):
            assert PUBLIC_URL not in url
            assert granted(middleware, url) is not None


def test_a_private_file_stays_private_where_a_test_puts_another_storage(
    private: MemoryFileStorage, middleware: DepotMiddleware
) -> None:
    with DepotManager.override(MemoryFileStorage()):
        assert granted(middleware, UploadedFile(b'abc').url) is not None


def test_without_a_key_a_private_file_has_no_url(private: MemoryFileStorage) -> None:
    DepotManager.make_middleware(None)
    uploaded = UploadedFile(b'abc')  # storing needs none
    with pytest.raises(ConfigurationError, match='secret_key'):
        _ = uploaded.url


def test_a_url_that_fails_is_not_called_a_missing_key(private: MemoryFileStorage) -> None:
    """An uploaded file's attributes are its items; an error in one of its properties shows all the same."""
    with pytest.raises(ConfigurationError, match='make_middleware'):
        _ = UploadedFile(b'abc').url


# What is asked for


@pytest.mark.parametrize('storage_url', ['memory://', 'memory://?private=true'])
@pytest.mark.parametrize(
    ('options', 'grant'),
    [
        ({'download': True}, Grant(disposition='attachment')),
        ({'filename': 'b.txt'}, Grant('b.txt')),
        ({'filename': 'b.txt', 'download': True, 'expires': 60}, Grant('b.txt', 'attachment')),
        ({'expires': 60}, Grant()),
    ],
)
def test_what_is_asked_for_is_signed(middleware: DepotMiddleware, storage_url: str, options: Any, grant: Grant) -> None:
    DepotManager.configure('default', storage_url)
    assert bare(granted(middleware, UploadedFile(b'abc').url_for(**options))) == grant


@pytest.mark.parametrize('options', [{'download': True}, {'filename': 'b.txt'}, {'expires': 60}, {'fingerprint': 'a'}])
def test_where_it_is_asked_for_a_public_file_is_fetched_from_the_middleware(
    public: None, middleware: DepotMiddleware, options: Any
) -> None:
    uploaded = UploadedFile(b'abc')
    assert uploaded.url == uploaded.url_for() == uploaded.url_for(absolute=True, download=False) == PUBLIC_URL
    assert granted(middleware, uploaded.url_for(**options), 'a') is not None


def test_a_url_may_be_absolute(private: MemoryFileStorage, middleware: DepotMiddleware) -> None:
    url = UploadedFile(b'abc').url_for(absolute=True)
    assert url.startswith('https://example.com/depot/default/')
    assert granted(middleware, url) is not None


def test_a_url_may_be_for_one_session_only(private: MemoryFileStorage, middleware: DepotMiddleware) -> None:
    url = UploadedFile(b'abc').url_for(fingerprint='session 1')
    assert granted(middleware, url, 'session 1') is not None
    assert granted(middleware, url, 'session 2') is None


@pytest.mark.parametrize('options', [{'expires': 0}, {'expires': -1}, {'filename': b'a'}, {'fingerprint': 5}])
def test_what_makes_no_url_is_refused(public: None, middleware: DepotMiddleware, options: Any) -> None:
    with pytest.raises(InvalidLink):
        UploadedFile(b'abc').url_for(**options)


# Other middlewares


class Cdn:
    """As applications have written them for the published package."""

    def url_for(self, path: str) -> str:
        return f'https://cdn.example/{path}'


@pytest.mark.parametrize('storage_url', ['memory://', 'memory://?private=true'])
def test_a_middleware_that_knows_paths_only_is_asked_for_nothing_else(storage_url: str) -> None:
    DepotManager.configure('default', storage_url)
    DepotManager.set_middleware(Cdn())
    uploaded = UploadedFile(b'abc')
    url = f'https://cdn.example/{uploaded.path}'
    assert uploaded.url == uploaded.url_for() == uploaded.url_for(download=False, filename=None, expires=None) == url


def test_what_it_does_not_know_is_refused(private: MemoryFileStorage) -> None:
    DepotManager.set_middleware(Cdn())
    with pytest.raises(WrongOption, match=r"Cdn.url_for: .*'download'; its options are: path"):
        UploadedFile(b'abc').url_for(download=True)
