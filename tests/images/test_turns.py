"""Turns: where the processes of one user, and of no other, meet."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from depot.images import turns
from depot.images.turns import turn_for


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """As a process that has just begun."""
    turns._private_folder.cache_clear()
    turns._turn.cache_clear()


def folder_of(name: str) -> Path:
    return Path(turn_for(name)._path).parent


def test_processes_of_one_user_meet_in_a_folder_that_is_private(temporary: Path) -> None:
    folder = folder_of('a')
    assert folder == temporary / f'depot-turns-{os.getuid()}'
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    forget()
    assert folder_of('a') == folder


def test_one_name_is_one_turn_in_every_process() -> None:
    found = turn_for('a')._path
    assert turn_for('b')._path != found
    forget()
    assert turn_for('a')._path == found


@pytest.mark.parametrize('mode', [0o777, 0o710, 0o701])
def test_a_folder_that_others_can_enter_is_not_used(temporary: Path, mode: int) -> None:
    theirs = temporary / f'depot-turns-{os.getuid()}'
    theirs.mkdir()
    theirs.chmod(mode)
    folder = folder_of('a')
    assert folder != theirs
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder_of('b') == folder


def test_a_link_that_somebody_has_put_there_is_not_followed(temporary: Path) -> None:
    (temporary / 'elsewhere').mkdir(mode=0o700)
    (temporary / f'depot-turns-{os.getuid()}').symlink_to(temporary / 'elsewhere')
    folder_of('a')
    assert list((temporary / 'elsewhere').iterdir()) == []


def test_a_disk_that_is_full_stops_nobody(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError('no space left')

    monkeypatch.setattr(Path, 'touch', full)
    with turn_for('a'):
        pass
