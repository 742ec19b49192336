"""What the base classes do for a storage that has just the six methods."""

from __future__ import annotations

import io
import os
import pathlib
import types
from typing import Any

import pytest

from depot.errors import InvalidContent
from depot.io import interfaces
from depot.io.interfaces import FileIntent, FileStorage, StoredFile, _FileInfo
from depot.io.memory import MemoryFileStorage

from .simple import SimpleStorage


def test_the_interface_is_abstract() -> None:
    with pytest.raises(TypeError, match='abstract'):
        FileStorage()  # type: ignore[abstract]


def test_fileid_is_the_file_id_or_the_value_itself() -> None:
    assert FileStorage.fileid(types.SimpleNamespace(file_id='x')) == 'x'
    assert FileStorage.fileid('x') == 'x'


def test_fileinfo_can_be_called_on_the_class() -> None:
    assert FileStorage.fileinfo(b'x') == (b'x', 'unnamed', 'application/octet-stream')
    assert FileStorage.fileinfo(b'x', 'page.html') == (b'x', 'page.html', 'text/html')
    assert FileStorage.fileinfo(FileIntent(b'x', 'a', 'b'), 'ignored', 'ignored') == (b'x', 'a', 'b')


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('/tmp/page.html', 'page.html'),
        (b'/tmp/page.html', 'page.html'),
        (pathlib.Path('/tmp/page.html'), 'page.html'),
        (7, 'unnamed'),
        ('', 'unnamed'),
        ('/tmp/', 'unnamed'),
        (None, 'unnamed'),
    ],
)
def test_a_file_s_name_is_the_last_part_of_its_path(name: Any, expected: str) -> None:
    file = types.SimpleNamespace(name=name, read=lambda size=-1: b'')
    assert FileStorage.fileinfo(file)[1] == expected


def test_attributes_that_are_no_text_are_passed_over() -> None:
    upload = types.SimpleNamespace(file=io.BytesIO(), filename=b'bytes', type=7, content_type=None)
    assert FileStorage.fileinfo(upload) == (upload.file, 'unnamed', 'application/octet-stream')


def test_the_type_may_come_from_either_attribute() -> None:
    assert FileStorage.fileinfo(types.SimpleNamespace(read=None, name='a', type='text/a'))[2] == 'text/a'
    both = types.SimpleNamespace(read=None, name='a', type='text/a', content_type='text/b')
    assert FileStorage.fileinfo(both)[2] == 'text/b'


def test_an_existing_file_lends_its_name_where_there_is_none() -> None:
    existing = types.SimpleNamespace(filename='old.txt', content_type='text/x-old')
    assert FileStorage.fileinfo(b'x', existing=existing) == (b'x', 'old.txt', 'text/x-old')
    assert FileStorage.fileinfo(b'x', None, 'text/x-new', existing) == (b'x', 'old.txt', 'text/x-new')
    assert FileStorage.fileinfo(b'x', 'new.html', None, existing) == (b'x', 'new.html', 'text/html')


def test_the_defaults_have_names() -> None:
    assert _FileInfo.DEFAULT_NAME == 'unnamed'
    assert _FileInfo.DEFAULT_CONTENT_TYPE == 'application/octet-stream'


def test_the_intent_can_be_imported_from_here() -> None:
    assert interfaces.FileIntent is FileIntent


def test_deleting_many_tells_every_failure() -> None:
    class Stubborn(SimpleStorage):
        def delete(self, file_or_id: Any) -> None:
            raise OSError(f'no: {file_or_id}')

    storage = Stubborn()
    ids = [storage.create(b'x') for _ in range(3)]
    failures = storage.delete_many(ids)
    assert [str(error) for error in failures.values()] == [f'no: {each}' for each in failures]
    assert [*failures] == ids


def test_a_public_file_has_its_public_url_for_a_url() -> None:
    class Public(SimpleStorage):
        def get(self, file_or_id: Any) -> Any:
            kind = type('File', (super().get(file_or_id).__class__,), {'public_url': 'https://there/it'})
            return kind(self._records, self._id(file_or_id))

    storage = Public()
    file_id = storage.create(b'x')
    assert storage.url(file_id) == 'https://there/it'
    assert storage.url(file_id, expires=60) == 'https://there/it'
    for headers in ({'filename': 'a'}, {'disposition': 'attachment'}, {'content_type': 'a/b'}):
        assert storage.url(file_id, **headers) is None


def test_a_stored_file_can_be_patched_on_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoredFile, '__repr__', lambda self: 'patched')
    storage = MemoryFileStorage()
    assert repr(storage.get(storage.create(b'x'))) == 'patched'


def test_a_stored_file_that_is_forgotten_is_closed() -> None:
    storage = SimpleStorage()
    closed: list[bool] = []

    class Watched(storage.get(storage.create(b'x')).__class__):  # type: ignore[misc]
        def close(self) -> None:
            closed.append(True)
            super().close()

    Watched(storage._records, storage.list()[0])
    assert closed


def test_the_memory_storage_holds_plain_dicts() -> None:
    storage = MemoryFileStorage(storage_path=os.devnull, whatever=1)
    file_id = storage.create(b'hello', 'letter.txt')
    record = storage.files[file_id]
    assert record['data'] == b'hello'
    assert record['metadata']['filename'] == 'letter.txt'
    del record['metadata']['checksum']  # as an application's own tests put it
    assert storage.get(file_id).checksum is None


@pytest.mark.parametrize('content', [b'content', FileIntent(b'content', 7, 'a/b'), FileIntent(b'content', 'a', b'a/b')])
@pytest.mark.parametrize(
    'named', [(pathlib.Path('a.txt'), None), (b'a.txt', None), ('a.txt', b'text/plain'), (7, None)]
)
def test_a_name_and_a_type_are_text(content: Any, named: Any) -> None:
    storage = MemoryFileStorage()
    file_id = storage.create(b'old', 'old.txt')
    with pytest.raises(InvalidContent, match='is no text'):
        storage.create(content, *named)
    with pytest.raises(InvalidContent, match='is no text'):
        storage.replace(file_id, content, *named)
    assert storage.get(file_id).filename == 'old.txt'
    assert storage.list() == [file_id]
