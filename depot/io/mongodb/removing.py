"""Files and contents go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bson import ObjectId
from pymongo import DeleteMany, DeleteOne

from .connection import Bucket, Document

#: So many files are removed at a time.
BATCH = 1000

#: What a document tells beside what GridFS does.
DEPOT = {'depot': True}


def remove_file(bucket: Bucket, file_id: ObjectId) -> None:
    """Removes a file, first what makes it one; and what a removal has left that was cut off after that."""
    document = bucket.files.find_one_and_delete({'_id': file_id}, projection=DEPOT)
    if document is None:
        remove_strays(bucket, file_id)
    else:
        remove_contents(bucket, file_id, contents_of(document))
        remove_derived(bucket, _derived_ids(document))


def remove_files(bucket: Bucket, file_ids: Sequence[ObjectId]) -> None:
    """Removes files like :func:`remove_file`, up to :data:`BATCH` of them at a time.

    A file that is replaced at this moment, or from which something is derived, is removed by itself: only what was
    seen is removed here.
    """
    documents = [*bucket.files.find({'_id': {'$in': file_ids}}, DEPOT)]
    if documents:
        bucket.files.bulk_write([DeleteOne(_as_it_was_seen(each)) for each in documents], ordered=False)
        removals = [each for document in documents for each in _removals(document['_id'], contents_of(document))]
        bucket.chunks.bulk_write([DeleteMany(each) for each in removals])
        remove_derived(bucket, [each for document in documents for each in _derived_ids(document)])
    if len(documents) < len(file_ids):
        remove_strays(bucket, *{*file_ids} - {each['_id'] for each in documents})
    for replaced in bucket.files.find({'_id': {'$in': file_ids}}, {'_id': True}):
        remove_file(bucket, replaced['_id'])


def remove_contents(bucket: Bucket, file_id: ObjectId, contents: Iterable[Any]) -> None:
    """Removes the chunks of contents that the file had; they may be moving to their place, but never back."""
    for each in _removals(file_id, [*contents]):
        bucket.chunks.delete_many(each)


def remove_derived(bucket: Bucket, derived_ids: Sequence[ObjectId]) -> None:
    """Removes the chunks of derived files, of which no document tells any more."""
    if derived_ids:
        bucket.derived.chunks.delete_many({'files_id': {'$in': derived_ids}})


def derived_in(document: Document) -> dict[str, Document]:
    """The derived files of which a document tells, by their keys; see :mod:`.derived`."""
    depot = document.get('depot')
    derived = depot.get('derived') if isinstance(depot, dict) else None
    return derived if isinstance(derived, dict) else {}


def _derived_ids(document: Document) -> list[ObjectId]:
    return [each['_id'] for each in derived_in(document).values()]


def remove_strays(bucket: Bucket, *file_ids: ObjectId) -> None:
    """Removes chunks of files that are no more; not those of a file that came back meanwhile."""
    strays = contents_in_place(bucket, *file_ids)
    if strays:
        back = {each['_id'] for each in bucket.files.find({'_id': {'$in': [*strays]}}, {'_id': True})}
        for file_id in strays.keys() - back:
            remove_contents(bucket, file_id, strays[file_id])


def contents_in_place(bucket: Bucket, *file_ids: ObjectId) -> dict[ObjectId, list[Any]]:
    """By file, which contents the chunks are of that lie in its place."""
    found: dict[ObjectId, list[Any]] = {}
    for chunk in bucket.chunks.find({'files_id': {'$in': file_ids}}, {'files_id': True, 'content': True, '_id': False}):
        contents = found.setdefault(chunk['files_id'], [])
        if chunk.get('content') not in contents:
            contents.append(chunk.get('content'))
    return found


def contents_of(document: Document) -> list[Any]:
    """The content that a file has, and after it those that it had, as far as its document tells."""
    depot = document.get('depot')
    return [depot.get('content'), *(depot.get('replaced') or ())] if isinstance(depot, dict) else [None]


def as_it_was(document: Document) -> Document:
    """Asks for a file only as long as it has the content that its document tells."""
    return {'_id': document['_id'], 'depot.content': contents_of(document)[0]}


def _as_it_was_seen(document: Document) -> Document:
    """Asks for a file only as long as it has the content, and the derived files, that its document tells."""
    depot = document.get('depot')
    last = depot.get('last_derived') if isinstance(depot, dict) else None
    return {**as_it_was(document), 'depot.last_derived': last}


def _removals(file_id: ObjectId, contents: list[Any]) -> list[Document]:
    """What to remove, in this order: a chunk that moves meanwhile has come to its place then."""
    apart = [each for each in contents if each is not None]
    in_place = {'files_id': file_id, 'content': {'$in': contents}}
    return [{'files_id': {'$in': apart}}, in_place] if apart else [in_place]
