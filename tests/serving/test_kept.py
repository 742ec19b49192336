"""Small files that are asked for again: looked at, and not read; and never an old one in the place of a new one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from depot.io.disk import folder
from depot.io.local import LocalFileStorage, LocalStoredFile
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware
from depot.serving.kept import KeptFiles

from .client import ask


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """Where files are old enough at once to be told from later ones: the disk of a test counts time in small steps."""
    monkeypatch.setattr(folder, 'SETTLED', -1)
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


def get(application, file_id, **environ):
    return ask(application, f'/depot/default/{file_id}', **environ)


def test_a_small_file_is_read_once(storage, application, opened):
    file_id = storage.create(b'content', 'a.bin')
    assert [get(application, file_id).body for _ in range(3)] == [b'content'] * 3
    assert opened == [file_id]


def test_its_parts_and_conditions_are_answered_without_reading_it(storage, application, opened):
    file_id = storage.create(b'content', 'a.bin')
    whole = get(application, file_id)
    assert get(application, file_id, HTTP_RANGE='bytes=2-4').body == b'nte'
    parts = get(application, file_id, HTTP_RANGE='bytes=0-1,5-6')
    assert parts.status == 206
    assert b'co' in parts.body
    assert b'nt' in parts.body
    assert get(application, file_id, HTTP_IF_NONE_MATCH=whole.headers['ETag']).status == 304
    assert get(application, file_id, method='HEAD').headers == whole.headers
    assert opened == [file_id]


def test_a_large_file_is_read_each_time(storage, application, opened):
    file_id = storage.create(b'x' * (64 * 1024 + 1), 'a.bin')
    assert get(application, file_id).body == get(application, file_id).body
    assert opened == [file_id] * 2


def test_a_file_that_has_just_changed_is_read_each_time(storage, application, opened, monkeypatch):
    monkeypatch.setattr(folder, 'SETTLED', 1000)
    file_id = storage.create(b'content', 'a.bin')
    assert get(application, file_id).body == get(application, file_id).body == b'content'
    assert opened == [file_id] * 2


def test_a_replaced_file_is_served_as_the_new_one(storage, application):
    file_id = storage.create(b'content', 'a.bin')
    get(application, file_id)
    storage.replace(file_id, b'changed', 'a.txt')
    answer = get(application, file_id)
    assert (answer.body, answer.headers['Content-Type']) == (b'changed', 'text/plain')


def test_a_deleted_file_is_a_404(storage, application):
    file_id = storage.create(b'content')
    get(application, file_id)
    storage.delete(file_id)
    assert get(application, file_id).status == 404


def test_metadata_that_somebody_edits_count_at_once(storage, application):
    file_id = storage.create(b'content', 'a.bin')
    get(application, file_id)
    path = Path(storage.get(file_id)._metadata_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), 'filename': 'b.bin'}))
    assert 'b.bin' in get(application, file_id).headers['Content-Disposition']


def test_a_file_that_is_replaced_while_it_is_read_is_not_kept(storage, application, monkeypatch):
    file_id = storage.create(b'content', 'a.bin')
    original = LocalStoredFile.open_range

    def open_range(self, start, stop):
        reader = original(self, start, stop)
        storage.replace(file_id, b'changed')
        return reader

    with monkeypatch.context() as patched:
        patched.setattr(LocalStoredFile, 'open_range', open_range)
        get(application, file_id)
    assert get(application, file_id).body == b'changed'


def test_a_file_that_is_deleted_before_it_is_read_is_a_404(storage, application, monkeypatch):
    file_id = storage.create(b'content', 'a.bin')
    original = LocalStoredFile.open_range

    def open_range(self, start, stop):
        storage.delete(file_id)
        return original(self, start, stop)

    monkeypatch.setattr(LocalStoredFile, 'open_range', open_range)
    assert get(application, file_id).status == 404


def test_another_storage_in_the_place_of_the_first_is_asked(storage, application, opened, tmp_path):
    file_id = storage.create(b'content', 'a.bin')
    get(application, file_id)
    DepotManager._depots['default'] = LocalFileStorage(tmp_path)
    get(application, file_id)
    assert opened == [file_id] * 2


def test_a_private_file_is_not_kept(tmp_path, storage, opened):
    private = DepotManager.configure('private', {'depot.storage_path': str(tmp_path / 'p'), 'depot.private': 'true'})
    file_id = private.create(b'content', 'a.bin')
    seen = []
    application = DepotMiddleware(None, authorize=lambda environ, file: seen.append(file) or True)
    for _ in range(2):
        assert ask(application, f'/depot/private/{file_id}').body == b'content'
    assert opened == [file_id] * 2
    assert [type(each) for each in seen] == [LocalStoredFile] * 2


def test_a_disguised_file_stays_harmless(storage, application):
    file_id = storage.create(b'<script>alert(1)</script>', 'a.png', 'image/png')
    for _ in range(2):
        headers = get(application, file_id).headers
        assert headers['Content-Type'] == 'application/octet-stream'
        assert headers['Content-Disposition'].startswith('attachment')


def test_what_others_add_to_the_headers_of_an_answer_is_not_in_the_next(storage, application):
    file_id = storage.create(b'content', 'a.bin')

    def adding(environ, start_response):
        def started(status, headers, exc_info=None):
            headers.append(('X-Added', 'yes'))
            return start_response(status, headers)

        return application(environ, started)

    assert 'X-Added' in get(adding, file_id).headers
    assert 'X-Added' not in get(application, file_id).headers


def test_of_more_than_there_is_room_for_the_oldest_go(storage, opened):
    files = KeptFiles(most_bytes=25)
    ids = [storage.create(b'x' * 10) for _ in range(3)]
    for file_id in (*ids, ids[2], ids[1], ids[0]):
        files.find(f'default/{file_id}')
    assert opened == [*ids, ids[0]]


def test_threads_that_ask_at_once_get_the_same(storage, application):
    ids = [storage.create(bytes([number]) * 100, 'a.bin') for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        bodies = [*pool.map(lambda file_id: get(application, file_id).body, ids * 20)]
    assert bodies == [bytes([number]) * 100 for number in range(20)] * 20


@pytest.mark.parametrize('path', ['', 'default', 'default/', 'default/no-id', 'unknown/x', 'default/\0', 'default/a/b'])
def test_what_is_no_path_of_a_file_is_not_found(storage, path):
    assert KeptFiles().find(path) is None


def test_a_derived_file_is_kept_beside_its_original(storage, opened):
    file_id = storage.create(b'content')
    storage.put_derived(file_id, 'k1', b'small')
    files = KeptFiles()

    def derived(path):
        return storage.get_derived(file_id, 'k1')

    for _ in range(2):
        assert files.find(f'default/{file_id}', 'k1', derived).content == b'small'
        assert files.find(f'default/{file_id}').content == b'content'
    assert opened == [file_id] * 2
    storage.put_derived(file_id, 'k1', b'other')
    assert files.find(f'default/{file_id}', 'k1', derived).content == b'other'
