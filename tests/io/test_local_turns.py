"""Many threads and many processes use one local storage at the same time."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from depot.errors import FileMissing
from depot.io.disk import turns
from depot.io.disk.turns import FolderTurn
from depot.io.local import LocalFileStorage

CONTENTS = {f'{letter}.txt': letter.encode() * 100_000 for letter in 'abc'}

WRITER = """
import sys
from depot.io.local import LocalFileStorage
storage = LocalFileStorage(sys.argv[1], durable=False)
for _ in range(60):
    for letter in 'abc':
        storage.replace(sys.argv[2], letter.encode() * 100_000, letter + '.txt')
"""


@contextlib.contextmanager
def process(code: str, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another Python; it must succeed."""
    root = pathlib.Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, '-c', code, *args], cwd=root, stdout=subprocess.PIPE) as running:
        yield running
    assert running.returncode == 0


def test_while_processes_replace_a_file_readers_see_whole_files(tmp_path: pathlib.Path) -> None:
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(CONTENTS['a.txt'], 'a.txt')
    args = WRITER, os.fspath(tmp_path), file_id
    with process(*args) as one, process(*args) as other:
        while one.poll() is None or other.poll() is None:
            assert storage.exists(file_id)
            with storage.get(file_id) as file:
                content = file.read()
                assert CONTENTS[str(file.filename)] == content
    assert [each.name for each in tmp_path.iterdir()] == [file_id]


def test_a_reader_holds_until_a_replace_is_done_before_it_says_missing(tmp_path: pathlib.Path) -> None:
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(b'old')
    hidden = tmp_path / 'hidden'
    found: list[bytes] = []

    def read() -> None:
        with storage.get(file_id) as file:
            found.append(file.read())

    reader = threading.Thread(target=read)
    with FolderTurn(os.fspath(tmp_path)):
        (tmp_path / file_id).rename(hidden)
        reader.start()
        reader.join(0.05)
        assert reader.is_alive()
        hidden.rename(tmp_path / file_id)
    reader.join()
    assert found == [b'old']


def test_a_pair_that_does_not_belong_together_is_opened_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(b'old', 'old.txt')
    samestat, answers = os.path.samestat, [b'newest', b'newer']

    def meanwhile(one: Any, other: Any) -> bool:
        if answers:
            storage.replace(file_id, answers.pop(), 'new.txt')
            return samestat(one, os.stat(storage.get(file_id)._metadata_path))
        return samestat(one, other)

    monkeypatch.setattr(os.path, 'samestat', meanwhile)
    with storage.get(file_id) as file:
        assert file.read() == b'newest'
        assert file.filename == 'new.txt'


def test_a_pair_of_which_one_is_gone_meanwhile_is_missing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFileStorage(tmp_path)
    with storage.get(storage.create(b'old')) as file:
        fstat = os.fstat

        def meanwhile(descriptor: int) -> os.stat_result:
            storage.delete(file)
            return fstat(descriptor)

        monkeypatch.setattr(os, 'fstat', meanwhile)
        with pytest.raises(FileMissing):
            file.read()


def test_a_thread_may_take_a_turn_inside_its_turn(tmp_path: pathlib.Path) -> None:
    turn = FolderTurn(os.fspath(tmp_path))
    with turn, turn:
        pass
    with turn:
        pass


HOLDER = """
import sys
from depot.io.disk.turns import FolderTurn
with FolderTurn(sys.argv[1]):
    print('mine', flush=True)
    sys.stdin.readline()
"""


def test_processes_take_turns(tmp_path: pathlib.Path) -> None:
    root = pathlib.Path(__file__).parents[2]
    command = [sys.executable, '-c', HOLDER, os.fspath(tmp_path)]
    entered = threading.Event()

    def enter() -> None:
        with FolderTurn(os.fspath(tmp_path)):
            entered.set()

    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdout.readline()
        waiting = threading.Thread(target=enter)
        waiting.start()
        assert not entered.wait(0.05)
        holder.stdin.write(b'\n')
        holder.stdin.flush()
        waiting.join()
    assert entered.is_set()


def test_a_folder_that_is_missing_needs_no_lock(tmp_path: pathlib.Path) -> None:
    with FolderTurn(os.fspath(tmp_path / 'nowhere')):
        assert not (tmp_path / 'nowhere').exists()


def test_a_file_system_without_locks_will_do(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(turns.fcntl, 'flock', refuse)
    storage = LocalFileStorage(tmp_path)
    file_id = storage.create(b'old')
    storage.replace(file_id, b'new')
    storage.delete(file_id)
    assert [*tmp_path.iterdir()] == []


def test_an_interrupt_while_waiting_leaves_the_turn_to_others(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int, operation: int) -> None:
        raise KeyboardInterrupt

    turn = FolderTurn(os.fspath(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(turns.fcntl, 'flock', interrupt)
        with pytest.raises(KeyboardInterrupt), turn:
            raise AssertionError('nobody gets here')
    taken = threading.Thread(target=turn.__enter__)
    taken.start()
    taken.join(60)
    assert not taken.is_alive()


def test_a_system_without_file_locks_will_do(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'fcntl', None)  # as on Windows: it cannot be imported
    with _another_turns_module().FolderTurn(os.fspath(tmp_path)):
        assert tmp_path.exists()


def _another_turns_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location('depot.io.disk.turns_without_locks', str(turns.__file__))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
