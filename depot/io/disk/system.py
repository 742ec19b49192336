"""What the local storage asks of the operating system: removal, durability, errors that name the path."""

from __future__ import annotations

import contextlib
import os
import shutil

from ...errors import DepotError, StorageFailure


class _Leaving:
    """What looks at how a block of work on a path ends."""

    # A class, not a generator, because it is entered often and this costs a third.
    __slots__ = ('_path',)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass


class failing(_Leaving):  # noqa: N801 (reads as a word of the language: ``with failing(path):``)
    """Turns what the operating system refuses inside into a :class:`~depot.errors.StorageFailure` that names the path.

    Errors that are ours already pass as they are.
    """

    __slots__ = ()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, DepotError):
            path = os.fsdecode(error.filename) if error.filename else self._path
            raise StorageFailure(f'{path}: {error.strerror or error}', path, error.errno) from error


class removed_on_error(_Leaving):  # noqa: N801 (as above)
    """Removes a folder if what is done inside fails."""

    __slots__ = ()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            remove_leftover(self._path)


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
