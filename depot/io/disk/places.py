"""Where the folders of a local storage are: those of its files, and the hidden ones of what is not finished."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from ..ids import CANONICAL_ID, new_file_id
from .system import failing, remove_folder

# A file's folder, or its set-aside.
_FILE = re.compile(rf'({CANONICAL_ID})|\.({CANONICAL_ID})\.old')

_HIDDEN = re.compile(rf'\.({CANONICAL_ID})\.(new|old|gone)')


class Hidden(NamedTuple):
    """A folder of something that was not finished, or is no more."""

    name: str
    file_id: str
    #: ``new``, ``old`` or ``gone``.
    kind: str


class Places:
    """The folders in a folder. Ids come from :func:`~depot.io.ids.checked_file_id`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        #: The folder itself, as text.
        self.path = os.fspath(path)
        self._root = os.path.join(path, '')  # with the separator at its end

    def folder(self, file_id: str) -> str:
        """The folder of a file: the one door from an id to a path."""
        return self._root + file_id

    def unfinished(self, file_id: str) -> str:
        """Where the folder is built."""
        return self.folder(f'.{file_id}.new')

    def set_aside(self, file_id: str) -> str:
        """Where the old one is, while a new one takes its place."""
        return self.folder(f'.{file_id}.old')

    def put_away(self, folder: str) -> str | None:
        """Takes a folder out of sight in one step, and returns where it is then; None if there is none."""
        gone = self.folder(f'.{new_file_id()}.gone')
        with failing(folder):
            try:
                os.rename(folder, gone)
            except OSError:
                if os.path.lexists(folder):  # a read-only file system says so before it looks
                    raise
                return None
        return gone

    def discard(self, folder: str) -> None:
        """Removes a folder, if there is one; nobody sees a part of it meanwhile."""
        if gone := self.put_away(folder):
            remove_folder(gone)

    def ids(self) -> Iterator[str]:
        """The ids of all files, in any order; some may come twice."""
        for found in self._named(_FILE):
            yield found[1] or found[2]

    def hidden(self) -> Iterator[Hidden]:
        """What is not finished, or is no more, in any order."""
        for found in self._named(_HIDDEN):
            yield Hidden(found[0], found[1], found[2])

    def _named(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        nothing_stored_yet = contextlib.suppress(FileNotFoundError)
        with failing(self.path), nothing_stored_yet, os.scandir(self.path) as entries:
            for entry in entries:
                found = pattern.fullmatch(entry.name)
                if found and entry.is_dir():
                    yield found
