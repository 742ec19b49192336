"""A stored file on the disk, and one that is derived from it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TypeVar

from ..lazy import LazyStoredFile
from ..metadata import metadata_from_json
from ..ranges import checked_range, replaced
from .contents import ContentReader
from .folder import derived_folder, folder_paths, open_pair, read_metadata
from .folders import Folders
from .system import failing

T = TypeVar('T')


class LocalStoredFile(LazyStoredFile):
    """A file of a :class:`~depot.io.local.LocalFileStorage`, or with a ``key`` one that is derived from it."""

    def __init__(self, folders: Folders, file_id: str, key: str | None = None) -> None:
        self._folders = folders
        self._key = key
        super().__init__(file_id)
        self._describe(*self._in_folder(read_metadata))

    def _in_folder(self, use: Callable[[str], T]) -> T:
        if self._key is None:
            return self._folders.use(self.file_id, use)
        return self._folders.use_derived(self.file_id, self._key, use)

    def _describe(self, folder: str, text: bytes) -> None:
        self._metadata_text = text
        self._file_path, self._metadata_path = folder_paths(folder)
        self._set_description(metadata_from_json(text, self.file_id))

    def read(self, n: int = -1) -> bytes:
        with failing(self._file_path):
            return super().read(n)

    def _open(self) -> io.BufferedReader:
        folder, text, content = self._in_folder(open_pair)
        try:
            if text != self._metadata_text:  # replaced since: the new content comes with its own metadata
                self._describe(folder, text)
        except BaseException:
            content.close()
            raise
        return io.BufferedReader(content)

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        self._check_not_closed()
        _, text, content = self._in_folder(open_pair)
        if text != self._metadata_text:
            content.close()
            raise replaced(self.file_id)
        return ContentReader(content, start, stop)

    @property
    def local_path(self) -> str:
        # A file that was found set aside is back in a moment, unless a crash has left it there.
        folder = self._folders.places.folder(self.file_id)
        live = folder_paths(folder if self._key is None else derived_folder(folder, self._key))[0]
        return os.path.abspath(live if os.path.exists(live) else self._file_path)
