"""Derived files in a folder: where they are, and what crashes and other writers make of them."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from depot.errors import CorruptMetadata, FileMissing, StorageFailure
from depot.io.contract.samples import SAMPLE
from depot.io.disk import turns, writing
from depot.io.local import LocalFileStorage
from depot.utils import utcnow_naive

KILLED = """
import sys
from depot.io.faults import Fault, FaultyStorage, kill
from depot.io.local import LocalFileStorage

storage = FaultyStorage(LocalFileStorage(sys.argv[1]), Fault('put_derived', sys.argv[3], does=kill))
storage.put_derived(sys.argv[2], 'key', b'small' * 50_000)
"""


@pytest.fixture
def storage(tmp_path: pathlib.Path) -> LocalFileStorage:
    return LocalFileStorage(tmp_path)


def later() -> Any:
    return utcnow_naive() + timedelta(hours=1)


def tree(root: pathlib.Path) -> set[str]:
    """The paths of all files below a folder."""
    return {each.relative_to(root).as_posix() for each in root.rglob('*') if each.is_file()}


def derived(storage: LocalFileStorage, file_id: str, key: str = 'key') -> bytes | None:
    try:
        with storage.get_derived(file_id, key) as file:
            return file.read()
    except FileMissing:
        return None


def test_it_is_a_folder_in_that_of_its_original(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small', 'small.png')
    folder = tmp_path / file_id / 'derived' / 'key'
    assert (folder / 'file').read_bytes() == b'small'
    assert json.loads((folder / 'metadata.json').read_bytes())['filename'] == 'small.png'
    assert tree(tmp_path) == {
        f'{file_id}/{each}' for each in ('file', 'metadata.json', 'derived/key/file', 'derived/key/metadata.json')
    }
    assert storage.get_derived(file_id, 'key').local_path == str(folder / 'file')


@pytest.mark.skipif(os.name == 'nt', reason='impossible here: Windows has no signals')
@pytest.mark.parametrize(('moment', 'hidden', 'found'), [('middle', 1, None), ('after', 0, b'small' * 50_000)])
def test_a_killed_put_leaves_what_clean_removes(
    storage: LocalFileStorage, tmp_path: pathlib.Path, moment: str, hidden: int, found: bytes | None
) -> None:
    file_id = storage.create(SAMPLE)
    killed = subprocess.run([sys.executable, '-c', KILLED, str(tmp_path), file_id, moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert derived(storage, file_id) == found
    left = [each.name for each in tmp_path.glob('.*')]
    assert len(left) == hidden
    assert storage.clean(later()) == left
    assert storage.list() == [each.name for each in tmp_path.iterdir()] == [file_id]
    assert derived(storage, file_id) == found


def test_a_delete_that_was_killed_leaves_no_derived_file(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small')
    gone = tmp_path / f'.{file_id}.gone'
    (tmp_path / file_id).rename(gone)
    (gone / 'file').unlink()
    assert derived(storage, file_id) is None
    assert storage.clean(later()) == [gone.name]
    assert tree(tmp_path) == set()


def test_what_was_derived_from_a_replaced_content_is_not_found_where_that_was_set_aside(
    storage: LocalFileStorage, tmp_path: pathlib.Path
) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small')
    shutil.copytree(tmp_path / file_id, tmp_path / f'.{file_id}.old')
    storage.delete_derived(file_id)
    assert derived(storage, file_id) is None
    storage.put_derived(file_id, 'key', b'of the new')
    assert derived(storage, file_id) == b'of the new'
    assert storage.clean(later()) == [f'.{file_id}.old']


def test_a_file_that_a_crash_left_set_aside_has_what_is_derived_from_it(
    storage: LocalFileStorage, tmp_path: pathlib.Path
) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small')
    (tmp_path / file_id).rename(tmp_path / f'.{file_id}.old')
    assert derived(storage, file_id) == b'small'
    storage.put_derived(file_id, 'other', b'put meanwhile')
    assert storage.clean(later()) == []
    assert (derived(storage, file_id), derived(storage, file_id, 'other')) == (b'small', b'put meanwhile')
    storage.delete(file_id)
    assert tree(tmp_path) == set()


def test_it_is_on_the_disk_before_it_is_in_its_place(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(SAMPLE)
    synced: list[bytes | None] = []

    def sync(folder: str) -> None:
        synced.append(derived(storage, file_id))
        assert pathlib.Path(folder, 'file').read_bytes() == b'small'

    monkeypatch.setattr(writing, 'sync_folder', sync)
    storage.put_derived(file_id, 'key', b'small')
    assert synced == [None]
    assert derived(storage, file_id) == b'small'
    LocalFileStorage(tmp_path, durable=False).put_derived(file_id, 'other', b'small')
    assert len(synced) == 1


def test_one_that_cannot_be_read_is_healed_by_the_next_put(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small')
    (tmp_path / file_id / 'derived/key/metadata.json').write_bytes(b'')  # as a power loss may leave it
    with pytest.raises(CorruptMetadata):
        storage.get_derived(file_id, 'key')
    storage.put_derived(file_id, 'key', b'anew')
    assert derived(storage, file_id) == b'anew'


def test_while_it_is_put_again_it_is_there(storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', b'small')
    found: list[bytes | None] = []
    reading = threading.Thread(target=lambda: found.append(derived(storage, file_id)))
    rename = os.rename

    def meanwhile(source: str, target: str) -> None:
        if source.endswith('.new'):  # the old one is out of sight, and the new one is not in its place
            reading.start()
            reading.join(0.2)
        rename(source, target)

    monkeypatch.setattr(os, 'rename', meanwhile)
    storage.put_derived(file_id, 'key', b'anew')
    reading.join()
    assert found == [b'anew']


def test_a_replace_waits_until_it_is_in_its_place(storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = storage.create(SAMPLE)
    replacing = threading.Thread(target=storage.replace, args=[file_id, b'new'])
    rename = os.rename

    def meanwhile(source: str, target: str) -> None:
        if '/derived/' in target:
            replacing.start()
            replacing.join(0.2)
            assert replacing.is_alive()
        rename(source, target)

    monkeypatch.setattr(os, 'rename', meanwhile)
    storage.put_derived(file_id, 'key', b'small')
    replacing.join()
    assert storage.get(file_id).read() == b'new'
    assert derived(storage, file_id) is None


def test_without_locks_it_is_taken_back_if_the_file_is_replaced_in_that_very_moment(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(SAMPLE)
    rename = os.rename

    def meanwhile(source: str, target: str) -> None:
        if '/derived/' in target:
            monkeypatch.undo()
            LocalFileStorage(tmp_path).replace(file_id, b'new')  # another process
            (tmp_path / file_id / 'derived').mkdir()
        rename(source, target)

    monkeypatch.setattr(turns.fcntl, 'flock', _no_locks)
    monkeypatch.setattr(os, 'rename', meanwhile)
    with pytest.raises(FileMissing, match='replaced'):
        storage.put_derived(file_id, 'key', b'small')
    assert storage.get(file_id).read() == b'new'
    assert derived(storage, file_id) is None
    assert [each.name for each in tmp_path.iterdir()] == [file_id]


def _no_locks(*_: object) -> None:
    raise OSError(9, 'Bad file descriptor')


def test_a_reader_goes_on_when_all_is_deleted(storage: LocalFileStorage) -> None:
    file_id = storage.create(SAMPLE)
    storage.put_derived(file_id, 'key', SAMPLE)
    with storage.get_derived(file_id, 'key') as file, storage.get_derived(file_id, 'key') as unread:
        begun = file.read(10)
        storage.delete(file_id)
        assert begun + file.read() == SAMPLE
        with pytest.raises(FileMissing):
            unread.read()


def test_a_full_disk_leaves_nothing(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(SAMPLE)
    before = tree(tmp_path)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(os, 'write', full)
        with pytest.raises(StorageFailure, match='No space left'):
            storage.put_derived(file_id, 'key', SAMPLE)
    assert tree(tmp_path) == before
    assert not [*tmp_path.glob('.*')]


def test_a_put_for_what_was_replaced_reads_no_content(storage: LocalFileStorage) -> None:
    read: list[int] = []

    def content() -> Iterator[bytes]:
        read.append(1)
        yield b'small'

    with storage.get(storage.create(SAMPLE)) as made_from:
        storage.replace(made_from, b'new')
        with pytest.raises(FileMissing, match='replaced'):
            storage.put_derived(made_from, 'key', content())
    assert read == []
