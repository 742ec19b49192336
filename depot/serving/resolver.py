"""From the path of a request to a stored file: the one door by which a URL reaches a storage."""

from __future__ import annotations

from typing import Any

from ..errors import CorruptMetadata, InvalidFileId, StorageFailure
from ..io.ids import checked_file_id
from ..manager import DepotManager


def path_below(mountpoint: str, path: str) -> str | None:
    """The part of a path that follows the mountpoint and its slash; None if the path is not at or below it."""
    mountpoint = mountpoint.rstrip('/')
    if path == mountpoint:
        return ''
    return path[len(mountpoint) + 1 :] if path.startswith(f'{mountpoint}/') else None


def find_file(path: str) -> Any:
    """The stored file at ``storage/id``; None if there is none, or if it has another URL than this.

    Raises :class:`~depot.errors.StorageFailure` and
    :class:`~depot.errors.CorruptMetadata`: such a file is not missing.
    """
    segments = path.split('/')
    if len(segments) != 2 or not all(segments) or '\0' in path:
        return None
    try:
        file = DepotManager.get_file(path)
    except (CorruptMetadata, StorageFailure):  # to be seen by whoever runs the server
        raise
    except (OSError, ValueError):  # what third-party storages, too, raise for a missing file and for a bad id
        return None
    return file if _is_canonical(segments[1], file) else None


def _is_canonical(file_id: str, file: Any) -> bool:
    """Whether the id is written as the storage writes it, so that a file has one URL only."""
    try:
        canonical = checked_file_id(file_id)
    except InvalidFileId:  # not a UUID but an id of the storage's own kind
        canonical = file_id
    return file_id == canonical == str(getattr(file, 'file_id', file_id))
