"""Files in a folder."""

from __future__ import annotations

import heapq
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ..errors import FileMissing, WrongOption
from . import utils
from .disk.contents import ContentReader
from .disk.files import LocalStoredFile
from .disk.folder import derived_folder, folder_version, has_metadata, open_content
from .disk.folders import Folders
from .disk.leftovers import clean_folder
from .disk.writing import Writer
from .ids import checked_file_id, checked_key, new_file_id
from .interfaces import FileStorage, is_copy
from .ranges import checked_range
from .utils import Content

__all__ = ['LocalFileStorage', 'LocalStoredFile']

#: So many ids are in memory at a time while they are listed in order.
PAGE = 10_000


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
        if not isinstance(storage_path, (str, os.PathLike)):
            raise WrongOption(f'storage_path = {storage_path!r} is no path')
        #: As it was given.
        self.storage_path = storage_path
        self._durable = utils.flag('durable', durable)
        self._folders = Folders(storage_path)
        self._places = self._folders.places
        self._writer = Writer(self._folders, self._durable)
        sync = {'sync'} if self._durable else set()
        self.capabilities = frozenset(
            {'atomic_replace', 'checksums', 'ranges', 'sorted_ids', 'unfinished', 'versions', 'derived', *sync}
        )

    def get(self, file_or_id: Any) -> LocalStoredFile:
        return LocalStoredFile(self._folders, checked_file_id(file_or_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = new_file_id()
        self._writer.create(file_id, *self.fileinfo(content, filename, content_type))
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id = checked_file_id(file_or_id)
        existing = None if is_copy(file_id, content) else self.get(file_id)
        info = self.fileinfo(content, filename, content_type, existing)
        self._writer.replace(file_id, existing is not None, *info)
        return file_id

    def delete(self, file_or_id: Any) -> None:
        self._writer.remove(checked_file_id(file_or_id))

    def exists(self, file_or_id: Any) -> bool:
        try:
            return self._folders.use(checked_file_id(file_or_id), has_metadata)
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
        return ContentReader(self._folders.use(checked_file_id(file_or_id), open_content), start, stop)

    def version(self, file_or_id: Any, key: str | None = None) -> tuple[int, ...] | None:
        folder = self._places.folder(checked_file_id(file_or_id))
        return folder_version(folder if key is None else derived_folder(folder, checked_key(key)))

    def sync(self, ids: Iterable[Any]) -> None:
        if self._durable:
            self._writer.sync(map(checked_file_id, ids))

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        return clean_folder(self._folders, before, dry_run)

    def get_derived(self, file_or_id: Any, key: str) -> LocalStoredFile:
        file_id = checked_file_id(file_or_id)
        derived = LocalStoredFile(self._folders, file_id, checked_key(key))
        if self._is_described(file_or_id):
            self._folders.unchanged(file_id, file_or_id._metadata_text)
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
        self._folders.unchanged(file_id, described._metadata_text)  # before a content is read that is not wanted
        info = self.fileinfo(content, filename, content_type)
        self._writer.put_derived(file_id, described._metadata_text, key, *info)

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        self._writer.remove_derived(checked_file_id(file_or_id), '' if key is None else checked_key(key))

    def _is_described(self, file_or_id: Any) -> bool:
        """Whether it is a file of this storage, which knows of which content it is."""
        is_ours = isinstance(file_or_id, LocalStoredFile) and file_or_id._folders is self._folders
        return is_ours and file_or_id._key is None
