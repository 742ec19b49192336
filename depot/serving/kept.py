"""Small files that were asked for before: kept in memory, and looked at each time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from ..errors import FileMissing, InvalidFileId
from ..manager import DepotManager
from .body import BLOCK_SIZE
from .description import KeptFile
from .disguise import examine
from .resolver import find_file

#: Bytes of contents that are kept, at most.
MOST_BYTES = 16 * 1024 * 1024


# The path of a file, and the key of one that is derived from it.
_Place = tuple[str, str | None]


class _Kept(NamedTuple):
    """A file, and what must be the same for it to be that file still."""

    storage: Any
    version: Hashable
    file: KeptFile


class KeptFiles:
    """Finds files, the small ones in memory if they are unchanged.

    Whether a file has changed is asked of its storage each time, which has to
    tell it without reading: see :meth:`depot.io.interfaces.FileStorage.version`.
    Of other storages nothing is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._files: dict[_Place, _Kept] = {}
        self._free = most_bytes
        self._turn = threading.Lock()

    def find(self, path: str, key: str | None = None, find: Callable[[str], Any] = find_file) -> Any:
        """What ``find`` finds by the path: the stored file, or the one that is derived from it by this key."""
        name, _, file_id = path.partition('/')
        storage = DepotManager.get(name)
        version = _version(storage, file_id, key)
        if version is None:
            return find(path)
        kept = self._files.get((path, key))
        if kept is not None and kept.storage is storage and kept.version == version:
            return kept.file
        file = find(path)
        read = None if file is None else _read(file)
        if read is None or version != _version(storage, file_id, key):
            return file
        self._keep((path, key), _Kept(storage, version, read))
        return read

    def _keep(self, place: _Place, kept: _Kept) -> None:
        """In the place of the oldest ones, if there is no room; unless another thread is at it, maybe before a fork."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._forget(place)
            self._files[place] = kept
            self._free -= len(kept.file.content)
            while self._free < 0:
                self._forget(next(iter(self._files)))
        finally:
            self._turn.release()

    def _forget(self, place: _Place) -> None:
        kept = self._files.pop(place, None)
        self._free += len(kept.file.content) if kept else 0


def _version(storage: Any, file_id: str, key: str | None) -> Hashable:
    if 'versions' not in getattr(storage, 'capabilities', ()):
        return None
    try:
        return storage.version(file_id, key)  # type: ignore[no-any-return]
    except InvalidFileId:
        return None


def _read(file: Any) -> KeptFile | None:
    """The file with its content, if that is small."""
    description = examine(file)
    length = description.content_length
    if not description.has_ranges or length is None or length > BLOCK_SIZE:
        return None
    try:
        with file.open_range(0, length) as reader:
            content = reader.read()
    except FileMissing:
        return None
    return KeptFile(file, description, content) if len(content) == length else None
