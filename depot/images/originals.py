"""Stored files as sources of renditions: those of any storage, on a disk or far away."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import DepotError, FileMissing
from ..io.utils import blocks
from .limits import Limits
from .structure import HEAD, checked_format

# Up to so many bytes an original that is on no disk of this machine is held in memory; above, on a disk.
_IN_MEMORY = 8 * 1024 * 1024

# Where Linux has names for the files that a process has open, by which each can be opened anew.
_OPEN_FILES = Path('/proc/self/fd')


@contextlib.contextmanager
def original_of(storage: Any, file_id: str) -> Iterator[Any]:
    """The stored file, closed at the end; :class:`~depot.errors.FileMissing` if there is none, whatever the storage."""
    try:
        file = storage.get(file_id)
    except DepotError:
        raise
    except (OSError, ValueError) as error:  # what storages written for the published package raise
        raise FileMissing(f'File {file_id} not existing', file_id) from error
    try:
        yield file
    finally:
        getattr(file, 'close', bool)()  # those of other storages may have nothing to close


def content_of(original: Any) -> tuple[object, ...]:
    """What tells the content that a stored file describes from another one, as far as its storage knows."""
    return tuple(getattr(original, each, None) for each in ('checksum', 'content_length', 'last_modified'))


@contextlib.contextmanager
def source_of(original: Any, limits: Limits) -> Iterator[bytes | Path]:
    """The content: where it is on a disk, or all of its bytes if they are few.

    No more is fetched than is needed to find that it is no image, or too long. Raises
    :class:`~depot.errors.InvalidImage` and :class:`~depot.errors.ImageTooLarge`.
    """
    path = getattr(original, 'local_path', None)
    if isinstance(path, str):
        yield Path(path)
        return
    length = getattr(original, 'content_length', None)
    if isinstance(length, int):
        limits.check_bytes(length)
    if isinstance(length, int) and length <= _IN_MEMORY:
        yield b''.join(_pieces(original, limits))
        return
    with _copied(_pieces(original, limits)) as copy:
        yield copy


@contextlib.contextmanager
def _copied(pieces: Iterable[bytes]) -> Iterator[Path]:
    """A temporary file, with no name that would stay if this process were killed, where an open file can do without."""
    has_names = _OPEN_FILES.is_dir()
    open_new = tempfile.TemporaryFile if has_names else tempfile.NamedTemporaryFile
    with open_new(prefix='depot-original-') as copy:
        copy.writelines(pieces)
        copy.flush()
        yield _OPEN_FILES / str(copy.fileno()) if has_names else Path(copy.name)


def _pieces(original: Any, limits: Limits) -> Iterator[bytes]:
    """The content, checked as it comes: storages of others may not know how long it is."""
    pieces = blocks(original)
    head = b''
    for piece in pieces:
        head += piece
        if len(head) >= HEAD:
            break
    checked_format(head, limits)
    yield head
    size = len(head)
    for piece in pieces:
        size += len(piece)
        limits.check_bytes(size)
        yield piece
