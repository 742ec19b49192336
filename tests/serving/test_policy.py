"""What the application chooses, by the options of a middleware."""

from __future__ import annotations

import pytest

from depot.errors import ConfigurationError
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware

from .client import ask


@pytest.fixture(autouse=True)
def storage():
    DepotManager._clear()
    yield DepotManager.configure('files', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    DepotManager._clear()


def headers(content_type, **options):
    file_id = DepotManager.get().create(b'content', 'a', content_type)
    return ask(DepotMiddleware(None, **options), f'/depot/files/{file_id}').headers


def is_shown(content_type, **options):
    return headers(content_type, **options)['Content-Disposition'].startswith('inline')


@pytest.mark.parametrize(
    'content_type',
    ['image/png', 'audio/mpeg', 'video/mp4', 'application/pdf', 'text/plain', 'application/octet-stream'],
)
def test_these_are_shown(content_type):
    assert is_shown(content_type)


@pytest.mark.parametrize(
    'content_type',
    ['image/svg+xml', 'text/html', 'application/zip', 'application/json', 'application/javascript', 'a/b'],
)
def test_all_else_is_saved(content_type):
    assert not is_shown(content_type)


@pytest.mark.parametrize(
    'inline',
    [
        ['image/*', 'application/json'],
        'image/*, application/json',
        'IMAGE/* Application/JSON',
        ('image/*', 'application/json'),
    ],
)
def test_what_is_shown_is_an_option(inline):
    shown = {each for each in ('image/png', 'application/json', 'text/plain') if is_shown(each, inline=inline)}
    assert shown == {'image/png', 'application/json'}


def test_nothing_at_all_may_be_shown():
    assert not is_shown('image/png', inline=[])


def test_a_family_does_not_show_what_is_active_in_it():
    assert not is_shown('text/html', inline=['text/*'])


def test_what_is_active_stays_in_its_sandbox_where_it_is_shown():
    assert is_shown('image/svg+xml', inline=['image/svg+xml'])
    assert 'sandbox' in headers('image/svg+xml', inline=['image/svg+xml'])['Content-Security-Policy']


@pytest.mark.parametrize('inline', [['png'], 'image', ['image/'], [7], ['image/png\r\na: b'], ['*/*']])
def test_what_is_no_media_type_is_refused(inline):
    with pytest.raises(ConfigurationError, match='is no media type; one looks like'):
        DepotMiddleware(None, inline=inline)


@pytest.mark.parametrize('policy', ['none', '', 'same-origin\r\na: b', 7])
def test_a_resource_policy_is_one_of_three(policy):
    with pytest.raises(ConfigurationError, match='choose from cross-origin, same-site, same-origin'):
        DepotMiddleware(None, resource_policy=policy)


def test_a_page_that_calls_itself_an_image_is_no_image():
    file_id = DepotManager.get().create(b'<html><script>alert(1)</script>', 'a.png', 'image/png')
    for method in 'GET', 'HEAD':
        found = ask(DepotMiddleware(None), f'/depot/files/{file_id}', method).headers
        assert found['Content-Type'] == 'application/octet-stream'
        assert found['Content-Disposition'].startswith('attachment')
        assert 'sandbox' in found['Content-Security-Policy']


@pytest.mark.parametrize('age', ['abc', None, -1, 10**12, float('inf'), '', [1]])
def test_an_age_is_a_number_of_seconds(age):
    with pytest.raises(ConfigurationError, match='is no number of seconds'):
        DepotMiddleware(None, cache_max_age=age)


def test_options_may_be_words():
    assert not DepotMiddleware(None, replace_wsgi_filewrapper='false').replace_wsgi_filewrapper
    assert DepotMiddleware(None, replace_wsgi_filewrapper='on', cache_max_age='60').replace_wsgi_filewrapper
    assert not is_shown('image/png', inline='')
    with pytest.raises(ConfigurationError, match='neither text nor a list'):
        DepotMiddleware(None, inline=5)


@pytest.mark.parametrize(
    'content_type', ['text/javascript', 'application/javascript', 'text/css', 'text/ecmascript; a=b']
)
def test_no_page_includes_what_a_stranger_uploaded(content_type):
    found = headers(content_type, inline=['text/javascript', 'text/css'])
    assert found['Content-Type'] == 'application/octet-stream'
    assert found['Content-Disposition'].startswith('attachment')


def test_a_type_that_is_too_long_is_none():
    assert headers('image/png; a=' + 'b' * 500)['Content-Type'] == 'application/octet-stream'
