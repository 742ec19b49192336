"""The ids of all files, in their order."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from bson import ObjectId
from pymongo.errors import CursorNotFound

from .connection import Bucket, Document
from .failures import failing
from .ids import checked_object_id

# The first of all ids: a query for ids from it on finds no ``_id`` that is of another type.
_FIRST_ID = ObjectId('0' * 24)


def listed(bucket: Bucket, after: str | None) -> Iterator[str]:
    """The ids of all files, from the first one above ``after``."""
    above: Document | None = {'$gte': _FIRST_ID} if after is None else {'$gt': checked_object_id(after)}
    with failing('list files', bucket.name):
        while above is not None:
            above = yield from _ids(bucket, above)


def _ids(bucket: Bucket, above: Document) -> Generator[str, None, Document | None]:
    """Lists ids; returns from where to go on if the server has forgotten the cursor, after ten idle minutes."""
    last = None
    try:
        for each in bucket.files.find({'_id': above}, {'_id': True}).sort('_id', 1):
            last = each['_id']
            yield str(last)
    except CursorNotFound:
        if last is None:
            raise
        return {'$gt': last}
    return None
