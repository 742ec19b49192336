"""Turns: one at a time makes a rendition, among the threads of a process and the processes of this machine."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: turns are taken among the threads of one process only
    fcntl = None  # type: ignore[assignment]

# So many locks stand for all renditions: their files are never removed, and two that share one seldom meet.
_LOCKS = 4096

# Seconds between two looks whether another process is done.
_PAUSE = 0.02


def _free() -> list[threading.Lock]:
    return [threading.Lock() for _ in range(_LOCKS)]


_threads = _free()


@contextlib.contextmanager
def turn_for(name: str, seconds: float) -> Iterator[None]:
    """Waits until nobody else has the turn of this name, for so long at most; then it is no turn, but nobody hangs.

    What a process held that is gone is free. A child that was forked has turns of its own. Where no file can be
    locked, such as on a full disk, threads take turns, and processes do not.
    """
    end = time.monotonic() + seconds
    number = int.from_bytes(hashlib.sha256(name.encode('utf-8', 'surrogatepass')).digest()[:8], 'big') % _LOCKS
    with _among_threads(_threads[number], seconds), _among_processes(number, end):
        yield


@contextlib.contextmanager
def _among_threads(lock: threading.Lock, seconds: float) -> Iterator[None]:
    is_mine = lock.acquire(timeout=seconds)
    try:
        yield
    finally:
        if is_mine:
            lock.release()


@contextlib.contextmanager
def _among_processes(number: int, end: float) -> Iterator[None]:
    descriptor = _opened(number) if fcntl else None
    if descriptor is None:
        yield
        return
    try:
        while not _is_locked(descriptor) and time.monotonic() < end:
            time.sleep(_PAUSE)
        yield
    finally:
        # Closing is not enough: a child process that was forked in between has the same lock open.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # such as of a network's file system: it has no locks
        return True
    return True


def _opened(number: int) -> int | None:
    """The file of a lock, made anew where the temporary folder was tidied up."""
    try:
        return os.open(_private_folder() / f'{number:03x}', os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None


def _private_folder() -> Path:
    """A folder that the processes of this user share, where nobody else can hold a turn."""
    user = os.getuid() if hasattr(os, 'getuid') else 0
    folder = Path(tempfile.gettempdir(), f'depot-turns-{user}')
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder if _is_private(folder) else _own_folder()


@functools.cache
def _own_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix='depot-turns-'))


def _is_private(folder: Path) -> bool:
    found = folder.lstat()
    is_mine = not hasattr(os, 'getuid') or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return stat.S_ISDIR(found.st_mode) and is_mine


def _begin_anew() -> None:
    """Runs in a child that was forked: a turn may be held by a thread that it does not have."""
    _threads[:] = _free()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_begin_anew)
