"""Where the folder of a file is at this moment; a replace that runs meanwhile moves it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TypeVar

from ...errors import FileMissing
from ..ranges import replaced
from .folder import derived_folder, has_metadata, read_metadata
from .places import Places
from .system import failing
from .turns import FolderTurn

T = TypeVar('T')


class Folders:
    """The folders of the files of one storage, as readers find them. Ids and keys were checked before."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.places = Places(path)
        #: Of who moves a folder; while one has it, no replace can run.
        self.turn = FolderTurn(self.places.path)

    def use(self, file_id: str, use: Callable[[str], T]) -> T:
        """What ``use`` returns for the folder of a file; it raises FileNotFoundError where there is none.

        A replace that runs meanwhile can hide the file from one look at each place. So a file is missing only
        if it is at neither while no replace can run; then :class:`~depot.errors.FileMissing` is raised.
        """
        folder = self.places.folder(file_id)
        with failing(folder):
            try:
                return use(folder)
            except FileNotFoundError:
                pass
            for turn in (contextlib.nullcontext(), self.turn):
                with turn:
                    for each in (self.places.set_aside(file_id), folder):
                        with contextlib.suppress(FileNotFoundError):
                            return use(each)
        raise FileMissing(f'File {file_id} not existing in {self.places.path}', file_id)

    def use_derived(self, file_id: str, key: str, use: Callable[[str], T]) -> T:
        """What ``use`` returns for the folder of a derived file, which must be in the folder that readers see.

        Another one may be taking its place, so it is missing only if it is not there while nobody has the turn.
        """

        def look(folder: str) -> T | None:
            try:
                return use(derived_folder(folder, key))
            except FileNotFoundError:
                has_metadata(folder)  # else the file itself is not here, but in the other place
                return None

        for turn in (contextlib.nullcontext(), self.turn):
            with turn:
                found = self.use(file_id, look)
                if found is not None:
                    return found
        raise FileMissing(f'File {file_id} has no derived file {key} in {self.places.path}', file_id)

    def unchanged(self, file_id: str, text: bytes) -> str:
        """The folder of a file that has this metadata; raises FileMissing if it has other ones now."""
        folder, found = self.use(file_id, read_metadata)
        if found != text:
            raise replaced(file_id)
        return folder
