"""What a crash has left in a local storage can be cleaned up, and nothing else is."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from depot.errors import StorageFailure
from depot.io.contract.samples import SAMPLE
from depot.io.faults import FaultyStorage
from depot.io.ids import new_file_id
from depot.io.local import LocalFileStorage
from depot.utils import utcnow_naive

KILLED = """
import sys
from depot.io.faults import Fault, FaultyStorage, kill
from depot.io.local import LocalFileStorage

storage = FaultyStorage(LocalFileStorage(sys.argv[1]), Fault(sys.argv[2], 'middle', does=kill))
file_id = storage.create(b'old' * 50_000)
storage.replace(file_id, b'new' * 60_000)
"""


@pytest.fixture
def storage(tmp_path: pathlib.Path) -> LocalFileStorage:
    return LocalFileStorage(tmp_path)


def later() -> datetime:
    """An instant by which everything that is there now is old."""
    return utcnow_naive() + timedelta(hours=1)


def earlier() -> datetime:
    return utcnow_naive() - timedelta(hours=1)


def leave(root: pathlib.Path, kind: str, file_id: str | None = None) -> str:
    """Makes a hidden folder, as a crash leaves it; returns its name."""
    folder = root / f'.{file_id or new_file_id()}.{kind}'
    folder.mkdir(parents=True)
    (folder / 'file').write_bytes(SAMPLE)
    (folder / 'metadata.json').write_bytes(b'{}')
    return folder.name


def names(root: pathlib.Path) -> set[str]:
    return {each.name for each in root.iterdir()}


@pytest.mark.skipif(os.name == 'nt', reason='impossible here: Windows has no signals')
@pytest.mark.parametrize(('operation', 'files'), [('create', 0), ('replace', 1)])
def test_what_a_killed_process_left_is_removed(
    storage: LocalFileStorage, tmp_path: pathlib.Path, operation: str, files: int
) -> None:
    killed = subprocess.run([sys.executable, '-c', KILLED, str(tmp_path), operation], check=False)
    assert killed.returncode == -signal.SIGKILL
    [left] = [each.name for each in tmp_path.glob('.*')]
    assert storage.clean(later()) == [left]
    assert names(tmp_path) == set(storage.list())
    assert len(storage.list()) == files


def test_what_was_not_built_or_not_taken_down_to_the_end_is_removed(
    storage: LocalFileStorage, tmp_path: pathlib.Path
) -> None:
    file_id = storage.create(SAMPLE)
    left = [leave(tmp_path, kind) for kind in ('new', 'gone', 'new', 'gone')]
    assert storage.clean(later()) == sorted(left)
    assert names(tmp_path) == {file_id}


def test_an_empty_folder_is_removed(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    (tmp_path / f'.{new_file_id()}.new').mkdir()
    assert len(storage.clean(later())) == 1
    assert names(tmp_path) == set()


def test_a_set_aside_that_was_superseded_is_removed(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(b'new')
    left = leave(tmp_path, 'old', file_id)
    assert storage.clean(later()) == [left]
    assert names(tmp_path) == {file_id}
    assert storage.get(file_id).read() == b'new'


def test_a_set_aside_that_is_the_file_itself_is_put_back(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE, 'letter.txt')
    (tmp_path / file_id).rename(tmp_path / f'.{file_id}.old')
    assert storage.clean(later()) == []
    assert names(tmp_path) == {file_id}
    with storage.get(file_id) as file:
        assert (file.filename, file.read()) == ('letter.txt', SAMPLE)


def test_what_is_not_old_enough_stays(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(b'new')
    left = {leave(tmp_path, 'new'), leave(tmp_path, 'gone'), leave(tmp_path, 'old', file_id)}
    assert storage.clean(earlier()) == []
    assert names(tmp_path) == {file_id, *left}


def test_what_was_renamed_lately_is_not_old(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    left = leave(tmp_path, 'gone')
    for each in (*(tmp_path / left).iterdir(), tmp_path / left):
        os.utime(each, (0, 0))
    assert storage.clean(earlier()) == []
    assert names(tmp_path) == {left}


def test_an_upload_that_is_still_being_written_stays(storage: LocalFileStorage) -> None:
    cleaned: list[Any] = []

    def upload() -> Iterator[bytes]:
        yield b'x' * 100_000
        time.sleep(0.05)  # for file systems whose clock ticks slowly
        after_it_began = datetime.now(timezone.utc)
        time.sleep(0.05)
        yield b'y' * 100_000
        cleaned.append(storage.clean(after_it_began))

    file_id = storage.create(upload())
    assert cleaned == [[]]
    assert storage.list() == [file_id]


def test_an_instant_without_a_time_zone_is_in_utc(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TZ', 'Asia/Tokyo')
    time.tzset()
    try:
        leave(tmp_path, 'new')
        assert storage.clean(earlier()) == []
        assert storage.clean(datetime.now(timezone(timedelta(hours=-9))) - timedelta(hours=1)) == []
        assert len(storage.clean(later())) == 1
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_dry_run_tells_and_changes_nothing(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    aside = storage.create(SAMPLE)
    (tmp_path / aside).rename(tmp_path / f'.{aside}.old')
    left = leave(tmp_path, 'gone')
    before = names(tmp_path)
    assert storage.clean(later(), dry_run=True) == [left]
    assert names(tmp_path) == before


def test_what_is_not_ours_stays(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    for name in ('.git', f'.{uuid.uuid4()}.tmp', '.notes.new', f'{uuid.uuid4()}.gone', f'.{uuid.uuid4()}.new.d'):
        (tmp_path / name).mkdir()
    (tmp_path / f'.{uuid.uuid4()}.new').touch()
    before = names(tmp_path)
    assert storage.clean(later()) == []
    assert names(tmp_path) == before


def test_a_storage_that_was_never_used_is_clean(tmp_path: pathlib.Path) -> None:
    assert LocalFileStorage(tmp_path / 'nowhere').clean(later()) == []


def test_what_cannot_be_removed_is_told_when_all_was_tried(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [leave(tmp_path, 'gone') for _ in range(3)]
    (tmp_path / left[1] / 'what nobody expects').mkdir()

    def refuse(path: str) -> None:
        raise OSError(1, 'Operation not permitted')

    with monkeypatch.context() as patch:
        patch.setattr(shutil, 'rmtree', refuse)
        with pytest.raises(StorageFailure, match=f'{left[1]} could not be removed'):
            storage.clean(later())
    assert names(tmp_path) == {left[1]}
    storage.clean(later())
    assert names(tmp_path) == set()


def test_it_waits_for_its_turn(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(b'old')
    rename, cleaning = os.rename, threading.Thread(target=storage.clean, args=[later()])

    def meanwhile(source: str, target: str) -> None:
        if source.endswith('.new'):  # the old one was set aside, and the new one is not in its place
            cleaning.start()
            cleaning.join(0.2)
        rename(source, target)

    monkeypatch.setattr(os, 'rename', meanwhile)
    storage.replace(file_id, b'new')
    cleaning.join()
    assert names(tmp_path) == {file_id}
    assert storage.get(file_id).read() == b'new'


def test_a_storage_that_leaves_something_says_so(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    faulty = FaultyStorage(storage)
    assert 'unfinished' in faulty.capabilities
    left = leave(tmp_path, 'new')
    assert faulty.clean(later()) == [left]
