"""What a storage and a stored file promise, whatever the backend."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import FileMissing, Unsupported
from .ids import checked_key
from .naming import FileInfo as _FileInfo
from .naming import named
from .ranges import RangeReader, checked_range, skip
from .stored import StoredFile
from .utils import BareContent, Content, FileIntent

__all__ = ['FileIntent', 'FileStorage', 'StoredFile', '_FileInfo']


class FileStorage(ABC):
    """A place for bytes. Six methods make one; the others work on top of them.

    Ids go in as text, as a ``uuid.UUID``, or as any object with a ``file_id``.
    Wherever an id goes in, one that this storage could not have given raises
    :class:`~depot.errors.InvalidFileId`.
    """

    #: What this storage does better than the defaults of this class:
    #:
    #: - ``'atomic_replace'``: a reader sees the whole old or the whole new file;
    #: - ``'checksums'``: stored files have ``content_length`` and ``checksum``;
    #: - ``'ranges'``: :meth:`open_range` reads no other bytes;
    #: - ``'sorted_ids'``: :meth:`iter_ids` holds one page of ids at a time;
    #: - ``'batch_delete'``: :meth:`delete_many` costs less than its deletes;
    #: - ``'sync'``: what was created survives a power loss only after :meth:`sync`;
    #: - ``'unfinished'``: a crash can leave what only :meth:`clean` removes;
    #: - ``'versions'``: it tells whether a file has changed, see :meth:`version`;
    #: - ``'derived'``: it keeps derived files, see :meth:`put_derived`.
    capabilities: frozenset[str] = frozenset()

    @staticmethod
    def fileid(file_or_id: Any) -> Any:
        """The id of a stored or uploaded file; an id itself as it is."""
        return getattr(file_or_id, 'file_id', file_or_id)

    @staticmethod
    def fileinfo(
        fileobj: Content, filename: str | None = None, content_type: str | None = None, existing: Any = None
    ) -> tuple[BareContent, str | None, str | None]:
        """The bare content, the name and the type to store it with.

        A :class:`FileIntent` gives all three. Else the name is the argument, the
        content's ``filename``, or the last part of its ``name``; the type is the
        argument, the content's ``content_type`` or ``type``, or guessed from the
        name. With an ``existing`` file and no name to be had, the existing name
        and type stay.

        Raises :class:`~depot.errors.InvalidContent` for a name or a type that is no text.
        """
        return named(fileobj, filename, content_type, existing)

    @abstractmethod
    def get(self, file_or_id: Any) -> StoredFile:
        """The file with this id, unopened.

        Raises :class:`~depot.errors.FileMissing` if there is none.
        """

    @abstractmethod
    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        """Stores a content as a new file and returns its id.

        A content is ``bytes`` (``bytearray``, ``memoryview``), a binary file
        object (read from its position to its end, and left open), a
        ``pathlib.Path``, an iterator of ``bytes``, an upload of a web framework,
        a stored file of any storage, or a :class:`FileIntent`. Without a name it
        is called ``unnamed``.

        Raises :class:`~depot.errors.InvalidContent` for anything else, and
        whatever reading the content raises; then nothing is left behind.
        """

    @abstractmethod
    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        """Stores a content in place of the one that the file has, and returns its id.

        With a name (given, or the content's own), name and type are taken anew;
        without, both stay. ``replace(file, file)`` with a stored file of another
        storage copies it here under the same id, whether it exists or not.

        Raises :class:`~depot.errors.FileMissing` if there is no such file; any
        error keeps the old content.
        """

    @abstractmethod
    def delete(self, file_or_id: Any) -> None:
        """Removes the file; does nothing if there is none."""

    @abstractmethod
    def exists(self, file_or_id: Any) -> bool:
        """Whether there is a file with this id."""

    @abstractmethod
    def list(self) -> list[str]:
        """The ids of all files, in any order; see :meth:`iter_ids` for many."""

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        """Opens the bytes from ``start`` up to, not including, ``stop``, or the file's end.

        They are of the content that the storage has now; see
        :meth:`StoredFile.open_range` for that of a file that was described before.

        Raises :class:`~depot.errors.FileMissing` if there is no such file, and
        :class:`~depot.errors.InvalidRange` unless ``0 <= start <= stop`` are
        integers. This default reads past the bytes before ``start``.
        """
        length = checked_range(start, stop)
        file = self.get(file_or_id)
        try:
            skip(file, start)
        except BaseException:
            file.close()
            raise
        return RangeReader(file, length)

    def version(self, file_or_id: Any, key: str | None = None) -> tuple[Any, ...] | None:
        """A value that is another one after each change of the file, found without reading it; None if it is not known.

        With a ``key`` it is that of the derived file. It is not known of a missing file, nor of one that changed
        just now. A storage that has this says so: by the word ``versions`` among its capabilities.
        """
        return None

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        """The ids of all files in ascending order, from the first one above ``after``."""
        return iter(sorted(each for each in self.list() if after is None or each > after))

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        """Removes files; returns the ids of those that it could not, with the reason.

        Goes on after a failure, and never raises one.
        """
        failures: dict[str, Exception] = {}
        for each in ids:
            try:
                self.delete(each)
            except Exception as error:
                failures[str(self.fileid(each))] = error
        return failures

    def sync(self, ids: Iterable[Any]) -> None:  # noqa: B027 (nothing to do is a sound default)
        """Returns when these files, as they are now, would survive a power loss.

        An id without a file is passed over. This default has nothing to do.
        """

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        """Removes what was begun, never finished, and not touched since ``before``; returns its names.

        That is what crashes have left: never a file. ``before`` is in UTC unless it has a time zone; what is
        being stored meanwhile stays if it is longer ago than any upload takes, a day, say. With ``dry_run``
        nothing is removed. This default has nothing to do.

        Raises :class:`~depot.errors.StorageFailure` for what could not be removed, after it has tried all.
        """
        return ()

    def url(
        self,
        file_or_id: Any,
        expires: float | None = None,
        filename: str | None = None,
        disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        """A URL by which a client can fetch the file from the backend itself, or None.

        ``expires`` is in seconds from now. This default gives the file's public
        URL, and None where the answer's headers should differ from the stored
        ones. Raises :class:`~depot.errors.FileMissing` if there is no such file.
        """
        file = self.get(file_or_id)
        file.close()
        return None if filename or disposition or content_type else file.public_url

    def get_derived(self, file_or_id: Any, key: str) -> StoredFile:
        """The derived file that was put under a file by this key, unopened.

        Its ``file_id`` is that of the file; name, type, length, date and checksum are its own, and it has no public
        URL. It was derived from the content that the file has now; of a stored file, from that which this describes.

        Raises :class:`~depot.errors.FileMissing` if there is none, or the file itself is gone, and
        :class:`~depot.errors.InvalidKey`. This default never has one.
        """
        raise FileMissing(f'File {self.fileid(file_or_id)} has no derived file {checked_key(key)}')

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Stores a content that was made from a file, a thumbnail say, under this file.

        It is found by its key, which has 1 to 64 digits and lower-case letters. It is no file of its own: it is in no
        list of ids, and it goes when the file is replaced or deleted. Content, name and type are what :meth:`create`
        takes. Under a key that is taken, the old one may stay; what a reader sees is whole, the one or the other.

        Give the stored file that the content was made from, not its id: then it is refused if the file has another
        content since. Given an id, it counts as made from what the file has when this is called.

        Raises :class:`~depot.errors.FileMissing` if there is no such file, or if it was replaced or deleted since;
        :class:`~depot.errors.InvalidKey`; what :meth:`create` raises; and, in this default,
        :class:`~depot.errors.Unsupported`. Then nothing is left behind.
        """
        checked_key(key)
        raise Unsupported(f"{type(self).__name__} keeps no derived files: it does not claim the capability 'derived'")

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        """Removes the derived file that has this key, without one all of a file; does nothing if there is none."""
        if key is not None:
            checked_key(key)


def is_copy(file_id: str, content: Any) -> bool:
    """Whether the content is the file with this very id: then ``replace`` copies it from another storage."""
    return str(getattr(content, 'file_id', None)) == file_id
