"""What is derived from files: told in their documents, the contents in chunks of a collection of its own.

The document of a file has it as ``depot.derived``, by key: each as a document of GridFS would tell it, its ``_id`` an
id of its own under which its chunks lie in ``<collection>.derived.chunks``; they have the ``original``, too. So it goes
with the document, in the same step: when the file is deleted, and when a replace switches to another content. A put
changes the document only if this has still the content that it was derived from. Whoever takes a derived file out of a
document removes its chunks then; what a crash leaves in between are chunks that no document tells of, for a clean.

``depot.last_derived`` is the id of the one that came last, by which a deletion knows that it has seen all.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import PyMongoError

from ...errors import FileMissing
from ..ranges import replaced
from ..utils import BareContent
from .connection import Bucket, Document
from .failures import failing
from .records import Record, fields_of, record_of
from .removing import BATCH, DEPOT, derived_in, remove_derived
from .writing import withdraw, withdrawn_if_refused, write_chunks


def find_derived(bucket: Bucket, file_id: ObjectId, key: str, described: Record | None = None) -> Record:
    """A derived file, of the content that is described if one is.

    Raises :class:`~depot.errors.FileMissing` if there is none, or if the file is gone or has another content.
    """
    with failing(f'look for file {file_id}', bucket.name):
        document = bucket.files.find_one({'_id': file_id})
    if document is None:
        raise FileMissing(f'File {file_id} not existing in {bucket.name}', str(file_id))
    if described is not None and not record_of(document).is_content_of(described):
        raise replaced(str(file_id))
    found = derived_in(document).get(key)
    if found is None:
        raise FileMissing(f'File {file_id} has no derived file {key} in {bucket.name}', str(file_id))
    return record_of(found)


def put_derived(
    bucket: Bucket, original: Record, key: str, content: BareContent, filename: str | None, content_type: str | None
) -> None:
    """Stores a derived file; texts are storable. Raises :class:`~depot.errors.FileMissing` if it comes too late."""
    mark = ObjectId()
    copied = write_chunks(bucket.derived, mark, content, mark, original=original.file_id)
    found = {'_id': mark, **fields_of(copied, filename, content_type, content=mark)}
    task = f'put a derived file under file {original.file_id}'
    with failing(task, bucket.name), withdrawn_if_refused(bucket.derived, mark):
        before = _told(bucket, original, key, found)
    if before is None:
        withdraw(bucket.derived, mark)
        raise replaced(str(original.file_id))
    if key in derived_in(before):
        withdraw(bucket.derived, derived_in(before)[key]['_id'])


def _told(bucket: Bucket, original: Record, key: str, found: Document) -> Document | None:
    """Has the file's document tell of a derived file; returns what it told before, None if the file is another."""
    as_described = {
        '_id': original.file_id,
        'depot.content': original.content,
        'uploadDate': original.uploaded,
        'length': original.content_length,
    }
    change = {'$set': {f'depot.derived.{key}': found, 'depot.last_derived': found['_id']}}
    try:
        return bucket.files.find_one_and_update(as_described, change, DEPOT)
    except PyMongoError:
        with contextlib.suppress(PyMongoError):
            told = {'_id': original.file_id, f'depot.derived.{key}._id': found['_id']}
            if bucket.files.find_one(told, {'_id': True}) is not None:
                return {}  # only the answer was lost
        raise


def delete_derived(bucket: Bucket, file_id: ObjectId, key: str | None) -> None:
    """Removes the derived file with this key; without a key, all of the file."""
    place = 'depot.derived' if key is None else f'depot.derived.{key}'
    with failing(f'remove what is derived from file {file_id}', bucket.name):
        before = bucket.files.find_one_and_update(
            {'_id': file_id, place: {'$exists': True}}, {'$unset': {place: True}}, DEPOT
        )
        if before is not None:
            found = derived_in(before)
            remove_derived(bucket, [each['_id'] for name, each in found.items() if key in {None, name}])


def derived_strays(bucket: Bucket, before: datetime) -> Iterator[ObjectId]:
    """Under which ids chunks lie that no document tells of, and that were all written before an instant."""
    # Sorted like its index, which is then all that the server reads.
    places = bucket.derived.chunks.aggregate(
        [
            {'$sort': {'files_id': 1, 'n': 1, 'original': 1}},
            {'$group': {'_id': '$files_id', 'original': {'$first': '$original'}}},
        ],
        allowDiskUse=True,
    )
    old = (each for each in places if _is_older(each['_id'], before))
    while batch := [*itertools.islice(old, BATCH)]:
        told = {*_told_of(bucket, {each['original'] for each in batch})}
        for each in batch:
            if each['_id'] not in told and _is_at_rest(bucket, each['_id'], before):
                yield each['_id']


def _told_of(bucket: Bucket, originals: Iterable[Any]) -> Iterator[ObjectId]:
    for document in bucket.files.find({'_id': {'$in': [*originals]}}, DEPOT):
        for each in derived_in(document).values():
            yield each['_id']


def _is_at_rest(bucket: Bucket, place: ObjectId, before: datetime) -> bool:
    newest = bucket.derived.chunks.find_one({'files_id': place}, {'_id': True}, sort=[('n', -1)])
    return newest is not None and _is_older(newest['_id'], before)


def _is_older(made: Any, before: datetime) -> bool:
    return isinstance(made, ObjectId) and made.generation_time < before
