"""What is served again within a second is looked at, and not read again; and it is never an old one."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from depot.io.local import LocalFileStorage, LocalStoredFile
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving import recent

from .client import ask


class Clock:
    """It stands still."""

    now = time.time()

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(recent, 'time', clock)
    return clock


@pytest.fixture
def storage(tmp_path, clock):
    DepotManager._clear()
    yield DepotManager.configure('default', {'depot.storage_path': str(tmp_path)})
    DepotManager._clear()


@pytest.fixture
def application(storage):
    return DepotMiddleware(None, secret_key='a key for the tests')


@pytest.fixture
def opened(monkeypatch):
    """The ids of files whose content is opened."""
    opened = []
    original = LocalStoredFile.open_range

    def open_range(self, start, stop):
        opened.append(self.file_id)
        return original(self, start, stop)

    monkeypatch.setattr(LocalStoredFile, 'open_range', open_range)
    return opened


def settled(storage, content=b'content', filename='a.bin'):
    """A file that is as old as most are."""
    file_id = storage.create(content, filename)
    settle(storage, file_id)
    return file_id


def settle(storage, file_id, seconds=100):
    for each in (Path(storage.storage_path) / file_id).iterdir():
        os.utime(each, (time.time() - seconds,) * 2)


def get(application, file_id, **environ):
    return ask(application, f'/depot/default/{file_id}', **environ)


def test_within_a_second_a_file_is_read_once(storage, application, opened):
    file_id = settled(storage)
    assert get(application, file_id) == get(application, file_id)
    assert opened == [file_id]


def test_a_second_later_it_is_read_again(storage, application, opened, clock):
    file_id = settled(storage)
    first = get(application, file_id)
    clock.now += 1
    assert get(application, file_id).body == first.body
    assert opened == [file_id] * 2


def test_a_replaced_file_is_served_as_the_new_one(storage, application):
    file_id = settled(storage)
    get(application, file_id)
    storage.replace(file_id, b'changed', 'a.txt')
    assert get(application, file_id).body == b'changed'
    settle(storage, file_id, 99)
    answer = get(application, file_id)
    assert (answer.body, answer.headers['Content-Type']) == (b'changed', 'text/plain')


def test_a_deleted_file_is_a_404(storage, application):
    file_id = settled(storage)
    get(application, file_id)
    storage.delete(file_id)
    assert get(application, file_id).status == 404


def test_metadata_that_an_application_edits_count_at_once(storage, application):
    file_id = settled(storage)
    get(application, file_id)
    path = Path(storage.get(file_id)._metadata_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), 'filename': 'b.bin'}))
    assert 'b.bin' in get(application, file_id).headers['Content-Disposition']


def test_a_young_file_is_read_each_time(storage, application, opened):
    file_id = storage.create(b'content', 'a.bin')
    get(application, file_id)
    get(application, file_id)
    assert opened == [file_id] * 2
    assert storage.version(file_id) is None


def test_a_file_that_is_replaced_while_it_is_read_is_not_kept(storage, application, monkeypatch):
    file_id = settled(storage)
    original = LocalStoredFile.open_range

    def open_range(self, start, stop):
        reader = original(self, start, stop)
        storage.replace(file_id, b'changed')
        settle(storage, file_id)
        return reader

    with monkeypatch.context() as patched:
        patched.setattr(LocalStoredFile, 'open_range', open_range)
        assert get(application, file_id).body == b'content'
    assert get(application, file_id).body == b'changed'


def test_another_storage_in_the_place_of_the_first_is_asked(storage, application, opened, tmp_path):
    file_id = settled(storage)
    get(application, file_id)
    with DepotManager.override('default', LocalFileStorage(tmp_path)):
        get(application, file_id)
    assert opened == [file_id] * 2


def test_what_is_private_is_asked_for_each_time(tmp_path, clock, opened):
    DepotManager._clear()
    storage = DepotManager.configure('default', {'depot.storage_path': str(tmp_path), 'depot.private': True})
    asked = []
    application = DepotMiddleware(None, authorize=lambda request, file: not asked.append(file.file_id))
    file_id = settled(storage)
    get(application, file_id)
    get(application, file_id)
    assert asked == opened == [file_id] * 2
    DepotManager._clear()


def test_a_token_that_is_wrong_is_a_404(storage, application):
    file_id = settled(storage)
    get(application, file_id)
    assert get(application, file_id, QUERY_STRING='token=x').status == 404


def test_ranges_and_conditions_are_answered(storage, application):
    file_id = settled(storage)
    tag = get(application, file_id).headers['ETag']
    assert get(application, file_id, HTTP_RANGE='bytes=0-1').body == b'co'
    assert get(application, file_id, HTTP_IF_NONE_MATCH=tag).status == 304
    assert get(application, file_id, method='HEAD').body == b''


def test_what_a_server_does_to_the_headers_is_not_kept(storage, application):
    file_id = settled(storage)
    for _ in range(3):
        said = []
        environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': f'/depot/default/{file_id}', 'QUERY_STRING': ''}
        application(environ, lambda status, headers, said=said: said.append(headers))
        assert 'X-Server' not in dict(said[0])
        said[0].append(('X-Server', 'yes'))


def test_no_more_is_kept_than_has_room(storage, application, opened, monkeypatch):
    monkeypatch.setattr(recent, '_MOST_BYTES', 10)
    files = [settled(storage, b'12345678'), settled(storage, b'another')]
    for each in files * 2:
        get(application, each)
    assert opened == [*files, files[1]]


def test_a_large_file_is_not_kept(storage, application, opened):
    file_id = settled(storage, bytes(100_000))
    get(application, file_id)
    get(application, file_id)
    assert opened == [file_id] * 2


@pytest.mark.parametrize('path', ['default/x', 'default/', 'default', 'default/a/b', 'unknown/x', ''])
def test_what_is_no_file_is_a_404(application, path):
    assert ask(application, f'/depot/{path}').status == 404
