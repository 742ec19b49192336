"""What the web server in front is told, and the option that decides it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from depot.errors import ConfigurationError, StorageFailure
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving.description import describe
from depot.serving.handoff import HandOff
from depot.serving.policy import Policy
from depot.serving.request import Request

from .client import ask


@pytest.fixture(autouse=True)
def no_storages():
    DepotManager._clear()
    yield
    DepotManager._clear()


def told(option, file):
    """The header that tells where the file is."""
    answer = HandOff(option).respond(file, describe(file), Request(), Policy(60))
    return answer and answer.headers[0]


@pytest.fixture
def file(tmp_path):
    storage = LocalFileStorage(tmp_path / 'data')
    with storage.get(storage.create(b'content', 'a.txt')) as file:
        yield file


def test_x_sendfile_is_the_path_on_the_disk(tmp_path, file):
    assert told('X-Sendfile', file) == ('X-Sendfile', f'{tmp_path}/data/{file.file_id}/file')


def test_nginx_is_told_a_location(tmp_path, file):
    expected = ('X-Accel-Redirect', f'/protected/data/{file.file_id}/file')
    assert told({tmp_path: '/protected'}, file) == expected
    assert told({f'{tmp_path}/': '/protected/'}, file) == expected
    assert told({f'{tmp_path}/data/..': '/protected'}, file) == expected


def test_folders_may_be_relative(tmp_path, file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told({'data': '/protected'}, file) == ('X-Accel-Redirect', f'/protected/{file.file_id}/file')


def test_the_inner_of_two_folders_counts(tmp_path, file):
    inner = ('X-Accel-Redirect', f'/inner/{file.file_id}/file')
    assert told({tmp_path: '/outer', tmp_path / 'data': '/inner'}, file) == inner
    assert told({tmp_path / 'data': '/inner', tmp_path: '/outer'}, file) == inner


def test_a_file_in_no_folder_is_not_handed_off(tmp_path, file):
    assert told({tmp_path / 'dat': '/protected', tmp_path / 'data' / 'more': '/more'}, file) is None


@pytest.mark.parametrize('local_path', [None, 1, b'/etc/passwd', '', '/nowhere/at/all'])
def test_what_is_on_no_disk_is_not_handed_off(local_path):
    assert told('X-Sendfile', SimpleNamespace(local_path=local_path)) is None
    assert told('X-Sendfile', SimpleNamespace()) is None


def test_no_path_leads_out_of_the_folder(tmp_path):
    (tmp_path / 'secret').write_bytes(b'')
    (tmp_path / 'data').mkdir()
    file = SimpleNamespace(local_path=f'{tmp_path}/data/../secret')
    assert told({tmp_path / 'data': '/protected'}, file) is None
    assert told({tmp_path: '/protected'}, file) == ('X-Accel-Redirect', '/protected/secret')


@pytest.mark.parametrize('name', ['a\r\nb', 'é', 'a?b#c%2f', '\udce9'])
def test_a_path_is_encoded_byte_by_byte(tmp_path, name):
    path = tmp_path / os.fsdecode(os.fsencode(name))
    path.write_bytes(b'')
    encoded = ''.join(f'%{each:02X}' if chr(each) not in 'abcf2' else chr(each) for each in os.fsencode(name))
    file = SimpleNamespace(local_path=str(path))
    assert told({tmp_path: '/é'}, file) == ('X-Accel-Redirect', f'/%C3%A9/{encoded}')
    assert told('X-Sendfile', file) == ('X-Sendfile', f'{tmp_path}/{encoded}')


@pytest.mark.parametrize('option', ['X-Accel-Redirect', 'x', '', {}, [], ['/data'], True, 0])
def test_an_option_that_is_none_says_what_would_work(option):
    with pytest.raises(ConfigurationError, match=r"hand_off = .*'X-Sendfile'.*'/data/files': '/protected'"):
        DepotMiddleware(None, hand_off=option)


@pytest.mark.parametrize('location', ['protected', '', '/', '//', '/a//b', '/a/../b', '/.', '@named', None, 1])
def test_a_location_is_a_path(location):
    with pytest.raises(ConfigurationError, match='no internal location of nginx; one looks like /protected'):
        DepotMiddleware(None, hand_off={'/data': location})


@pytest.mark.parametrize('folder', ['', None, 1])
def test_a_folder_is_a_path(folder):
    with pytest.raises(ConfigurationError, match='no path of a folder'):
        DepotMiddleware(None, hand_off={folder: '/protected'})


def test_nothing_is_handed_off_without_the_option(tmp_path):
    application, path = _application(tmp_path, hand_off=None)
    answer = ask(application, path, HTTP_X_ACCEL_MAPPING='/=/', HTTP_X_SENDFILE_TYPE='X-Sendfile')
    assert (answer.status, answer.body) == (200, b'content')
    assert not {'X-Sendfile', 'X-Accel-Redirect'} & set(answer.headers)


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize('condition', ['If-Match', 'If-None-Match', 'If-Range', 'If-Modified-Since', 'Range'])
def test_no_condition_is_answered_in_the_place_of_the_web_server(tmp_path, method, condition):
    application, path = _application(tmp_path, hand_off='X-Sendfile')
    answer = ask(application, path, method, **{f'HTTP_{condition.upper().replace("-", "_")}': '"of the web server"'})
    assert (answer.status, answer.body) == (200, b'')
    assert Path(answer.headers['X-Sendfile']).read_bytes() == b'content'
    assert answer.headers['Content-Type'] == 'text/plain'
    assert not {'ETag', 'Last-Modified', 'Accept-Ranges'} & set(answer.headers)


def test_a_file_that_is_handed_off_is_closed(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr('depot.io.local.LocalStoredFile.close', lambda self: closed.append(self.file_id))
    application, path = _application(tmp_path, hand_off='X-Sendfile')
    ask(application, path)
    assert path.endswith(closed[-1])


def _application(tmp_path, filename='a.txt', **options):
    DepotManager.configure('default', {'depot.storage_path': str(tmp_path)})
    file_id = DepotManager.get().create(b'content', filename)
    return DepotMiddleware(None, **options), f'/depot/default/{file_id}'


# The content that decides whether it is what it says


def test_a_file_that_is_replaced_while_it_is_looked_at_is_taken_for_anything(tmp_path, monkeypatch):
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(b'an image', 'a.png')
    monkeypatch.setattr('depot.serving.server.find_file', lambda path: _replaced(storage, file_id))
    answer = ask(DepotMiddleware(None, hand_off='X-Sendfile'), f'/depot/default/{file_id}')
    assert answer.headers['Content-Type'] == 'application/octet-stream'
    assert answer.headers['Content-Disposition'].startswith('attachment;')


def _replaced(storage, file_id):
    """The file as it was found; meanwhile another took its place."""
    file = storage.get(file_id)
    storage.replace(file_id, b'<script>alert(1)</script>', 'a.html')
    return file


def test_a_disk_that_fails_is_not_a_missing_file(tmp_path, monkeypatch):
    DepotManager.configure('default', {'depot.storage_path': str(tmp_path)})
    path = f'/depot/default/{DepotManager.get().create(b"an image", "a.png")}'
    application = DepotMiddleware(None, hand_off='X-Sendfile')

    def fail(*args):
        raise StorageFailure('disk')

    monkeypatch.setattr('depot.io.local.LocalStoredFile.open_range', fail)
    monkeypatch.setattr('depot.serving.disguise._verdicts', {})
    with pytest.raises(StorageFailure):
        ask(application, path)
