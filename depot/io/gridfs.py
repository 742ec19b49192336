"""Files in MongoDB's GridFS."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import logging
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from gridfs import GridFS
from pymongo.errors import CursorNotFound, PyMongoError

from ..errors import ConfigurationError, FileMissing, InvalidFileId, StorageFailure
from .ids import checked_key
from .interfaces import FileStorage, StoredFile, is_copy
from .mongodb.connection import Bucket, Document, connected
from .mongodb.derived import delete_derived, find_derived, put_derived
from .mongodb.failures import failing, is_refused
from .mongodb.ids import checked_object_id
from .mongodb.leftovers import clean_bucket
from .mongodb.reading import ChunkReader, Chunks
from .mongodb.records import Record, fields_of, record_of, storable
from .mongodb.removing import BATCH, remove_file, remove_files
from .mongodb.replacing import settle, switch
from .mongodb.writing import withdraw, write_chunks
from .ranges import RangeReader, checked_range
from .utils import Content

_log = logging.getLogger(__name__)

#: The first of all ids: a query for ids from it on finds no ``_id`` that is of another type.
_FIRST_ID = ObjectId('0' * 24)

_WITHOUT_DERIVED = {'depot.derived': False}


class GridFSStoredFile(StoredFile):
    """A file of a :class:`GridFSStorage`."""

    def __init__(self, storage: GridFSStorage, file_id: ObjectId, record: Record) -> None:
        self._storage = storage
        self._reader: ChunkReader | None = None
        self._closed = False
        super().__init__(str(file_id))
        self._describe(record)

    def _opened(self, start: int | None = None, stop: int | None = None, is_pinned: bool = False) -> ChunkReader:
        return self._storage._reader(self._record, start, stop, is_pinned)

    def _describe(self, record: Record) -> None:
        self._record = record
        self.filename = record.filename
        self.content_type = record.content_type
        self.content_length = record.length
        self.last_modified = record.last_modified
        self.checksum = record.checksum

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise ValueError('I/O operation on closed file')
        if self._reader is None:
            self._reader = self._opened()
        data = self._reader.read(n)
        if self._reader.record is not self._record:  # replaced since: the new content comes with its own metadata
            self._describe(self._reader.record)
        return data

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        length = checked_range(start, stop)
        if self._closed:
            raise ValueError('I/O operation on closed file')
        reader = self._opened(start, stop, is_pinned=True)
        try:
            reader.begin()
        except BaseException:
            reader.close()
            raise
        return RangeReader(reader, length)

    def close(self) -> None:
        self._closed = True
        if self._reader is not None:
            self._reader.close()

    @property
    def closed(self) -> bool:
        return self._closed


class GridFSDerivedFile(GridFSStoredFile):
    """A file that is derived from one of a :class:`GridFSStorage`."""

    def __init__(self, storage: GridFSStorage, file_id: ObjectId, key: str, record: Record) -> None:
        self._find = functools.partial(find_derived, storage._bucket, file_id, key)
        super().__init__(storage, file_id, record)

    def _opened(self, start: int | None = None, stop: int | None = None, is_pinned: bool = False) -> ChunkReader:
        contents = self._storage._bucket.derived
        return ChunkReader(Chunks(contents, self._record, self._find, start or 0, stop, is_pinned), start)


class GridFSStorage(FileStorage):
    """Files in MongoDB's GridFS, in the two collections ``<collection>.files`` and ``<collection>.chunks``.

    What is derived from them is in ``<collection>.derived.chunks``; see :mod:`depot.io.mongodb.derived`.

    ``mongouri`` names the database, too: ``mongodb://host/database``. Credentials, timeouts, the write concern and the
    read preference are options of that URL. Nothing is connected before the first use. Files that other tools have put
    there are readable, those of this storage are for them; files whose ``_id`` is no ``ObjectId`` are not seen.

    How a file is replaced without a moment at which it is missing or torn is told in
    :mod:`depot.io.mongodb.replacing`. A reader who has begun goes on with what the server has sent already, and
    where the old content is gone raises :class:`~depot.errors.StorageFailure`: never a mixture.

    Raises :class:`~depot.errors.ConfigurationError` for a URL or a name that is none, and
    :class:`~depot.errors.StorageFailure` for what the server, or the network, does not do.
    """

    capabilities = frozenset(
        {'atomic_replace', 'checksums', 'ranges', 'sorted_ids', 'batch_delete', 'unfinished', 'derived'}
    )

    def __init__(self, mongouri: str, collection: str = 'filedepot') -> None:
        self._cli, self._db = connected(mongouri)
        self._close = weakref.finalize(self, self._cli.close)
        self._collection = collection
        self._bucket = Bucket(self._db, collection)
        try:
            self._gridfs = GridFS(self._db, collection)
        except PyMongoError as error:
            raise ConfigurationError(f'mongouri has an option that GridFS cannot work with: {error}') from error

    def close(self) -> None:
        """Closes the connections, and is the last that is done with the storage.

        What is garbage is closed, too, and at the end of the program all.
        """
        self._close()

    def get(self, file_or_id: Any) -> GridFSStoredFile:
        file_id = checked_object_id(file_or_id)
        return GridFSStoredFile(self, file_id, self._find(file_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = ObjectId()
        bare, *texts = self.fileinfo(content, filename, content_type)
        filename, content_type = map(storable, texts)  # before anything is written
        copied = write_chunks(self._bucket, file_id, bare)
        self._insert(file_id, fields_of(copied, filename, content_type))
        return str(file_id)

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id, mark = checked_object_id(file_or_id), ObjectId()
        existing = None if is_copy(str(file_id), content) else self.get(file_id)
        bare, *texts = self.fileinfo(content, filename, content_type, existing)
        filename, content_type = map(storable, texts)
        copied = write_chunks(self._bucket, mark, bare, mark)
        fields = fields_of(copied, filename, content_type)
        with failing(f'replace file {file_id}', self._bucket.name):
            try:
                switched = switch(self._bucket, file_id, mark, fields, must_exist=existing is not None)
            except Exception as error:
                if is_refused(error):
                    withdraw(self._bucket, mark)
                raise
            if switched is None:
                withdraw(self._bucket, mark)
                raise FileMissing(f'File {file_id} was deleted while it was replaced', str(file_id))
        try:
            settle(self._bucket, switched)
        except PyMongoError as error:
            _log.warning('File %s is replaced; its chunks will be moved by the next clean(): %s', file_id, error)
        return str(file_id)

    def delete(self, file_or_id: Any) -> None:
        file_id = checked_object_id(file_or_id)
        with failing(f'delete file {file_id}', self._bucket.name):
            remove_file(self._bucket, file_id)

    def exists(self, file_or_id: Any) -> bool:
        file_id = checked_object_id(file_or_id)
        with failing(f'look for file {file_id}', self._bucket.name):
            return self._bucket.files.find_one({'_id': file_id}, {'_id': True}) is not None

    def list(self) -> list[str]:
        return [*self.iter_ids()]

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        length = checked_range(start, stop)
        return RangeReader(self._reader(self._find(checked_object_id(file_or_id)), start, stop), length)

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        above: Document | None = {'$gte': _FIRST_ID} if after is None else {'$gt': checked_object_id(after)}
        with failing('list files', self._bucket.name):
            while above is not None:
                above = yield from self._ids(above)

    def _ids(self, above: Document) -> Generator[str, None, Document | None]:
        """Lists ids; returns from where to go on if the server has forgotten the cursor, after ten idle minutes."""
        last = None
        try:
            for each in self._bucket.files.find({'_id': above}, {'_id': True}).sort('_id', 1):
                last = each['_id']
                yield str(last)
        except CursorNotFound:
            if last is None:
                raise
            return {'$gt': last}
        return None

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        failures: dict[str, Exception] = {}
        wanted = _checked(ids, failures)
        while batch := [*dict.fromkeys(itertools.islice(wanted, BATCH))]:
            try:
                with failing(f'delete {len(batch)} files', self._bucket.name):
                    remove_files(self._bucket, batch)
            except StorageFailure as error:
                failures.update((str(each), error) for each in batch)
        return failures

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        return clean_bucket(self._bucket, before, dry_run)

    def get_derived(self, file_or_id: Any, key: str) -> GridFSDerivedFile:
        file_id, key = checked_object_id(file_or_id), checked_key(key)
        record = find_derived(self._bucket, file_id, key, self._described(file_or_id))
        return GridFSDerivedFile(self, file_id, key, record)

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        file_id, key = checked_object_id(file_or_id), checked_key(key)
        original = self._described(file_or_id) or self._find(file_id)
        bare, *texts = self.fileinfo(content, filename, content_type)
        put_derived(self._bucket, original, key, bare, *map(storable, texts))

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        delete_derived(self._bucket, checked_object_id(file_or_id), None if key is None else checked_key(key))

    def _described(self, file_or_id: Any) -> Record | None:
        """What a stored file knows of the content that it describes; None for an id."""
        is_described = isinstance(file_or_id, GridFSStoredFile) and not isinstance(file_or_id, GridFSDerivedFile)
        return file_or_id._record if is_described and file_or_id._storage is self else None

    def _find(self, file_id: ObjectId) -> Record:
        with failing(f'look for file {file_id}', self._bucket.name):
            document = self._bucket.files.find_one({'_id': file_id}, _WITHOUT_DERIVED)
        if document is None:
            raise FileMissing(f'File {file_id} not existing in {self._bucket.name}', str(file_id))
        return record_of(document)

    def _reader(
        self, record: Record, start: int | None = None, stop: int | None = None, is_pinned: bool = False
    ) -> ChunkReader:
        chunks = Chunks(self._bucket, record, lambda: self._find(record.file_id), start or 0, stop, is_pinned)
        return ChunkReader(chunks, start)

    def _insert(self, file_id: ObjectId, fields: Document) -> None:
        """Makes a file of the chunks that are written. If it is not known whether it is one, they stay."""
        with failing(f'store file {file_id}', self._bucket.name):
            try:
                self._bucket.files.insert_one({'_id': file_id, **fields})
            except Exception as error:
                if is_refused(error):
                    withdraw(self._bucket, file_id)
                    raise
                with contextlib.suppress(PyMongoError):
                    if self._bucket.files.find_one({'_id': file_id}, {'_id': True}) is not None:
                        return  # only the answer was lost
                raise


def _checked(ids: Iterable[Any], failures: dict[str, Exception]) -> Iterator[ObjectId]:
    for each in ids:
        try:
            yield checked_object_id(each)
        except InvalidFileId as error:
            failures[str(FileStorage.fileid(each))] = error
