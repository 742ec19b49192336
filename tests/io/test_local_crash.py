"""What a crash leaves in a local storage, and what a local storage makes of it."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from depot.errors import FileMissing, StorageFailure
from depot.io.contract.samples import SAMPLE, FailingStream, Interrupted
from depot.io.local import LocalFileStorage

REPLACER = """
import sys
from depot.io.local import LocalFileStorage
storage = LocalFileStorage(sys.argv[1], durable=False)
print('ready', flush=True)
while True:
    storage.replace(sys.argv[2], b'old' * 50_000, 'old.txt')
    storage.replace(sys.argv[2], b'new' * 60_000, 'new.txt')
"""


@pytest.fixture
def storage(tmp_path: pathlib.Path) -> LocalFileStorage:
    return LocalFileStorage(tmp_path)


def hidden(root: pathlib.Path) -> list[str]:
    return sorted(each.name for each in root.glob('.*'))


def set_aside(root: pathlib.Path, file_id: str) -> None:
    """As a crash leaves it in the middle of a replace."""
    (root / file_id).rename(root / f'.{file_id}.old')


@pytest.fixture
def aside(storage: LocalFileStorage, tmp_path: pathlib.Path) -> str:
    """A file that was about to be replaced when the power failed."""
    file_id = storage.create(SAMPLE, 'old.txt')
    set_aside(tmp_path, file_id)
    return file_id


@pytest.fixture
def superseded(storage: LocalFileStorage, tmp_path: pathlib.Path) -> str:
    """A file that was replaced when the power failed, before the old one was removed."""
    file_id, other = storage.create(b'new', 'new.txt'), storage.create(b'old', 'old.txt')
    (tmp_path / other).rename(tmp_path / f'.{file_id}.old')
    return file_id


def test_a_file_that_was_set_aside_is_there(storage: LocalFileStorage, aside: str) -> None:
    assert storage.exists(aside)
    assert storage.list() == [*storage.iter_ids()] == [aside]
    with storage.get(aside) as file:
        assert file.read() == SAMPLE
        assert file.filename == 'old.txt'
        assert pathlib.Path(file.local_path).read_bytes() == SAMPLE
    with storage.open_range(aside, 0, 5) as part, storage.get(aside).open_range(0, 5) as other:
        assert part.read() == other.read() == SAMPLE[:5]
    storage.sync([aside])


def test_a_file_that_was_set_aside_can_be_replaced(
    storage: LocalFileStorage, tmp_path: pathlib.Path, aside: str
) -> None:
    storage.replace(aside, b'new')
    assert storage.get(aside).filename == 'old.txt'
    assert [each.name for each in tmp_path.iterdir()] == [aside]


def test_a_file_that_was_set_aside_can_be_deleted(
    storage: LocalFileStorage, tmp_path: pathlib.Path, aside: str
) -> None:
    storage.delete(aside)
    assert not storage.exists(aside)
    assert [*tmp_path.iterdir()] == []


def test_a_reader_that_was_about_to_begin_finds_the_set_aside(
    storage: LocalFileStorage, tmp_path: pathlib.Path
) -> None:
    with storage.get(storage.create(SAMPLE)) as file:
        set_aside(tmp_path, file.file_id)
        assert file.read() == SAMPLE


def test_of_two_the_new_one_counts(storage: LocalFileStorage, superseded: str) -> None:
    with storage.get(superseded) as file:
        assert file.read() == b'new'
    assert storage.list() == [*storage.iter_ids()] == [superseded]


def test_the_next_replace_removes_what_was_left(
    storage: LocalFileStorage, tmp_path: pathlib.Path, superseded: str
) -> None:
    storage.replace(superseded, b'newer')
    assert [each.name for each in tmp_path.iterdir()] == [superseded]


def test_a_delete_removes_both(storage: LocalFileStorage, tmp_path: pathlib.Path, superseded: str) -> None:
    storage.delete(superseded)
    assert [*tmp_path.iterdir()] == []


def test_a_failing_create_leaves_no_hidden_folder(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    with pytest.raises(Interrupted):
        storage.create(FailingStream())
    assert [*tmp_path.iterdir()] == []


def test_a_failing_replace_leaves_no_hidden_folder(storage: LocalFileStorage, tmp_path: pathlib.Path) -> None:
    file_id = storage.create(SAMPLE)
    with pytest.raises(Interrupted):
        storage.replace(file_id, FailingStream())
    assert [each.name for each in tmp_path.iterdir()] == [file_id]


def failing_rename(monkeypatch: pytest.MonkeyPatch, is_refused: Any, error: BaseException) -> None:
    """Makes one kind of renaming fail."""
    rename = os.rename

    def refuse(source: Any, target: Any) -> None:
        if is_refused(os.fspath(source), os.fspath(target)):
            raise error
        rename(source, target)

    monkeypatch.setattr(os, 'rename', refuse)


@pytest.mark.parametrize('error', [OSError(5, 'Input/output error'), KeyboardInterrupt()])
def test_a_replace_that_fails_between_its_two_steps_puts_the_old_file_back(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    file_id = storage.create(SAMPLE, 'old.txt')
    with monkeypatch.context() as patch:
        failing_rename(patch, lambda source, target: source.endswith('.new'), error)
        with pytest.raises((StorageFailure, KeyboardInterrupt)):
            storage.replace(file_id, b'new')
    assert [each.name for each in tmp_path.iterdir()] == [file_id]
    with storage.get(file_id) as file:
        assert file.read() == SAMPLE


def test_a_create_whose_last_step_fails_leaves_nothing(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        failing_rename(patch, lambda source, target: True, OSError(5, 'Input/output error'))
        with pytest.raises(StorageFailure, match='Input/output error'):
            storage.create(SAMPLE)
    assert [*tmp_path.iterdir()] == []


def test_a_replace_is_done_even_if_the_old_file_cannot_be_removed(
    storage: LocalFileStorage, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(SAMPLE)
    with monkeypatch.context() as patch:
        failing_rename(patch, lambda source, target: target.endswith('.gone'), OSError(5, 'Input/output error'))
        storage.replace(file_id, b'new')
    assert hidden(tmp_path) == [f'.{file_id}.old']
    with storage.get(file_id) as file:
        assert file.read() == b'new'
    storage.replace(file_id, b'newer')
    assert hidden(tmp_path) == []


def test_a_file_that_is_deleted_while_it_is_replaced_is_missing(
    storage: LocalFileStorage, tmp_path: pathlib.Path
) -> None:
    file_id = storage.create(SAMPLE)

    def deleting() -> Any:
        yield b'new'
        storage.delete(file_id)

    with pytest.raises(FileMissing, match='was deleted while it was replaced'):
        storage.replace(file_id, deleting())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize('seed', range(8))
def test_a_process_that_is_killed_while_it_replaces_loses_nothing(
    storage: LocalFileStorage, tmp_path: pathlib.Path, seed: int
) -> None:
    file_id = storage.create(b'old' * 50_000, 'old.txt')
    command = [sys.executable, '-c', REPLACER, os.fspath(tmp_path), file_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=pathlib.Path(__file__).parents[2]) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
    with storage.get(file_id) as file:
        content = file.read()
        assert (file.filename, content) in {('old.txt', b'old' * 50_000), ('new.txt', b'new' * 60_000)}
    assert storage.list() == [file_id]
    storage.replace(file_id, b'newer')
    assert f'.{file_id}.old' not in hidden(tmp_path)
