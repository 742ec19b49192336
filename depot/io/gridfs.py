"""Files in MongoDB's GridFS."""

from __future__ import annotations

import io
import itertools
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from gridfs import GridFS
from pymongo.errors import PyMongoError

from ..errors import ConfigurationError, StorageFailure
from .ids import checked_key, valid_ids
from .interfaces import FileStorage, is_copy
from .mongodb.connection import Bucket, connected
from .mongodb.derived import delete_derived, find_derived, put_derived
from .mongodb.failures import failing
from .mongodb.files import GridFSStoredFile, find_file, open_range
from .mongodb.ids import checked_object_id
from .mongodb.leftovers import clean_bucket
from .mongodb.listing import listed
from .mongodb.records import Record, fields_of, storable
from .mongodb.removing import BATCH, remove_file, remove_files
from .mongodb.storing import insert_file, replace_file
from .mongodb.writing import write_chunks
from .ranges import checked_range
from .utils import BareContent, Content

__all__ = ['GridFSStorage', 'GridFSStoredFile']


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
        self._collection = collection
        self._bucket = Bucket(self._db, collection)
        self._close = weakref.finalize(self._bucket, self._cli.close)  # which stored files need, too
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
        return GridFSStoredFile(self._bucket, file_id, find_file(self._bucket, file_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        file_id = ObjectId()
        bare, *texts = self._storable(content, filename, content_type)  # before anything is written
        copied = write_chunks(self._bucket, file_id, bare)
        insert_file(self._bucket, file_id, fields_of(copied, *texts))
        return str(file_id)

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id, mark = checked_object_id(file_or_id), ObjectId()
        existing = None if is_copy(str(file_id), content) else self.get(file_id)
        bare, *texts = self._storable(content, filename, content_type, existing)
        copied = write_chunks(self._bucket, mark, bare, mark)
        replace_file(self._bucket, file_id, mark, fields_of(copied, *texts), must_exist=existing is not None)
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
        checked_range(start, stop)
        return open_range(self._bucket, checked_object_id(file_or_id), start, stop)

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        return listed(self._bucket, after)

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        failures: dict[str, Exception] = {}
        wanted = valid_ids(ids, checked_object_id, failures)
        while batch := [*dict.fromkeys(itertools.islice(wanted, BATCH))]:
            try:
                with failing(f'delete {len(batch)} files', self._bucket.name):
                    remove_files(self._bucket, batch)
            except StorageFailure as error:
                failures.update((str(each), error) for each in batch)
        return failures

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        return clean_bucket(self._bucket, before, dry_run)

    def get_derived(self, file_or_id: Any, key: str) -> GridFSStoredFile:
        file_id, key = checked_object_id(file_or_id), checked_key(key)
        record = find_derived(self._bucket, file_id, key, self._described(file_or_id))
        return GridFSStoredFile(self._bucket, file_id, record, key)

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        file_id, key = checked_object_id(file_or_id), checked_key(key)
        original = self._described(file_or_id) or find_file(self._bucket, file_id)
        put_derived(self._bucket, original, key, *self._storable(content, filename, content_type))

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        delete_derived(self._bucket, checked_object_id(file_or_id), None if key is None else checked_key(key))

    def _described(self, file_or_id: Any) -> Record | None:
        """What a stored file knows of the content that it describes; None for an id."""
        is_ours = isinstance(file_or_id, GridFSStoredFile) and file_or_id._bucket is self._bucket
        return file_or_id._record if is_ours and file_or_id._key is None else None

    def _storable(
        self, content: Content, filename: str | None, content_type: str | None, existing: Any = None
    ) -> tuple[BareContent, str | None, str | None]:
        bare, filename, content_type = self.fileinfo(content, filename, content_type, existing)
        return bare, storable(filename), storable(content_type)
