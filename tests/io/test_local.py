"""What is special to the local storage: the layout on disk, old data, options, listing, deleting."""

from __future__ import annotations

import datetime
import io
import json
import os
import pathlib
import tracemalloc
import uuid
from typing import Any

import pytest

from depot.errors import ConfigurationError, CorruptMetadata, FileMissing, StorageFailure, WrongOption
from depot.io import local, utils
from depot.io.contract.samples import LargeStream
from depot.io.local import LocalFileStorage

OLD_ID = '0b3e4f1c-c6a1-11f0-9d3a-0242ac120002'
OLD = {
    'filename': 'letter.txt',
    'content_type': 'text/plain',
    'content_length': 5,
    'last_modified': '2019-03-31 01:30:00',
}


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / 'some' / 'files'


@pytest.fixture
def storage(root: pathlib.Path) -> LocalFileStorage:
    return LocalFileStorage(root)


def put_old(root: pathlib.Path, metadata: Any, content: bytes | None = b'hello', name: str = OLD_ID) -> str:
    """A file as the published package leaves it."""
    folder = root / name
    folder.mkdir(parents=True)
    if content is not None:
        (folder / 'file').write_bytes(content)
    if metadata is not None:
        (folder / 'metadata.json').write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    return name


def test_a_file_is_a_folder_with_its_content_and_its_metadata(storage: LocalFileStorage, root: pathlib.Path) -> None:
    file_id = storage.create(b'hello', 'letter.txt')
    assert [each.name for each in root.iterdir()] == [file_id]
    assert sorted(each.name for each in (root / file_id).iterdir()) == ['file', 'metadata.json']
    assert (root / file_id / 'file').read_bytes() == b'hello'


def test_the_metadata_have_the_keys_of_the_published_package_and_a_checksum(
    storage: LocalFileStorage, root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, 'timestamp', lambda: '2019-03-31 01:30:00')
    file_id = storage.create(b'hello', 'letter.txt')
    metadata = json.loads((root / file_id / 'metadata.json').read_text())
    assert metadata.pop('checksum') == 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    assert metadata == OLD


def test_a_file_of_the_published_package_reads_fine(storage: LocalFileStorage, root: pathlib.Path) -> None:
    put_old(root, OLD)
    with storage.get(OLD_ID) as file:
        assert file.read() == b'hello'
    assert (file.filename, file.content_type, file.content_length) == ('letter.txt', 'text/plain', 5)
    assert file.last_modified == datetime.datetime(2019, 3, 31, 1, 30)
    assert file.checksum is None
    assert storage.list() == [OLD_ID]


def test_a_file_of_the_published_package_can_be_replaced_and_deleted(
    storage: LocalFileStorage, root: pathlib.Path
) -> None:
    storage.replace(put_old(root, OLD), b'new')
    assert storage.get(OLD_ID).filename == 'letter.txt'
    storage.delete(OLD_ID)
    assert [*root.iterdir()] == []


@pytest.mark.parametrize(
    'metadata',
    [
        {},
        {'last_modified': None, 'unknown': [1, 2]},
        {'filename': None, 'content_type': 7, 'content_length': 'x', 'last_modified': 'yesterday', 'checksum': {}},
    ],
)
def test_metadata_that_are_missing_or_make_no_sense_get_the_defaults(
    storage: LocalFileStorage, root: pathlib.Path, metadata: Any
) -> None:
    file = storage.get(put_old(root, metadata))
    assert (file.filename, file.content_type) == ('unnamed', 'application/octet-stream')
    assert (file.content_length, file.last_modified, file.checksum) == (None, None, None)


@pytest.mark.parametrize('text', ['', '{', '[]', '"text"', 'null', '\xff'])
def test_metadata_that_cannot_be_read_are_an_error_of_ours(
    storage: LocalFileStorage, root: pathlib.Path, text: str
) -> None:
    with pytest.raises(CorruptMetadata, match=OLD_ID) as caught:
        storage.get(put_old(root, text))
    assert isinstance(caught.value, ValueError)
    assert caught.value.file_id == OLD_ID


def test_a_file_without_metadata_is_missing(storage: LocalFileStorage, root: pathlib.Path) -> None:
    put_old(root, None)
    with pytest.raises(FileMissing, match=str(root)):
        storage.get(OLD_ID)
    assert not storage.exists(OLD_ID)


@pytest.mark.parametrize(('metadata', 'content'), [(OLD, None), (None, b'half'), (None, None)])
def test_a_file_that_the_published_package_made_half_can_be_deleted(
    storage: LocalFileStorage, root: pathlib.Path, metadata: Any, content: bytes | None
) -> None:
    put_old(root, metadata, content)
    assert storage.list() == [OLD_ID]
    storage.delete(OLD_ID)
    assert [*root.iterdir()] == []


def test_a_content_that_vanished_is_missing_when_it_is_read(storage: LocalFileStorage, root: pathlib.Path) -> None:
    with storage.get(put_old(root, OLD, None)) as file, pytest.raises(FileMissing):
        file.read()


def test_a_file_that_vanished_is_missing_when_it_is_read(storage: LocalFileStorage) -> None:
    with storage.get(storage.create(b'hello')) as file:
        storage.delete(file)
        with pytest.raises(FileMissing):
            file.read()


def test_metadata_that_were_spoilt_meanwhile_are_an_error_of_ours(storage: LocalFileStorage) -> None:
    with storage.get(storage.create(b'hello')) as file:
        pathlib.Path(file._metadata_path).write_text('{')
        with pytest.raises(CorruptMetadata):
            file.read()


def test_an_application_may_edit_the_metadata_in_place(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'hello', 'letter.txt')
    path = pathlib.Path(storage.get(file_id)._metadata_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), 'filename': 'renamed.txt', 'tags': ['mine']}))
    assert storage.get(file_id).filename == 'renamed.txt'


def test_an_application_may_exchange_the_metadata_file(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    with storage.get(storage.create(b'hello', 'letter.txt')) as file:
        (tmp_path / 'edited').write_text('{"filename": "renamed.txt"}')
        os.replace(tmp_path / 'edited', file._metadata_path)
        assert file.read() == b'hello'
        assert file.filename == 'renamed.txt'


def test_a_stored_file_tells_where_it_is(storage: LocalFileStorage, root: pathlib.Path) -> None:
    file = storage.get(storage.create(b'hello'))
    assert pathlib.Path(file._file_path) == root / file.file_id / 'file'
    assert pathlib.Path(file._metadata_path) == root / file.file_id / 'metadata.json'


def test_attributes_that_were_assigned_stay_when_the_file_is_read(storage: LocalFileStorage) -> None:
    with storage.get(storage.create(b'hello', 'letter.txt')) as file:
        file.filename = 'assigned.txt'
        file.read()
        assert file.filename == 'assigned.txt'


def test_any_spelling_of_an_id_leads_to_the_one_folder(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'hello')
    for each in (
        uuid.UUID(file_id),
        file_id.upper(),
        file_id.replace('-', ''),
        f'{{{file_id}}}',
        f'urn:uuid:{file_id}',
    ):
        assert storage.get(each).file_id == file_id


def test_a_storage_that_was_never_used_makes_no_folder(storage: LocalFileStorage, root: pathlib.Path) -> None:
    assert storage.list() == []
    assert [*storage.iter_ids()] == []
    assert not storage.exists(OLD_ID)
    storage.delete(OLD_ID)
    storage.sync([OLD_ID])
    with pytest.raises(FileMissing):
        storage.get(OLD_ID)
    assert not root.parent.exists()


def test_the_path_is_kept_as_it_was_given(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir(parents=True)
    monkeypatch.chdir(root)
    storage = LocalFileStorage('relative')
    assert storage.storage_path == 'relative'
    assert LocalFileStorage(root).storage_path is root
    assert (root / 'relative' / storage.create(b'hello')).is_dir()


def test_what_is_no_file_is_not_listed(storage: LocalFileStorage, root: pathlib.Path) -> None:
    file_id = storage.create(b'hello')
    for each in (
        'lost+found',
        OLD_ID.upper(),
        OLD_ID.replace('-', ''),
        f'.{OLD_ID}',
        f'.{OLD_ID}.new',
        f'{OLD_ID}.old',
    ):
        (root / each).mkdir()
    (root / str(uuid.uuid4())).write_text('a file in place of a folder')
    assert storage.list() == [file_id]
    assert [*storage.iter_ids()] == [file_id]


def test_ids_are_listed_page_by_page(storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, 'PAGE', 3)
    ids = [storage.create(b'') for _ in range(9)]
    assert [*storage.iter_ids()] == ids
    assert [*storage.iter_ids(after=ids[3])] == ids[4:]
    assert [*storage.iter_ids(after=ids[-1])] == []


@pytest.mark.parametrize('value', [True, 'true', 'True', ' yes ', 'on', '1', 1])
def test_a_durable_storage_claims_it(root: pathlib.Path, value: Any) -> None:
    assert 'sync' in LocalFileStorage(root, durable=value).capabilities


@pytest.mark.parametrize('value', [False, 'false', 'False', 'no', 'off', '0', 0])
def test_a_storage_that_is_not_durable_does_not(root: pathlib.Path, value: Any) -> None:
    assert 'sync' not in LocalFileStorage(root, durable=value).capabilities


@pytest.mark.parametrize('value', ['', 'maybe', None, 2])
def test_a_durability_that_is_no_truth_is_refused(root: pathlib.Path, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'durable = .* choose from true, yes'):
        LocalFileStorage(root, durable=value)


def test_memory_use_does_not_grow_with_the_file(storage: LocalFileStorage) -> None:
    size = 32 * 1024 * 1024
    content = LargeStream(size)
    tracemalloc.start()
    try:
        with storage.get(storage.create(content)) as file:
            while file.read(64 * 1024):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 8


def test_a_range_of_a_replaced_file_is_of_the_new_one(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'0123456789')
    with storage.open_range(file_id, 2, 5) as part:
        storage.replace(file_id, b'abcdefghij')
        assert part.read() == b'234'
    with storage.open_range(file_id, 2, 5) as part:
        assert part.read() == b'cde'


def test_a_stored_file_that_opens_parts_holds_no_descriptor_itself(storage: LocalFileStorage) -> None:
    file = storage.get(storage.create(b'0123456789'))
    parts = [file.open_range(start, start + 2) for start in (6, 0, 3)]
    assert [part.read() for part in parts] == [b'67', b'01', b'34']
    for part in parts:
        part.close()  # a ResourceWarning for any other is an error


def test_a_part_of_a_file_has_a_descriptor_only_where_it_is_the_whole(storage: LocalFileStorage) -> None:
    """Some servers send all that a descriptor has, from its beginning."""
    with storage.get(storage.create(b'0123456789')) as file:
        with file.open_range(0, 10) as whole:
            assert os.pread(whole.fileno(), 100, 0) == b'0123456789'
        for start, stop in ((0, 9), (1, 10), (3, 5)):
            with file.open_range(start, stop) as part, pytest.raises(io.UnsupportedOperation):
                part.fileno()


def test_a_part_that_the_disk_does_not_give_is_a_failure_that_names_the_path(storage: LocalFileStorage) -> None:
    file = storage.get(storage.create(b'0123456789'))
    folder = os.open('/', os.O_RDONLY)
    with file.open_range(0, 10) as part:
        os.dup2(folder, part.fileno())
        os.close(folder)
        with pytest.raises(StorageFailure, match=file.file_id):
            part.read()


def test_the_path_of_a_file_is_absolute_wherever_its_storage_is(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = LocalFileStorage('below')
    file = relative.get(relative.create(b'hello'))
    assert file.local_path == os.path.join(os.getcwd(), 'below', file.file_id, 'file')


def test_whatever_else_is_in_a_folder_goes_with_it(storage: LocalFileStorage, root: pathlib.Path) -> None:
    file_id = storage.create(b'hello')
    (root / file_id / 'file').unlink()
    (root / file_id / 'file').mkdir()
    (root / file_id / 'file' / 'deep').mkdir()
    storage.delete(file_id)  # whatever is in the folder
    assert [*root.iterdir()] == []


def test_a_delete_that_cannot_remove_names_the_path(
    storage: LocalFileStorage, root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(b'hello')
    unlink = os.unlink

    def refuse(path: Any, **options: Any) -> None:
        if os.path.basename(path) == 'metadata.json':
            raise PermissionError(1, 'Operation not permitted', str(path))
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'unlink', refuse)
        with pytest.raises(
            StorageFailure, match=rf'{root}/.*\.gone could not be removed: Operation not permitted'
        ) as caught:
            storage.delete(file_id)
    assert caught.value.errno == 1
    assert not storage.exists(file_id)
    assert storage.list() == []


@pytest.mark.parametrize('path', [None, 5])
def test_a_path_that_is_none_is_told(path: Any) -> None:
    with pytest.raises(WrongOption, match='storage_path'):
        LocalFileStorage(path)
