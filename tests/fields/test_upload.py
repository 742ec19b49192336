"""What is kept of an uploaded file, and read back."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest

from depot.errors import FileMissing, InvalidContent, InvalidValue
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage, MemoryStoredFile
from depot.io.utils import FileIntent
from depot.manager import DepotManager

# As the published package wrote it.
OLD = (
    '{"depot_name": "default", "files": ["default/5c5b1a8e-aaaa-11e5-8b5e-3c15c2c3cbd6"], '
    '"file_id": "5c5b1a8e-aaaa-11e5-8b5e-3c15c2c3cbd6", "path": "default/5c5b1a8e-aaaa-11e5-8b5e-3c15c2c3cbd6", '
    '"filename": "unnamed", "content_type": "application/octet-stream", '
    '"uploaded_at": "2015-11-21 02:47:13", "_public_url": null}'
)


def test_the_information_has_these_keys_and_no_others(
    storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('depot.io.utils.timestamp', lambda: '2026-11-21 02:47:13')
    uploaded = UploadedFile(b'abc')
    (file_id,) = storage.list()
    assert uploaded == {
        'depot_name': 'default',
        'files': [f'default/{file_id}'],
        'file_id': file_id,
        'path': f'default/{file_id}',
        'filename': 'unnamed',
        'content_type': 'application/octet-stream',
        'uploaded_at': '2026-11-21 02:47:13',
        '_public_url': None,
        'size': 3,
        'checksum': 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    }


def test_name_and_type_come_from_the_content(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(FileIntent(io.BytesIO(b'abc'), 'c.svg', 'image/svg+xml'))
    assert (uploaded.filename, uploaded.content_type) == ('c.svg', 'image/svg+xml')


def test_a_stored_file_is_a_content_with_a_name_and_a_type(storage: MemoryFileStorage) -> None:
    with UploadedFile(FileIntent(b'abc', 'c.svg', 'image/svg+xml')).file as file:
        copied = UploadedFile(file)
    assert (copied.filename, copied.content_type, copied.size) == ('c.svg', 'image/svg+xml', 3)
    assert len(storage.list()) == 2


def test_the_file_is_readable_at_once(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(io.BytesIO(b'abc'))
    assert uploaded.depot is storage
    with uploaded.file as file:
        assert file.read() == b'abc'


def test_more_content_is_stored_beside_the_file(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(b'abc')
    path, file_id = uploaded.store_content(b'thumb', 'thumb.png')
    assert path == f'default/{file_id}'
    assert uploaded.files == [uploaded.path, path]
    assert storage.get(file_id).content_type == 'image/png'


def test_text_is_refused_and_nothing_is_stored(storage: MemoryFileStorage) -> None:
    with pytest.raises(InvalidContent, match='Only bytes can be stored, not unicode'):
        UploadedFile('text')  # type: ignore[arg-type]
    assert storage.list() == []


def test_a_stream_that_fails_half_way_leaves_nothing(storage: MemoryFileStorage) -> None:
    def halves() -> Any:
        yield b'half'
        raise OSError('unplugged')

    with pytest.raises(OSError, match='unplugged'):
        UploadedFile(halves())
    assert storage.list() == []


def test_a_file_that_vanished_is_missing(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(b'abc')
    storage.delete(uploaded.file_id)
    with pytest.raises(FileMissing, match=uploaded.file_id):
        _ = uploaded.file


def test_a_storage_that_is_configured_no_more_is_named() -> None:
    with pytest.raises(OSError, match="no storage 'default'"):
        _ = UploadedFile.decode(OLD).file


# URLs


class Middleware:
    def url_for(self, path: str) -> str:
        return f'/files/{path}'


def test_the_middleware_makes_the_url(storage: MemoryFileStorage) -> None:
    DepotManager.set_middleware(Middleware())
    uploaded = UploadedFile(b'abc')
    assert uploaded.url == f'/files/{uploaded.path}'


def test_a_public_file_is_fetched_from_its_backend() -> None:
    DepotManager.set_middleware(Middleware())
    public = UploadedFile({'path': 'default/1', '_public_url': 'https://bucket/1'})
    assert public.url == 'https://bucket/1'


def test_a_url_that_expires_is_not_kept(storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStoredFile, 'public_url', 'https://bucket/1?signature=1')
    assert UploadedFile(b'abc')['_public_url'] == 'https://bucket/1?signature=1'
    monkeypatch.setattr(MemoryStoredFile, 'public_url_expires', True)
    assert UploadedFile(b'abc')['_public_url'] is None


def test_a_url_without_a_middleware_says_what_to_call(storage: MemoryFileStorage) -> None:
    with pytest.raises(RuntimeError, match='make_middleware'):
        _ = UploadedFile(b'abc').url


# Encoded and decoded


def test_what_was_encoded_is_decoded_the_same(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(FileIntent(b'abc', 'Крупный.txt', 'text/plain'))
    decoded = UploadedFile.decode(uploaded.encode())
    assert decoded == uploaded
    assert type(decoded) is UploadedFile


def test_a_database_may_have_parsed_the_json(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(b'abc')
    assert UploadedFile.decode(dict(uploaded)) == uploaded


def test_what_the_published_package_wrote_reads_fine() -> None:
    old = UploadedFile.decode(OLD)
    assert old.filename == 'unnamed'
    assert (old.size, old.checksum) == (None, None)
    assert 'size' not in old
    assert pickle.loads(pickle.dumps(old)) == old


@pytest.mark.parametrize('rubbish', ['rubbish', '', '"text"', '[]', 'null', '3', b'\xff', 7])
def test_rubbish_is_an_invalid_value(rubbish: Any) -> None:
    with pytest.raises(InvalidValue, match='a file column holds JSON'):
        UploadedFile.decode(rubbish)
