"""Files come, are replaced and go, each by one renaming of a folder that was built before under a hidden name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from ...errors import FileMissing, StorageFailure
from ..ids import new_file_id
from ..utils import Content
from .folder import derived_folder, has_metadata, sync_folder, write_folder
from .folders import Folders
from .system import failing, make_folders, remove_folder, remove_leftover, removed_on_error, sync_path


class Writer:
    """Changes the folders of one storage. Ids and keys were checked before."""

    def __init__(self, folders: Folders, durable: bool) -> None:
        self._folders = folders
        self._places = folders.places
        self._durable = durable
        self._changed_folders: set[str] = set()  # in which the root was made, and what was missing above it

    def create(self, file_id: str, content: Content, filename: str | None, content_type: str | None) -> None:
        """Stores a new file."""
        with self._built(file_id, content, filename, content_type) as work:
            os.rename(work, self._places.folder(file_id))

    def replace(
        self, file_id: str, must_exist: bool, content: Content, filename: str | None, content_type: str | None
    ) -> None:
        """Stores a file in the place of another one, which must not be deleted meanwhile if it ``must_exist``."""
        with self._built(new_file_id(), content, filename, content_type) as work:
            self._settle(work)
            with self._folders.turn:
                old = self._swapped(file_id, work, must_exist)
        if old:
            remove_leftover(old)

    def remove(self, file_id: str) -> None:
        """Removes a file, if there is one."""
        with self._folders.turn:
            # First: a reader who misses the new one must not find the old.
            self._places.discard(self._places.set_aside(file_id))
            gone = self._places.put_away(self._places.folder(file_id))
        if gone:
            remove_folder(gone)

    def put_derived(
        self, file_id: str, text: bytes, key: str, content: Content, filename: str | None, content_type: str | None
    ) -> None:
        """Stores a derived file of the content with this metadata.

        Raises :class:`~depot.errors.FileMissing` if the file has another one by then.
        """
        with self._built(new_file_id(), content, filename, content_type) as work:
            self._settle(work)
            with self._folders.turn:
                old = self._put(work, file_id, text, key)
        if old:
            remove_leftover(old)

    def remove_derived(self, file_id: str, key: str) -> None:
        """Removes a derived file, if there is one; with an empty key, all of the file."""
        gone = None
        with self._folders.turn, contextlib.suppress(FileMissing):
            gone = self._places.put_away(derived_folder(self._folders.use(file_id, _itself), key))
        if gone:
            remove_folder(gone)

    def sync(self, file_ids: Iterable[str]) -> None:
        """Returns when files, and their names, would survive a power loss."""
        for each in file_ids:
            with contextlib.suppress(FileMissing):
                self._folders.use(each, sync_folder)
        with failing(self._places.path), contextlib.suppress(FileNotFoundError):
            sync_path(self._places.path)
            for folder in tuple(self._changed_folders):
                sync_path(folder)
                self._changed_folders.discard(folder)

    @contextlib.contextmanager
    def _built(self, name: str, content: Content, filename: str | None, content_type: str | None) -> Iterator[str]:
        """A hidden folder with a content and its metadata, which is moved to its place inside."""
        work = self._places.unfinished(name)
        with removed_on_error(work):
            self._make(work)
            write_folder(work, content, filename, content_type)
            with failing(work):
                yield work

    def _make(self, work: str) -> None:
        with failing(work):
            try:
                os.mkdir(work)
            except FileNotFoundError:  # the first file of this storage
                self._changed_folders.update(make_folders(self._places.path))
                os.mkdir(work)

    def _settle(self, work: str) -> None:
        """Before it takes the place of another one: else a power loss could take that, and leave the new one empty."""
        if self._durable:
            sync_folder(work)

    def _swapped(self, file_id: str, work: str, must_exist: bool) -> str | None:
        """Puts a built folder in the place of a file's; returns where the old one is, to be removed."""
        live, aside = self._places.folder(file_id), self._places.set_aside(file_id)
        if os.path.lexists(live):
            self._places.discard(aside)  # what a replace left that was cut off
            os.rename(live, aside)
        elif must_exist and not os.path.lexists(aside):
            raise FileMissing(f'File {file_id} was deleted while it was replaced', file_id)
        try:
            os.rename(work, live)
        except BaseException:
            with contextlib.suppress(OSError):
                os.rename(aside, live)
            raise
        with contextlib.suppress(StorageFailure):  # the new file is in its place; the next writer tries again
            return self._places.put_away(aside)
        return None

    def _put(self, work: str, file_id: str, text: bytes, key: str) -> str | None:
        """Puts a built folder under a file; returns where the old one is, to be removed."""
        place = derived_folder(self._folders.unchanged(file_id, text), key)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        old = self._places.put_away(place)
        os.rename(work, place)
        self._check_place(file_id, text, place)
        return old

    def _check_place(self, file_id: str, text: bytes, place: str) -> None:
        """Takes a derived file back if its place is in the folder of another content.

        So it may be where the file system knows no locks, and a process that is not this one has replaced the file.
        """
        try:
            self._folders.unchanged(file_id, text)
        except FileMissing:
            self._places.discard(place)
            raise


def _itself(folder: str) -> str:
    """The folder, if there is a file in it."""
    has_metadata(folder)
    return folder
