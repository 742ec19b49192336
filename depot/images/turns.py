"""Turns: one at a time makes a rendition, among the threads of a process and the processes of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from functools import lru_cache
from pathlib import Path

from ..io.disk import FolderTurn

# So many files stand for all renditions: they are never removed, and two that share one seldom meet.
_LOCKS = 4096


def turn_for(name: str) -> FolderTurn:
    """The turn of whatever has this name, to be entered.

    What a process held that is gone is free. A child that was forked has turns of its own.
    """
    number = int.from_bytes(hashlib.sha256(name.encode('utf-8', 'surrogatepass')).digest()[:8], 'big') % _LOCKS
    return _turn(_private_folder(), number)


@lru_cache(_LOCKS)
def _turn(folder: Path, number: int) -> FolderTurn:
    path = folder / f'{number:03x}'
    with contextlib.suppress(OSError):  # such as of a full disk; then threads take turns, and processes do not
        path.touch(mode=0o600)
    return FolderTurn(os.fspath(path))


@lru_cache(1)
def _private_folder() -> Path:
    """A folder that the processes of this user share, where nobody else can hold a turn for ever."""
    user = os.getuid() if hasattr(os, 'getuid') else 0  # Windows gives each user a folder of his own
    folder = Path(tempfile.gettempdir(), f'depot-turns-{user}')
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder if _is_private(folder) else Path(tempfile.mkdtemp(prefix='depot-turns-'))


def _is_private(folder: Path) -> bool:
    found = folder.lstat()
    is_mine = not hasattr(os, 'getuid') or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return stat.S_ISDIR(found.st_mode) and is_mine


def _begin_anew() -> None:
    """Runs in a child that was forked: a turn may be held by a thread that it does not have."""
    _turn.cache_clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_begin_anew)
