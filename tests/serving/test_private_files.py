"""Who sees which file: by its storage, by a signed URL, by the application's word."""

from __future__ import annotations

import itertools
import time
from urllib.parse import urlsplit

import pytest

from depot import signing
from depot.errors import ConfigurationError, FileMissing
from depot.io.memory import MemoryFileStorage, MemoryStoredFile
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving.links import Grant, Links

from .client import ask

KEY = 'a key of the tests'


@pytest.fixture(autouse=True)
def storages():
    DepotManager._clear()
    memory = {'depot.backend': 'depot.io.memory.MemoryFileStorage'}
    DepotManager.configure('public', memory)
    DepotManager.configure('private', {**memory, 'depot.private': 'true'})
    DepotManager.configure('secret', {**memory, 'depot.private': 'true', 'depot.cache': 'no-store'})
    yield
    DepotManager._clear()


def stored(storage, content=b'content', filename='a.txt'):
    return f'{storage}/{DepotManager.get(storage).create(content, filename)}'


def get(middleware, url, method='GET', **environ):
    parts = urlsplit(url)
    return ask(middleware, parts.path, method, QUERY_STRING=parts.query, **environ)


def shown(answer):
    return answer.status, answer.headers, answer.body


@pytest.fixture
def middleware():
    return DepotMiddleware(None, secret_key=KEY)


def test_a_private_file_comes_by_its_signed_url_and_by_no_other(middleware):
    path = stored('private')
    assert get(middleware, middleware.url_for(path)).body == b'content'
    assert get(middleware, f'/depot/{path}').status == 404


def test_a_public_file_needs_no_signature(middleware):
    path = stored('public')
    assert '?' not in middleware.url_for(path)
    assert get(middleware, middleware.url_for(path)).body == b'content'


def test_every_refusal_looks_as_if_there_were_no_such_file(middleware):
    path, other = stored('private'), stored('private')
    links = Links(KEY)
    tokens = {
        'none': '',
        'empty': '?token=',
        'cut': f'?token={links.link(path)[:-1]}',
        'of another file': f'?token={links.link(other)}',
        'of another purpose': f'?token={Links(KEY, "upload").link(path)}',
        'of another key': f'?token={Links("other").link(path)}',
        'for somebody else': f'?token={links.link(path, fingerprint="somebody")}',
        'twice': f'?token={links.link(path)}&token={links.link(path)}',
    }
    missing = ask(middleware, '/depot/private/00000000-0000-4000-8000-000000000000')
    for name, query in tokens.items():
        assert shown(get(middleware, f'/depot/{path}{query}')) == shown(missing), name


def test_a_refusal_does_not_ask_the_storage(middleware, monkeypatch):
    path = stored('private')
    monkeypatch.setattr(MemoryFileStorage, 'get', lambda *_: pytest.fail('a look at the storage'))
    assert get(middleware, f'/depot/{path}?token=wrong').status == 404


def test_a_token_ends(middleware, monkeypatch):
    path = stored('private')
    url = middleware.url_for(path, expires=600)
    assert get(middleware, url).status == 200
    now = time.time()
    monkeypatch.setattr(signing, 'time', lambda: now + 602)
    assert get(middleware, url).status == 404


def test_a_token_of_a_storage_that_was_public_is_worth_nothing_when_it_is_private(middleware):
    url = middleware.url_for(stored('public'), download=True)
    assert get(middleware, url).status == 200
    DepotManager._settings['public'] = DepotManager.settings('private')
    assert get(middleware, url).status == 404


def test_a_copy_is_kept_no_longer_than_the_url_works(middleware):
    path = stored('private')
    age = get(middleware, middleware.url_for(path, expires=600)).headers['Cache-Control']
    assert age in {f'max-age={each}, private' for each in range(540, 602)}


def test_an_old_key_works_until_it_is_removed():
    path = stored('private')
    url = DepotMiddleware(None, secret_key='old').url_for(path)
    assert get(DepotMiddleware(None, secret_key=['old', 'new']), url).status == 200
    assert get(DepotMiddleware(None, secret_key=['new']), url).status == 404


def test_a_wrong_token_hides_a_public_file_too(middleware):
    path = stored('public')
    assert get(middleware, f'/depot/{path}?token=wrong').status == 404


def test_without_a_key_a_token_is_some_other_parameter():
    path = stored('public')
    assert get(DepotMiddleware(None), f'/depot/{path}?token=of-the-application').status == 200


def test_without_a_key_and_nobody_to_ask_a_private_file_is_not_served():
    assert get(DepotMiddleware(None), f'/depot/{stored("private")}').status == 404


@pytest.mark.parametrize(('storage', 'said'), [('public', 'public'), ('private', 'private')])
def test_who_may_keep_a_copy_depends_on_the_storage(middleware, storage, said):
    headers = get(middleware, middleware.url_for(stored(storage), expires=1e6)).headers
    assert headers['Cache-Control'] == f'max-age=604800, {said}'
    assert 'Expires' in headers


def test_a_storage_may_have_no_copies_kept(middleware):
    headers = get(middleware, middleware.url_for(stored('secret'))).headers
    assert headers['Cache-Control'] == 'no-store'
    assert 'Expires' not in headers


@pytest.mark.parametrize(('storage', 'said'), [('public', 'cross-origin'), ('private', 'same-origin')])
def test_pages_of_other_sites_may_show_public_files_only(middleware, storage, said):
    headers = get(middleware, middleware.url_for(stored(storage))).headers
    assert headers['Cross-Origin-Resource-Policy'] == said


def test_which_sites_may_show_files_is_an_option():
    middleware = DepotMiddleware(None, resource_policy='same-site')
    assert get(middleware, f'/depot/{stored("public")}').headers['Cross-Origin-Resource-Policy'] == 'same-site'


def test_a_signed_url_may_give_another_name_and_have_it_saved(middleware):
    path = stored('public')
    headers = get(middleware, middleware.url_for(path, download=True, filename='b.txt')).headers
    assert headers['Content-Disposition'] == 'attachment;filename="b.txt";filename*=utf-8\'\'b.txt'


def test_no_signed_url_shows_what_must_not_be_shown(middleware):
    path = stored('public', b'<script>', 'a.html')
    token = Links(KEY).link(path, Grant(disposition='inline'))
    assert get(middleware, f'/depot/{path}?token={token}').headers['Content-Disposition'].startswith('attachment')


def test_a_token_for_a_rendition_is_not_one_for_the_file(middleware):
    path = stored('private')
    assert get(middleware, f'/depot/{path}?token={Links(KEY).link(path, Grant(rendition="thumb"))}').status == 404


# By the application's word


def test_the_application_may_let_somebody_see_a_private_file():
    asked = []

    def authorize(request, file):
        asked.append(file.filename)
        return request.get('HTTP_COOKIE') == 'user=ada'

    middleware = DepotMiddleware(None, authorize=authorize)
    path = stored('private')
    assert get(middleware, f'/depot/{path}', HTTP_COOKIE='user=ada').body == b'content'
    refused = get(middleware, f'/depot/{path}', HTTP_COOKIE='user=bob')
    assert shown(refused) == shown(ask(middleware, '/depot/private/00000000-0000-4000-8000-000000000000'))
    assert asked == ['a.txt', 'a.txt']
    assert middleware.url_for(path) == f'/depot/{path}'


def test_the_application_is_not_asked_about_public_files_and_signed_urls():
    middleware = DepotMiddleware(None, secret_key=KEY, authorize=lambda *_: pytest.fail('asked'))
    for storage in 'public', 'private':
        assert get(middleware, middleware.url_for(stored(storage))).status == 200


def test_a_wrong_token_is_refused_whoever_asks():
    middleware = DepotMiddleware(None, secret_key=KEY, authorize=lambda *_: True)
    path = stored('private')
    assert get(middleware, f'/depot/{path}').status == 200
    assert get(middleware, f'/depot/{path}?token=wrong').status == 404


async def a_coroutine(*_):
    return False


async def an_async_generator(*_):
    yield False


@pytest.mark.parametrize('option', ['authorize', 'fingerprint'])
@pytest.mark.parametrize('function', [a_coroutine, an_async_generator, 'my.function', 7])
def test_what_is_no_plain_function_is_refused(option, function):
    with pytest.raises(ConfigurationError, match=option):
        DepotMiddleware(None, secret_key=KEY, **{option: function})


@pytest.mark.parametrize(
    'answer', [lambda: a_coroutine(), lambda: an_async_generator(), lambda: (each for each in 'no')]
)
def test_a_promise_to_answer_is_not_a_yes(answer):
    middleware = DepotMiddleware(None, authorize=lambda *_: answer())
    with pytest.raises(ConfigurationError, match='says neither yes nor no'):
        get(middleware, f'/depot/{stored("private")}')


def test_a_fingerprint_is_text():
    middleware = DepotMiddleware(None, secret_key=KEY, fingerprint=lambda _: 7)
    with pytest.raises(ConfigurationError, match='is no text'):
        get(middleware, middleware.url_for(stored('private')))


def test_what_was_let_once_is_asked_about_again():
    middleware = DepotMiddleware(None, authorize=lambda *_: True)
    headers = get(middleware, f'/depot/{stored("private")}').headers
    assert headers['Cache-Control'] == 'max-age=0, private'


def test_a_refusal_is_not_kept(middleware):
    assert get(middleware, f'/depot/{stored("private")}').headers['Cache-Control'] == 'no-store'


@pytest.mark.parametrize('answer', [False, ZeroDivisionError()], ids=['no', 'error'])
def test_a_file_that_is_refused_is_closed(answer):
    def authorize(_request, file):
        asked.append(file)
        if answer:
            raise answer
        return False

    asked = []
    middleware = DepotMiddleware(None, authorize=authorize)
    try:
        assert get(middleware, f'/depot/{stored("private")}').status == 404
    except ZeroDivisionError:
        assert answer
    assert asked[0].closed


def test_a_url_may_be_bound_to_who_asks():
    middleware = DepotMiddleware(None, secret_key=KEY, fingerprint=lambda request: request.get('HTTP_COOKIE', ''))
    url = middleware.url_for(stored('private'), fingerprint='session=1')
    assert get(middleware, url, HTTP_COOKIE='session=1').status == 200
    assert get(middleware, url, HTTP_COOKIE='session=2').status == 404
    assert get(middleware, url).status == 404


# To the backend, or through us


class Remote(MemoryStoredFile):
    """A file that the backend serves as well."""

    public_url_expires = False
    public_url = 'https://backend.example/a'


class RemoteStorage(MemoryFileStorage):
    """A backend that has URLs."""

    asked = ()

    def get(self, file_or_id):
        file = super().get(file_or_id)
        file.__class__ = self.kind
        return file

    def url(self, file_or_id, expires=None, filename=None, disposition=None, content_type=None):
        self.asked = (expires, filename, disposition)
        return f'https://backend.example/signed-{next(self.numbers)}'


@pytest.fixture
def remote(request):
    signs = getattr(request, 'param', False)
    storage = RemoteStorage()
    storage.numbers = itertools.count(1)
    storage.kind = type('Kind', (Remote,), {'public_url_expires': signs})
    DepotManager._depots['public'] = storage
    return storage


def test_a_file_that_the_backend_serves_for_good_is_there_for_good(middleware, remote):
    answer = get(middleware, f'/depot/{stored("public")}')
    assert (answer.status, answer.headers['Location']) == (301, 'https://backend.example/a')


@pytest.mark.parametrize('remote', [True], indirect=True)
def test_a_url_of_the_backend_that_ends_is_not_kept(middleware, remote):
    answer = get(middleware, f'/depot/{stored("public")}')
    assert (answer.status, answer.headers['Cache-Control']) == (302, 'no-store')


@pytest.mark.parametrize('remote', [True], indirect=True)
def test_a_head_is_not_sent_to_a_url_that_is_signed_for_a_get(middleware, remote):
    answer = get(middleware, f'/depot/{stored("public")}', 'HEAD')
    assert (answer.status, answer.headers['Content-Length'], answer.body) == (200, '7', b'')


def test_another_name_is_told_to_the_backend(middleware, remote):
    url = middleware.url_for(stored('public'), download=True, filename='b.txt', expires=600)
    answer = get(middleware, url)
    assert (answer.status, answer.headers['Location']) == (302, 'https://backend.example/signed-1')
    seconds, *names = remote.asked
    assert 540 <= seconds <= 601
    assert names == ['b.txt', 'attachment']


def test_a_file_that_everybody_could_have_from_the_backend_is_sent_by_us_if_it_is_private(middleware, remote):
    DepotManager._depots['private'] = remote
    answer = get(middleware, middleware.url_for(stored('private')))
    assert (answer.status, answer.body) == (200, b'content')


@pytest.mark.parametrize('remote', [False, True], indirect=True)
def test_a_storage_that_makes_no_urls_has_its_files_sent_by_us(middleware, remote, monkeypatch):
    monkeypatch.setattr(RemoteStorage, 'url', None)
    answer = get(middleware, middleware.url_for(stored('public'), filename='b.txt', expires=60))
    assert (answer.status, answer.body) == (200, b'content')


def test_a_public_url_that_is_no_text_is_none(middleware, remote):
    remote.kind.public_url = 7
    assert get(middleware, f'/depot/{stored("public")}').body == b'content'


def test_a_storage_may_have_all_sent_by_us(middleware):
    DepotManager.configure('proxied', {'depot.backend': f'{__name__}.RemoteStorage', 'depot.delivery': 'proxy'})
    storage = DepotManager.get('proxied')
    storage.kind = Remote
    answer = get(middleware, f'/depot/{stored("proxied")}')
    assert (answer.status, answer.body) == (200, b'content')


def test_a_file_that_is_gone_when_it_is_sent_is_not_found(middleware, monkeypatch):
    def gone(self, *_):
        raise FileMissing('gone', self.file_id)

    path = stored('public')
    monkeypatch.setattr(MemoryStoredFile, 'open_range', gone)
    monkeypatch.setattr(MemoryStoredFile, 'read', gone)
    assert shown(get(middleware, f'/depot/{path}')) == shown(ask(middleware, '/depot/public/unknown'))
