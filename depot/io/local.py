"""Files in a folder."""

from __future__ import annotations

import contextlib
import heapq
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..errors import FileMissing, StorageFailure, WrongOption
from . import utils
from .disk import FolderTurn, failing, make_folders, remove_folder, remove_leftover, removed_on_error, sync_path
from .folder import (
    ContentReader,
    derived_folder,
    folder_paths,
    folder_version,
    has_metadata,
    open_content,
    open_pair,
    read_metadata,
    sync_folder,
    write_folder,
)
from .ids import checked_file_id, checked_key, new_file_id
from .interfaces import FileStorage, StoredFile, is_copy
from .leftovers import clean_folder
from .metadata import metadata_from_json
from .places import Places
from .ranges import checked_range, replaced
from .utils import Content

T = TypeVar('T')

#: So many ids are in memory at a time while they are listed in order.
PAGE = 10_000


class LocalStoredFile(StoredFile):
    """A file of a :class:`LocalFileStorage`, or one that is derived from it."""

    def __init__(self, storage: LocalFileStorage, file_id: str, key: str | None = None) -> None:
        self._storage = storage
        self._key = key
        self._content: io.BufferedReader | None = None
        self._closed = False
        super().__init__(file_id)
        self._describe(*self._in_folder(read_metadata))

    def _in_folder(self, use: Callable[[str], T]) -> T:
        if self._key is None:
            return self._storage._in_folder(self.file_id, use)
        return self._storage._in_derived(self.file_id, self._key, use)

    def _describe(self, folder: str, text: bytes) -> None:
        metadata = metadata_from_json(text, self.file_id)
        self._metadata_text = text
        self._file_path, self._metadata_path = folder_paths(folder)
        self.filename = metadata.filename
        self.content_type = metadata.content_type
        self.content_length = metadata.content_length
        self.last_modified = metadata.modified_at
        self.checksum = metadata.checksum

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise ValueError('I/O operation on closed file')
        if self._content is None:
            self._content = self._open()
        with failing(self._file_path):
            return self._content.read(n)

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
        if self._closed:
            raise ValueError('I/O operation on closed file')
        _, text, content = self._in_folder(open_pair)
        if text != self._metadata_text:
            content.close()
            raise replaced(self.file_id)
        return ContentReader(content, start, stop)

    @property
    def local_path(self) -> str:
        # A file that was found set aside is back in a moment, unless a crash has left it there.
        folder = self._storage._places.folder(self.file_id)
        live = folder_paths(folder if self._key is None else derived_folder(folder, self._key))[0]
        return os.path.abspath(live if os.path.exists(live) else self._file_path)

    def close(self) -> None:
        self._closed = True
        if self._content is not None:
            self._content.close()

    @property
    def closed(self) -> bool:
        return self._closed


class LocalFileStorage(FileStorage):
    """Files in a folder, each in a folder of its own that is named by its id.

    The content is in ``<storage_path>/<id>/file``, what is known of it in ``metadata.json`` beside it; derived files
    are the same way in ``<storage_path>/<id>/derived/<key>``, so that they go with it. The ``storage_path`` is made
    when the first file is. With ``durable=False`` :meth:`sync` has nothing to do: faster, and what was stored just
    before a power loss may be gone.

    All that is not finished has a hidden name (``.ID.new``, ``.ID.gone``) until one renaming makes it so. A
    replace takes two: it sets the old folder aside (``.ID.old``), where readers find it until the new one is in
    its place, also after a crash. What a crash leaves, :meth:`clean` removes. Writers take turns, among threads
    and among processes of one machine. Over a network file system that cannot lock folders, two *machines* that
    replace one file at the same instant may find it missing for that instant; and :meth:`list` may miss a file
    while it is being replaced.

    Raises :class:`~depot.errors.StorageFailure`, which names the path, for what the operating system refuses.
    """

    def __init__(self, storage_path: str | os.PathLike[str], durable: bool | str = True) -> None:
        #: As it was given.
        if not isinstance(storage_path, (str, os.PathLike)):
            raise WrongOption(f'storage_path = {storage_path!r} is no path')
        self.storage_path = storage_path
        self._places = Places(storage_path)
        self._durable = utils.flag('durable', durable)
        self._turn = FolderTurn(self._places.path)
        self._changed_folders: set[str] = set()  # in which the root was made, and what was missing above it
        sync = {'sync'} if self._durable else set()
        self.capabilities = frozenset(
            {'atomic_replace', 'checksums', 'ranges', 'sorted_ids', 'unfinished', 'versions', 'derived', *sync}
        )

    def get(self, file_or_id: Any) -> LocalStoredFile:
        return LocalStoredFile(self, checked_file_id(file_or_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        work = self._places.unfinished(file_id)
        with removed_on_error(work):
            self._build(work, *self.fileinfo(content, filename, content_type))
            with failing(work):
                os.rename(work, self._places.folder(file_id))
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id = checked_file_id(file_or_id)
        existing = None if is_copy(file_id, content) else self.get(file_id)
        work = self._places.unfinished(new_file_id())
        with removed_on_error(work):
            self._build(work, *self.fileinfo(content, filename, content_type, existing))
            with failing(work):
                if self._durable:  # else a power loss could take the old content, and leave the new one empty
                    sync_folder(work)
                with self._turn:
                    old = self._swapped(file_id, work, existing is not None)
        if old:
            remove_leftover(old)
        return file_id

    def delete(self, file_or_id: Any) -> None:
        file_id = checked_file_id(file_or_id)
        with self._turn:
            # First: a reader who misses the new one must not find the old.
            self._places.discard(self._places.set_aside(file_id))
            gone = self._places.put_away(self._places.folder(file_id))
        if gone:
            remove_folder(gone)

    def exists(self, file_or_id: Any) -> bool:
        try:
            return self._in_folder(checked_file_id(file_or_id), has_metadata)
        except FileMissing:
            return False

    def list(self) -> list[str]:
        return [*dict.fromkeys(self._places.ids())]

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        found = after or ''
        page = None
        while page is None or len(page) == PAGE:
            page = heapq.nsmallest(PAGE, (each for each in self._places.ids() if each > found))
            for each in page:
                if each > found:  # not a second time, for a set-aside
                    found = each
                    yield each

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        return ContentReader(self._in_folder(checked_file_id(file_or_id), open_content), start, stop)

    def version(self, file_or_id: Any, key: str | None = None) -> tuple[int, ...] | None:
        folder = self._places.folder(checked_file_id(file_or_id))
        return folder_version(folder if key is None else derived_folder(folder, checked_key(key)))

    def sync(self, ids: Iterable[Any]) -> None:
        if not self._durable:
            return
        for each in ids:
            with contextlib.suppress(FileMissing):
                self._in_folder(checked_file_id(each), sync_folder)
        with failing(self._places.path), contextlib.suppress(FileNotFoundError):
            sync_path(self._places.path)
            for each in tuple(self._changed_folders):
                sync_path(each)
                self._changed_folders.discard(each)

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        return clean_folder(self._places, self._turn, before, dry_run)

    def get_derived(self, file_or_id: Any, key: str) -> LocalStoredFile:
        file_id = checked_file_id(file_or_id)
        derived = LocalStoredFile(self, file_id, checked_key(key))
        if self._is_described(file_or_id):
            self._unchanged_folder(file_id, file_or_id._metadata_text)
        return derived

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        file_id, key = checked_file_id(file_or_id), checked_key(key)
        described = file_or_id if self._is_described(file_or_id) else self.get(file_id)
        self._unchanged_folder(file_id, described._metadata_text)  # before a content is read that is not wanted
        work = self._places.unfinished(new_file_id())
        with removed_on_error(work):
            self._build(work, *self.fileinfo(content, filename, content_type))
            with failing(work):
                if self._durable:  # else a power loss could leave an empty one in its place
                    sync_folder(work)
                with self._turn:
                    place = derived_folder(self._unchanged_folder(file_id, described._metadata_text), key)
                    os.makedirs(os.path.dirname(place), exist_ok=True)
                    old = self._places.put_away(place)
                    os.rename(work, place)
                    self._check_place(file_id, described._metadata_text, place)
        if old:
            remove_leftover(old)

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        file_id, key = checked_file_id(file_or_id), '' if key is None else checked_key(key)
        gone = None
        with self._turn, contextlib.suppress(FileMissing):
            gone = self._places.put_away(derived_folder(self._in_folder(file_id, _itself), key))
        if gone:
            remove_folder(gone)

    def _is_described(self, file_or_id: Any) -> bool:
        """Whether it is a file of this storage, which knows of which content it is."""
        return isinstance(file_or_id, LocalStoredFile) and file_or_id._storage is self and file_or_id._key is None

    def _check_place(self, file_id: str, text: bytes, place: str) -> None:
        """Takes a derived file back if its place is in the folder of another content.

        So it may be where the file system knows no locks, and a process that is not this one has replaced the file.
        """
        try:
            self._unchanged_folder(file_id, text)
        except FileMissing:
            self._places.discard(place)
            raise

    def _unchanged_folder(self, file_id: str, text: bytes) -> str:
        """The folder of a file that has this metadata; raises FileMissing if it has other ones now."""
        folder, found = self._in_folder(file_id, read_metadata)
        if found != text:
            raise replaced(file_id)
        return folder

    def _in_folder(self, file_id: str, use: Callable[[str], T]) -> T:
        """What ``use`` returns for the folder of a file; it raises FileNotFoundError where there is none.

        A replace that runs meanwhile can hide the file from one look at each place. So a file is missing only
        if it is at neither while no replace can run.
        """
        folder = self._places.folder(file_id)
        with failing(folder):
            try:
                return use(folder)
            except FileNotFoundError:
                pass
            for turn in (contextlib.nullcontext(), self._turn):
                with turn:
                    for each in (self._places.set_aside(file_id), folder):
                        with contextlib.suppress(FileNotFoundError):
                            return use(each)
        raise FileMissing(f'File {file_id} not existing in {self._places.path}', file_id)

    def _in_derived(self, file_id: str, key: str, use: Callable[[str], T]) -> T:
        """What ``use`` returns for the folder of a derived file, which must be in the folder that readers see.

        Another one may be taking its place, so it is missing only if it is not there while nobody has the turn.
        """

        def look(folder: str) -> T | None:
            try:
                return use(derived_folder(folder, key))
            except FileNotFoundError:
                has_metadata(folder)  # else the file itself is not here, but in the other place
                return None

        for turn in (contextlib.nullcontext(), self._turn):
            with turn:
                found = self._in_folder(file_id, look)
                if found is not None:
                    return found
        raise FileMissing(f'File {file_id} has no derived file {key} in {self._places.path}', file_id)

    def _build(self, work: str, content: Content, filename: str | None, content_type: str | None) -> None:
        with failing(work):
            try:
                os.mkdir(work)
            except FileNotFoundError:  # the first file of this storage
                self._changed_folders.update(make_folders(self._places.path))
                os.mkdir(work)
        write_folder(work, content, filename, content_type)

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


def _itself(folder: str) -> str:
    """The folder, if there is a file in it."""
    has_metadata(folder)
    return folder
