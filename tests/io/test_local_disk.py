"""What the local storage does when the disk says no, and that it asks the disk to keep what it has."""

from __future__ import annotations

import errno
import os
import pathlib
import pickle
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from depot.errors import FileMissing, StorageFailure
from depot.io.contract.samples import SAMPLE, LargeStream
from depot.io.local import LocalFileStorage

UNKNOWN = '0b3e4f1c-c6a1-11f0-9d3a-0242ac120002'


def mount(*command: str) -> None:
    """Runs a mount command; skips the test where that is not allowed."""
    if subprocess.run(['mount', *command], capture_output=True).returncode:
        pytest.skip('impossible here: it needs root and the right to mount a file system')


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file system of 512 KiB and 40 files."""
    path = tmp_path / 'disk'
    path.mkdir()
    mount('-t', 'tmpfs', '-o', 'size=512k,nr_inodes=40', 'tmpfs', os.fspath(path))
    yield path
    subprocess.run(['umount', path], check=True)


@pytest.fixture
def storage(small_disk: pathlib.Path) -> LocalFileStorage:
    return LocalFileStorage(small_disk / 'files')


def make_read_only(path: pathlib.Path) -> None:
    mount('-o', 'remount,ro', os.fspath(path))


def test_a_full_disk_is_an_error_of_ours_that_names_the_path(
    storage: LocalFileStorage, small_disk: pathlib.Path
) -> None:
    with pytest.raises(StorageFailure, match='No space left on device') as caught:
        storage.create(LargeStream(1024 * 1024))
    assert caught.value.errno == errno.ENOSPC
    assert str(caught.value.path).startswith(os.fspath(small_disk / 'files'))
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value, OSError)


def test_a_full_disk_leaves_no_trace_of_a_create(storage: LocalFileStorage, small_disk: pathlib.Path) -> None:
    with pytest.raises(StorageFailure):
        storage.create(LargeStream(1024 * 1024))
    assert [*(small_disk / 'files').iterdir()] == []
    assert storage.list() == []
    assert storage.exists(storage.create(SAMPLE))


def test_a_full_disk_keeps_the_old_file_of_a_replace(storage: LocalFileStorage, small_disk: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE, 'old.txt')
    with pytest.raises(StorageFailure):
        storage.replace(file_id, LargeStream(1024 * 1024), 'new.txt')
    with storage.get(file_id) as file:
        assert (file.read(), file.filename) == (SAMPLE, 'old.txt')
    assert [each.name for each in (small_disk / 'files').iterdir()] == [file_id]


def test_small_pieces_fill_a_disk_too(storage: LocalFileStorage, small_disk: pathlib.Path) -> None:
    with pytest.raises(StorageFailure, match='No space left on device'):
        storage.create(b'x' * 1000 for _ in range(1000))
    assert [*(small_disk / 'files').iterdir()] == []


def test_a_disk_without_room_for_another_name_leaves_whole_files(
    storage: LocalFileStorage, small_disk: pathlib.Path
) -> None:
    created: list[str] = []
    with pytest.raises(StorageFailure, match='No space left on device'):
        created.extend(storage.create(b'x') for _ in range(40))
    names = sorted(each.name for each in (small_disk / 'files').iterdir())
    assert len(names) > 10
    assert names == sorted(storage.list())
    assert created == names[: len(created)]


def test_a_read_only_disk_is_an_error_of_ours_that_names_the_path(
    storage: LocalFileStorage, small_disk: pathlib.Path
) -> None:
    file_id = storage.create(SAMPLE)
    make_read_only(small_disk)
    for act in (lambda: storage.create(b'x'), lambda: storage.replace(file_id, b'x'), lambda: storage.delete(file_id)):
        with pytest.raises(StorageFailure, match=f'{small_disk}.*: Read-only file system') as caught:
            act()
        assert caught.value.errno == errno.EROFS


def test_a_read_only_disk_can_be_read(storage: LocalFileStorage, small_disk: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE)
    make_read_only(small_disk)
    with storage.get(file_id) as file:
        assert file.read() == SAMPLE
    assert storage.list() == [file_id]
    storage.sync([file_id])
    storage.delete(UNKNOWN)  # there is nothing to delete
    with pytest.raises(FileMissing):
        storage.get(UNKNOWN)


def test_a_path_through_a_file_is_an_error_of_ours_that_names_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'taken').write_text('a file')
    storage = LocalFileStorage(tmp_path / 'taken')
    acts: list[Any] = [
        lambda: storage.create(b'x'),
        lambda: storage.get(UNKNOWN),
        lambda: storage.exists(UNKNOWN),
        lambda: storage.list(),
        lambda: [*storage.iter_ids()],
        lambda: storage.sync([UNKNOWN]),
    ]
    for act in acts:
        with pytest.raises(StorageFailure, match=str(tmp_path / 'taken')) as caught:
            act()
        assert caught.value.errno == errno.ENOTDIR
    storage.delete(UNKNOWN)


def test_a_root_that_cannot_be_made_is_an_error_of_ours_that_names_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'dangling').symlink_to(tmp_path / 'nowhere' / 'else')
    with pytest.raises(StorageFailure, match='dangling'):
        LocalFileStorage(tmp_path / 'dangling').create(b'x')


def test_a_root_that_vanished_is_made_again(tmp_path: pathlib.Path) -> None:
    storage = LocalFileStorage(tmp_path / 'files')
    storage.delete(storage.create(b'x'))
    (tmp_path / 'files').rmdir()
    assert storage.exists(storage.create(b'x'))


def test_a_failure_can_be_pickled(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'taken').write_text('a file')
    with pytest.raises(StorageFailure) as caught:
        LocalFileStorage(tmp_path / 'taken').create(b'x')
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.path, copy.errno) == (str(caught.value), caught.value.path, errno.ENOTDIR)


def test_a_content_s_own_error_is_not_blamed_on_the_disk(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        LocalFileStorage(tmp_path / 'files').create(tmp_path / 'nowhere')
    assert caught.value.filename == os.fspath(tmp_path / 'nowhere')
    assert [*(tmp_path / 'files').iterdir()] == []


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were synced, in that order."""
    paths: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        paths.append(os.readlink(f'/proc/self/fd/{descriptor}'))
        fsync(descriptor)

    monkeypatch.setattr(os, 'fsync', record)
    return paths


def test_sync_begins_with_the_contents_and_ends_with_the_root(tmp_path: pathlib.Path, synced: list[str]) -> None:
    root = tmp_path / 'files'
    root.mkdir()
    storage = LocalFileStorage(root)
    ids = [storage.create(b'x') for _ in range(2)]
    storage.sync(iter([*ids, UNKNOWN]))
    expected = [[f'{each}/file', f'{each}/metadata.json', each] for each in ids]
    assert synced == [*(os.fspath(root / each) for files in expected for each in files), os.fspath(root)]


def test_sync_keeps_the_folders_that_were_made_for_the_root(tmp_path: pathlib.Path, synced: list[str]) -> None:
    storage = LocalFileStorage(tmp_path / 'some' / 'files')
    file_id = storage.create(b'x')
    storage.sync([file_id])
    assert set(synced[-2:]) == {os.fspath(tmp_path / 'some'), os.fspath(tmp_path)}
    assert synced[-3] == os.fspath(tmp_path / 'some' / 'files')
    synced.clear()
    storage.sync([file_id])
    assert synced[-1] == os.fspath(tmp_path / 'some' / 'files')


def test_create_leaves_syncing_to_sync(tmp_path: pathlib.Path, synced: list[str]) -> None:
    LocalFileStorage(tmp_path).create(b'x')
    assert synced == []


def test_the_new_content_of_a_replace_is_durable_before_the_old_one_goes(
    tmp_path: pathlib.Path, synced: list[str]
) -> None:
    storage = LocalFileStorage(tmp_path)
    storage.replace(storage.create(b'old'), b'new')
    assert [os.path.basename(each) for each in synced[:2]] == ['file', 'metadata.json']
    assert len(synced) == 3


def test_a_storage_that_is_not_durable_syncs_nothing(tmp_path: pathlib.Path, synced: list[str]) -> None:
    storage = LocalFileStorage(tmp_path, durable='false')
    file_id = storage.create(b'old')
    storage.replace(file_id, b'new')
    storage.sync([file_id])
    assert synced == []


def test_a_disk_that_cannot_keep_is_an_error_of_ours(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(b'old')

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, 'Input/output error')

    monkeypatch.setattr(os, 'fsync', fail)
    for act in (lambda: storage.sync([file_id]), lambda: storage.replace(file_id, b'new')):
        with pytest.raises(StorageFailure, match=f'{tmp_path}.*: Input/output error'):
            act()
    with storage.get(file_id) as file:
        assert file.read() == b'old'
    assert storage.list() == [file_id]
