"""What a stored file promises, whatever the backend."""

from __future__ import annotations

import io
from abc import abstractmethod
from datetime import datetime

from .ranges import RangeReader, RestReader, checked_range, replaced, skip

# Bytes that are read when a range is opened by reading.
_FIRST_READ = 64 * 1024


class StoredFile(io.IOBase):
    """One file in a storage: a readable stream that knows its metadata.

    The content is opened at the first read, not before. What :meth:`read` gives
    is the whole content that the storage had at that moment, and from then on
    the file describes that one. :meth:`open_range` gives the content that the
    file describes already, or nothing.
    """

    #: ``sha256:`` and the digest of the content in hexadecimal digits; None where the storage does not know it.
    checksum: str | None = None

    #: Whether :attr:`public_url` works for a while only, so that it is nothing to keep.
    public_url_expires: bool = False

    _has_opened_a_range = False  # by the default below

    def __init__(
        self,
        file_id: str,
        filename: str | None = None,
        content_type: str | None = None,
        last_modified: datetime | None = None,
        content_length: int | None = None,
    ) -> None:
        #: The id in its storage.
        self.file_id = file_id
        #: The name it was stored with.
        self.filename = filename
        #: The media type it was stored with.
        self.content_type = content_type
        #: When it was stored: UTC, without a time zone, in whole seconds.
        self.last_modified = last_modified
        #: Bytes.
        self.content_length = content_length

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    @property
    def name(self) -> str | None:
        """The filename, under the name that Python's own files have it."""
        return self.filename

    @property
    def public_url(self) -> str | None:
        """Where anybody can fetch the file from the backend itself; None if nobody can."""
        return None

    @property
    def local_path(self) -> str | None:
        """Where the content is on a disk of this machine, as an absolute path; None if it is not on one.

        For a server that is to send it by itself: what is there when that opens it, is the content of that moment.
        """
        return None

    @abstractmethod
    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes, all that are left if it is negative; ``b''`` at the end.

        Raises ValueError after :meth:`close`.
        """

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        """Opens the bytes from ``start`` up to, not including, ``stop``, or the content's end.

        They are of the very content that this file describes: its length, checksum, name and type, as they are
        when this is called. :meth:`read` goes on where it was. Any number may be open at a time; each is closed by
        whoever opened it, and can be read after this file was closed.

        Raises :class:`~depot.errors.FileMissing` if the file was replaced or deleted since it was described,
        :class:`~depot.errors.InvalidRange` unless ``0 <= start <= stop`` are integers, and ValueError after
        :meth:`close`.

        This default, for files of other storages, reads past the bytes before ``start`` by :meth:`read`. So it
        works once, before anything was read and until this file is closed; a second time it raises
        ``io.UnsupportedOperation``. That the file was replaced it sees only where its first read describes it anew.
        """
        length = checked_range(start, stop)
        if self.closed:
            raise ValueError('I/O operation on closed file')
        if self._has_opened_a_range:
            raise io.UnsupportedOperation(f'{type(self).__name__} can open one range; for more, override open_range')
        self._has_opened_a_range = True
        described = self._description()
        skip(self, start)
        first = self.read(max(1, min(length, _FIRST_READ)))  # one byte at least: the content is opened by it
        if self._description() != described:
            raise replaced(self.file_id)
        return RangeReader(RestReader(first, self), length)

    def _description(self) -> tuple[object, ...]:
        return self.checksum, self.content_length, self.last_modified, self.filename, self.content_type

    @abstractmethod
    def close(self) -> None:
        """Lets go of the content; harmless on a file never read, and a second time."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__}:{self.file_id} filename={self.filename}'
            f' content_type={self.content_type} last_modified={self.last_modified}>'
        )
