"""A stored file in GridFS, and one that is derived from it."""

from __future__ import annotations

import functools
import io

from bson import ObjectId

from ...errors import FileMissing
from ..lazy import LazyStoredFile
from ..ranges import RangeReader, checked_range
from .chunks import Chunks
from .connection import Bucket
from .derived import find_derived
from .failures import failing
from .reading import ChunkReader
from .records import Record, record_of

_WITHOUT_DERIVED = {'depot.derived': False}


def find_file(bucket: Bucket, file_id: ObjectId) -> Record:
    """What is known of a file; raises :class:`~depot.errors.FileMissing`."""
    with failing(f'look for file {file_id}', bucket.name):
        document = bucket.files.find_one({'_id': file_id}, _WITHOUT_DERIVED)
    if document is None:
        raise FileMissing(f'File {file_id} not existing in {bucket.name}', str(file_id))
    return record_of(document)


def open_range(bucket: Bucket, file_id: ObjectId, start: int, stop: int) -> io.RawIOBase:
    """A part of the content that a file has now; raises :class:`~depot.errors.FileMissing`."""
    find = functools.partial(find_file, bucket, file_id)
    return RangeReader(ChunkReader(Chunks(bucket, find(), find, start, stop), start), stop - start)


class GridFSStoredFile(LazyStoredFile):
    """A file of a :class:`~depot.io.gridfs.GridFSStorage`, or with a ``key`` one that is derived from it."""

    _content: ChunkReader | None

    def __init__(self, bucket: Bucket, file_id: ObjectId, record: Record, key: str | None = None) -> None:
        self._bucket = bucket
        self._key = key
        self._file_id = file_id
        self._contents = bucket if key is None else bucket.derived
        super().__init__(str(file_id))
        self._describe(record)

    def _find(self) -> Record:
        if self._key is None:
            return find_file(self._bucket, self._file_id)
        return find_derived(self._bucket, self._file_id, self._key)

    def _describe(self, record: Record) -> None:
        self._record = record
        self._set_description(record)

    def _open(self) -> ChunkReader:
        return ChunkReader(Chunks(self._contents, self._record, self._find, 0, None))

    def read(self, n: int = -1) -> bytes:
        data = super().read(n)
        if self._content is not None and self._content.record is not self._record:
            self._describe(self._content.record)  # replaced since: the new content comes with its own metadata
        return data

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        length = checked_range(start, stop)
        self._check_not_closed()
        chunks = Chunks(self._contents, self._record, self._find, start, stop, is_pinned=True)
        reader = ChunkReader(chunks, start)
        try:
            reader.begin()
        except BaseException:
            reader.close()
            raise
        return RangeReader(reader, length)
