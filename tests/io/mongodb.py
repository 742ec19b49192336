"""A GridFS whose every database operation can be watched, and what must be true of one at rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from bson import ObjectId
from gridfs import GridFS

from depot.errors import FileMissing
from depot.io.gridfs import GridFSStorage

_OPERATIONS = {
    'find',
    'find_one',
    'find_one_and_delete',
    'find_one_and_update',
    'insert_one',
    'insert_many',
    'update_one',
    'update_many',
    'delete_many',
    'bulk_write',
    'aggregate',
    'create_indexes',
}


class WatchedCollection:
    """A collection that tells of each of its operations ``before``, in the ``middle`` of, and ``after`` it.

    An operation on several documents has a middle, at which half of them are done.
    """

    def __init__(self, collection: Any, meet: Callable[[str], object]) -> None:
        self._watched = collection
        self._meet = meet

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._watched, name)
        return self._operation(name, attribute) if name in _OPERATIONS else attribute

    def _operation(self, name: str, run: Any) -> Any:
        def watched(*args: Any, **options: Any) -> Any:
            self._meet(f'before {name}')
            with contextlib.suppress(AttributeError):
                getattr(self, f'_half_of_{name}')(run, *args)
                self._meet(f'in the middle of {name}')
            result = run(*args, **options)
            self._meet(f'after {name}')
            return result

        return watched

    def _half_of_delete_many(self, run: Any, wanted: Any) -> None:
        run(self._half(wanted))

    def _half_of_update_many(self, run: Any, wanted: Any, change: Any) -> None:
        run(self._half(wanted), change)

    def _half(self, wanted: Any) -> Any:
        ids = [each['_id'] for each in self._watched.find(wanted, {'_id': True})]
        return {'_id': {'$in': ids[: (len(ids) + 1) // 2]}}


def watched(storage: GridFSStorage, meet: Callable[[str], object]) -> GridFSStorage:
    """The storage itself, which tells of its operations from now on, to nobody else."""
    bucket: Any = storage._bucket
    bucket.files = WatchedCollection(getattr(bucket.files, '_watched', bucket.files), meet)
    for contents in bucket, bucket.derived:
        contents.chunks = WatchedCollection(getattr(contents.chunks, '_watched', contents.chunks), meet)
        contents.chunk_sources = [contents.chunks]
    return storage


def content_of(storage: GridFSStorage, file_id: str) -> bytes | None:
    """The content of a file; None if there is none."""
    try:
        with storage.get(file_id) as file:
            return file.read()
    except FileMissing:
        return None


def is_at_rest(storage: GridFSStorage, file_id: str) -> bool:
    """Whether any tool can read the file, and nothing but it, and what is derived from it, is in the collections."""
    content = content_of(storage, file_id)
    if _derived_places(storage) != {each['_id'] for each in derived_documents(storage, file_id).values()}:
        return False
    places = {each['files_id'] for each in storage._db[f'{storage._collection}.chunks'].find({}, {'files_id': True})}
    known = {each['_id'] for each in storage._db[f'{storage._collection}.files'].find({}, {'_id': True})}
    if content is None:
        return not places and not known
    plain = GridFS(storage._db, storage._collection).get(ObjectId(file_id)).read()
    return plain == content and places <= known == {ObjectId(file_id)}


def derived_documents(storage: GridFSStorage, file_id: str) -> Any:
    """What the document of a file tells of what is derived from it, by its keys."""
    document = storage._db[f'{storage._collection}.files'].find_one({'_id': ObjectId(file_id)}) or {}
    return document.get('depot', {}).get('derived', {})


def _derived_places(storage: GridFSStorage) -> set[Any]:
    chunks = storage._db[f'{storage._collection}.derived.chunks']
    return {each['files_id'] for each in chunks.find({}, {'files_id': True})}
