"""What processes that were killed have left in the folder of a local storage."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timezone

from ...errors import StorageFailure
from .folders import Folders
from .places import Hidden, Places
from .system import failing, remove_folder


def clean_folder(folders: Folders, before: datetime, dry_run: bool) -> list[str]:
    """Removes the hidden folders in which nothing has changed since an instant; returns their names.

    A set-aside in whose place no new folder has come is the file itself; it is put back. After a failure the
    others are removed all the same; then the first :class:`~depot.errors.StorageFailure` is raised.
    """
    removed: list[str] = []
    failures: list[StorageFailure] = []
    for each in sorted(folders.places.hidden()):
        try:
            with folders.turn:
                removed += _cleaned(folders.places, each, _seconds(before), dry_run)
        except StorageFailure as error:
            failures.append(error)
    for failure in failures:
        raise failure
    return removed


def _cleaned(places: Places, hidden: Hidden, before: float, dry_run: bool) -> list[str]:
    folder, live = places.folder(hidden.name), places.folder(hidden.file_id)
    with failing(folder), contextlib.suppress(FileNotFoundError):  # it was finished meanwhile
        if _last_change(folder) >= before:
            return []
        if hidden.kind == 'old' and not os.path.lexists(live):
            if not dry_run:
                os.rename(folder, live)
            return []
        if not dry_run:
            _remove(places, hidden.kind, folder)
        return [hidden.name]
    return []


def _remove(places: Places, kind: str, folder: str) -> None:
    if kind == 'old':
        places.discard(folder)  # in one step: while it has its name, a reader might take it for the file
    else:
        remove_folder(folder)


def _last_change(folder: str) -> float:
    """Seconds since the epoch. An upload that is being written changes the file inside, a renaming the folder."""
    with os.scandir(folder) as entries:
        stats = [os.lstat(folder), *(os.lstat(each.path) for each in entries)]
    # ctime: a renaming leaves the mtime as it is. mtime: for Windows, where ctime is when it was made.
    return max(max(each.st_mtime, each.st_ctime) for each in stats)


def _seconds(instant: datetime) -> float:
    return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).timestamp()
