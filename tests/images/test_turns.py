"""Turns: where the processes of one user, and of no other, meet."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depot.images import turns
from depot.images.turns import turn_for


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    turns._own_folder.cache_clear()
    yield tmp_path
    turns._own_folder.cache_clear()


def file_of(name: str, below: Path) -> Path:
    """The file that is locked during a turn; the first one, if there were others."""
    before = set(below.glob('depot-turns-*/*'))
    with turn_for(name, 60):
        (found,) = set(below.glob('depot-turns-*/*')) - before
        assert is_held(found)
    assert not is_held(found)
    return found


def is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def held_by_another_process(path: Path) -> Iterator[None]:
    """It is another one for who asks, because it has opened the file itself."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def held_by_another_thread(name: str) -> Iterator[None]:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with turn_for(name, 60):
            inside.set()
            go_on.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(60)
    yield
    go_on.set()
    thread.join()


def test_processes_of_one_user_meet_in_a_folder_that_is_private(temporary: Path) -> None:
    folder = file_of('a', temporary).parent
    assert folder == temporary / f'depot-turns-{os.getuid()}'
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_one_name_is_one_turn_in_every_process(temporary: Path) -> None:
    first = file_of('a', temporary)
    assert file_of('b', temporary) != first
    first.unlink()
    assert file_of('a', temporary) == first


@pytest.mark.parametrize('mode', [0o777, 0o710, 0o701])
def test_a_folder_that_others_can_enter_is_not_used(temporary: Path, mode: int) -> None:
    theirs = temporary / f'depot-turns-{os.getuid()}'
    theirs.mkdir()
    theirs.chmod(mode)
    folder = file_of('a', temporary).parent
    assert folder != theirs
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert file_of('b', temporary).parent == folder


def test_a_link_that_somebody_has_put_there_is_not_followed(temporary: Path) -> None:
    (temporary / 'elsewhere').mkdir(mode=0o700)
    (temporary / f'depot-turns-{os.getuid()}').symlink_to(temporary / 'elsewhere')
    file_of('a', temporary)
    assert list((temporary / 'elsewhere').iterdir()) == []


def test_processes_meet_again_when_the_folder_was_tidied_up(temporary: Path) -> None:
    first = file_of('a', temporary)
    shutil.rmtree(first.parent)
    assert file_of('a', temporary) == first


def fail(*_: object, **__: object) -> None:
    raise OSError('not here')


@pytest.mark.parametrize(
    'broken',
    [(tempfile, 'tempdir', '/nowhere'), (os, 'open', fail), (fcntl, 'flock', fail)],
    ids=['no folder', 'full disk', 'no locks'],
)
def test_where_no_file_can_be_locked_threads_take_turns(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    monkeypatch.setattr(*broken)
    before = time.monotonic()
    with held_by_another_thread('a'), turn_for('a', 0.2):
        assert time.monotonic() - before >= 0.2


def test_nobody_waits_for_ever(temporary: Path) -> None:
    path = file_of('a', temporary)
    with held_by_another_process(path):
        for _ in range(2):
            with turn_for('a', 0.05):
                assert is_held(path)
        assert is_held(path), 'what is not mine is not let go'
    with held_by_another_thread('a'):
        with turn_for('a', 0.05):
            assert is_held(path)
        assert is_held(path)
    assert not is_held(path)
