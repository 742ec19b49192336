"""What the stored files of all our storages have in common: the first read opens the content."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Protocol

from .stored import StoredFile


class Described(Protocol):
    """What a storage knows of a file, such as its :class:`~depot.io.metadata.Metadata`."""

    @property
    def filename(self) -> str | None: ...

    @property
    def content_type(self) -> str | None: ...

    @property
    def content_length(self) -> int | None: ...

    @property
    def modified_at(self) -> datetime | None: ...

    @property
    def checksum(self) -> str | None: ...


class Body(Protocol):
    """A content that was opened."""

    def read(self, size: int = ..., /) -> bytes: ...

    def close(self) -> object: ...


class LazyStoredFile(StoredFile):
    """A stored file whose content is opened by the first read, by :meth:`_open`."""

    # Of the class: a file that could not be made is closed as well, when it is garbage.
    _content: Body | None = None
    _closed = False

    @abstractmethod
    def _open(self) -> Body:
        """Opens the whole content that the storage has now, and describes the file anew if it is another one."""

    def _set_description(self, known: Described) -> None:
        self.filename = known.filename
        self.content_type = known.content_type
        self.content_length = known.content_length
        self.last_modified = known.modified_at
        self.checksum = known.checksum

    def _check_not_closed(self) -> None:
        if self._closed:
            raise ValueError('I/O operation on closed file')

    def read(self, n: int = -1) -> bytes:
        self._check_not_closed()
        if self._content is None:
            self._content = self._open()
        return self._content.read(n)

    def close(self) -> None:
        self._closed = True
        if self._content is not None:
            self._content.close()

    @property
    def closed(self) -> bool:
        return self._closed
