"""What the local storage asks of the operating system: turns, removal, durability, errors that name the path."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading

from ..errors import DepotError, StorageFailure

try:
    import fcntl
except ImportError:  # Windows: turns are taken among the threads of one process only
    fcntl = None  # type: ignore[assignment]


class failing:  # noqa: N801 (reads as a word of the language: ``with failing(path):``)
    """Turns what the operating system refuses inside into a :class:`~depot.errors.StorageFailure` that names the path.

    Errors that are ours already pass as they are.
    """

    # A class, not a generator, because it is entered often and this costs a third.
    __slots__ = ('_path',)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, DepotError):
            path = os.fsdecode(error.filename) if error.filename else self._path
            raise StorageFailure(f'{path}: {error.strerror or error}', path, error.errno) from error


class removed_on_error:  # noqa: N801 (as above)
    """Removes a folder if what is done inside fails."""

    __slots__ = ('_path',)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            remove_leftover(self._path)


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


def remove_folder(path: str) -> None:
    """Removes a folder with the files in it, the two of the layout by the shortest way."""
    try:
        os.unlink(os.path.join(path, 'file'))
        os.unlink(os.path.join(path, 'metadata.json'))
        os.rmdir(path)
    except OSError:
        _remove_tree(path)


def _remove_tree(path: str) -> None:
    try:
        shutil.rmtree(path)
    except OSError as error:  # whose filename may be just the last part of a path
        raise StorageFailure(f'{path} could not be removed: {error.strerror}', path, error.errno) from error


def remove_leftover(path: str) -> None:
    """Removes a folder that is of no more use, if there is one and it can be done."""
    with contextlib.suppress(StorageFailure):
        remove_folder(path)


def sync_path(path: str) -> None:
    """Returns when a file's content, or a folder's list of names, would survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(path: str) -> list[str]:
    """Makes a folder and what is missing above it; returns those whose list of names has changed by it."""
    changed = []
    missing = os.path.abspath(path)
    while not os.path.isdir(missing) and (above := os.path.dirname(missing)) != missing:
        changed.append(above)
        missing = above
    os.makedirs(path, exist_ok=True)
    return changed
