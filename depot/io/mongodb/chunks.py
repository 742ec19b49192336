"""The chunks of a content, wherever they are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import CursorNotFound

from ...errors import FileMissing, StorageFailure
from ..ranges import replaced
from .connection import Contents, Document
from .failures import failing
from .records import Record

#: So many chunks come from the server at a time: 4 MiB.
BATCH = 16


class Chunks:
    """The chunks of a file, one after the other, from the one that holds the byte ``start`` to that before ``stop``.

    Each is there, belongs to the content that ``record`` describes, and is as long as it must be. If the file has been
    replaced before the first one came, it is that of the new content, and :attr:`record` describes that; if it
    ``is_pinned``, :class:`~depot.errors.FileMissing` is raised instead. How chunks are found is told in
    :mod:`.replacing`.
    """

    def __init__(
        self,
        bucket: Contents,
        record: Record,
        find: Callable[[], Record],
        start: int,
        stop: int | None,
        is_pinned: bool = False,
    ) -> None:
        self.record = record
        self._bucket = bucket
        self._find = find
        self._start = start
        self._stop = stop
        self._is_pinned = is_pinned
        self._cursor: Cursor[Document] | None = None
        self._number = self._first
        if not record.content_length or (is_pinned and self._number >= self._end):  # nothing of it could be missing
            self.record = self._current()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with failing(f'read file {self.record.file_id}', self._bucket.name):
            while self._number < self._end:
                data = self._found()
                if data is not None:
                    self._number += 1
                    return data
                self._look_again()
        raise StopIteration

    def close(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    @property
    def _first(self) -> int:
        return self._start // self.record.chunk_size

    @property
    def _end(self) -> int:
        """The number of the chunk after the last."""
        stop = self.record.content_length if self._stop is None else min(self._stop, self.record.content_length)
        return -(-stop // self.record.chunk_size)

    def _found(self) -> bytes | None:
        """The next chunk, if it is anywhere."""
        for cursor in self._cursors():
            self._cursor = cursor
            with contextlib.suppress(CursorNotFound):  # the server forgets one that was not used for ten minutes
                chunk = next(cursor, {})
                data = chunk.get('data', b'')
                if chunk.get('n') == self._number and len(data) == self.record.size_of(self._number):
                    return bytes(data)
            self.close()
        return None

    def _cursors(self) -> Iterator[Cursor[Document]]:
        if self._cursor is not None:
            yield self._cursor
        for source in self._bucket.chunk_sources:
            for place in self.record.places:
                yield self._opened(source, {'files_id': place, 'content': self.record.content})

    def _opened(self, source: Collection[Document], query: Document) -> Cursor[Document]:
        wanted = {**query, 'n': {'$gte': self._number, '$lt': self._end}}
        fields = {'n': True, 'data': True, '_id': False}
        return source.find(wanted, fields, sort=[('files_id', 1), ('n', 1)], batch_size=BATCH)

    def _look_again(self) -> None:
        """Goes on with the file as it is now, or raises what has become of it."""
        old, has_begun = self.record, self._number > self._first
        try:
            self.record = self._current()
        except FileMissing:
            if has_begun:
                raise self.failure('it was replaced or deleted meanwhile') from None
            raise
        if self.record.is_content_of(old) and self.record.replaced == old.replaced:
            raise self.failure(f'its chunk {self._number} is missing, or has not the length that it should have')
        if not self.record.is_content_of(old):
            if has_begun:
                raise self.failure('it was replaced meanwhile; open it again')
            self._number = self._first

    def _current(self) -> Record:
        found = self._find()
        if self._is_pinned and not found.is_content_of(self.record):
            raise replaced(str(found.file_id))
        return found

    def failure(self, reason: str) -> StorageFailure:
        """What to raise for a content that cannot be read."""
        where = self._bucket.name
        return StorageFailure(f'cannot read file {self.record.file_id} in {where}: {reason}', where)
