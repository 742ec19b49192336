"""From the path of a request to a stored file: the one door by which a URL reaches a storage."""

from __future__ import annotations

from typing import Any

from ..errors import CorruptMetadata, InvalidFileId, StorageFailure
from ..io.ids import checked_file_id
from ..manager import DepotManager
from .body import close_file

# What is no name of a storage, and no id, whatever a storage of somebody else makes of it.
_OUTSIDE = {'', '.', '..'}


def path_below(mountpoint: str, path: str) -> str | None:
    """The part of a path that follows the mountpoint and its slash; None if the path is not at or below it."""
    mountpoint = mountpoint.rstrip('/')
    if path == mountpoint:
        return ''
    return path[len(mountpoint) + 1 :] if path.startswith(f'{mountpoint}/') else None


def segments_of(path: str) -> tuple[str, str] | None:
    """The storage and the id in the path of a file; None for a path that can lead to no file."""
    segments = path.split('/')
    if len(segments) != 2 or not _OUTSIDE.isdisjoint(segments) or '\0' in path or '\\' in path:
        return None
    return segments[0], segments[1]


def find_file(path: str) -> Any:
    """The stored file at ``storage/id``; None if there is none, or if it has another URL than this.

    Raises :class:`~depot.errors.StorageFailure` and
    :class:`~depot.errors.CorruptMetadata`: such a file is not missing.
    """
    segments = segments_of(path)
    if segments is None:
        return None
    try:
        file = DepotManager.get_file(path)
    except (CorruptMetadata, StorageFailure):  # to be seen by whoever runs the server
        raise
    except (OSError, ValueError):  # what third-party storages, too, raise for a missing file and for a bad id
        return None
    if _is_canonical(*segments, file):
        return file
    close_file(file)
    return None


def _is_canonical(storage: str, file_id: str, file: Any) -> bool:
    """Whether the id is written as the storage writes it, so that a file has one URL only."""
    if file_id != str(getattr(file, 'file_id', file_id)):
        return False
    try:
        canonical = checked_file_id(file_id)
    except InvalidFileId:  # not a UUID but an id of the storage's own kind
        return True
    return file_id == canonical or not _exists(storage, canonical)


def _exists(storage: str, file_id: str) -> bool:
    """Whether the storage takes this for an id, too: some call a file what they were asked for."""
    try:
        return DepotManager.require(storage).exists(file_id)
    except (OSError, ValueError):
        return False
