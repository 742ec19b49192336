"""Turns in a folder, among threads and processes."""

from __future__ import annotations

import os
import threading

try:
    import fcntl
except ImportError:  # Windows: turns are taken among the threads of one process only
    fcntl = None  # type: ignore[assignment]


class FolderTurn:
    """One at a time in a folder, among the threads of this process and the processes of this machine.

    Where the folder is missing, or its file system knows no locks, only threads
    take turns. A thread may enter again while it is inside: the garbage
    collector may delete a file in the middle of another operation.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._depth == 0:
                self._descriptor = _locked(self._path)
        except BaseException:  # such as KeyboardInterrupt, while another process has the turn
            self._threads.release()
            raise
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._descriptor is not None:
            _unlock(self._descriptor)
        self._threads.release()


def _locked(path: str) -> int | None:
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException as error:
        os.close(descriptor)
        if not isinstance(error, OSError):
            raise
        return None  # such as NFS, which locks no folders
    return descriptor


def _unlock(descriptor: int) -> None:
    # Closing is not enough: a child process that was forked in between has the same lock open.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
