"""Another content under the same id.

A file is one document in ``files`` and several in ``chunks``, and MongoDB changes one document at a time. A file at
rest looks as every GridFS has it: the chunks lie in its *place*, their ``files_id`` is its ``_id``. So a replace goes

1. *written*: the new chunks lie under an id of their own, T, and have ``content: T``.
2. *switched*: one update of the file's document, and only if it still has the content P that was found in it: length,
   name, checksum are the new ones, ``depot.content`` is T, and ``depot.replaced`` lists P. What the document told of
   derived files is gone by that.
3. *removed*: the chunks of the contents in ``depot.replaced``, and those of derived files.
4. *moved*: the chunks of T get the file's ``_id`` for their ``files_id``.
5. *settled*: ``depot.replaced`` goes; the file is at rest. ``content: T`` stays, there and in the chunks.

(A content that ``create`` stored has no mark: its P is null.) Why this is right:

- **Old or new.** Step 2 is atomic. A reader takes no chunks but those with the ``content`` of the document that it has
  read. While there is a ``depot.replaced``, it looks for each of them under T, then in the file's place: chunks move in
  this direction only, so it is at one or the other. Where one is missing, the document tells whether the file was
  replaced meanwhile; then the reader begins again, or fails if it has given away a part of the old content already.
- **A crash** before step 2 leaves chunks without a file, after it a file with ``depot.replaced``. Readers read it like
  any other; the next replace, or a clean, goes on with step 3.
- **A content that was replaced never comes back**: T is always new. So its chunks can be removed at any time
  afterwards, by anybody. Chunks under T are removed first, then those in the place: so none slips through that is being
  moved. The next replace removes them *before* it moves its own, which is why the place is free then.
- **Two replacers**: the later one finds another content than it has read, at step 2, and reads it again.
- **A delete beside it** takes the document, and all contents that it tells of. Before step 2 the replacer finds no file
  any more, and removes what it has written. After it, it finds none in step 5, and does the same; so a deleted file
  does not come back. A file that is *copied* to the id of a deleted one starts at step 1 too: what is left of the
  deleted one has another ``content``, and goes in step 3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from .connection import Bucket, Document
from .removing import DEPOT, as_it_was, contents_in_place, contents_of, derived_in, remove_contents, remove_derived

# Older drivers kept it, and it would be that of the old content.
_STALE = {'md5': True}


class Switch(NamedTuple):
    """What a replace has changed in the file's document."""

    file_id: ObjectId
    #: The mark of the new content.
    content: ObjectId
    #: The marks of the old ones.
    replaced: list[Any]
    #: The ids of what was derived from the last of them.
    derived: Sequence[ObjectId] = ()


def switch(bucket: Bucket, file_id: ObjectId, content: ObjectId, fields: Document, must_exist: bool) -> Switch | None:
    """Step 2. Returns None for a file that must exist and does not.

    Where the answer of the server is lost, the document is asked. If that does not tell either, the driver's error
    comes through, and the new chunks must stay: it may yet happen.
    """
    while True:
        document = bucket.files.find_one({'_id': file_id}, DEPOT)
        if document is None and must_exist:
            return None
        replaced = _replaced(bucket, file_id, document)
        depot = {**fields['depot'], 'content': content, 'replaced': replaced}
        try:
            before = _written(bucket, file_id, {**fields, 'depot': depot}, document)
        except PyMongoError:
            if not _is_switched(bucket, file_id, content):
                raise
            before = document or {}
        if before is not None:
            return Switch(file_id, content, replaced, [each['_id'] for each in derived_in(before).values()])


def settle(bucket: Bucket, switched: Switch) -> None:
    """Steps 3 to 5: harmless a second time, and where the file was replaced again or deleted since."""
    file_id, content, replaced, derived = switched
    remove_contents(bucket, file_id, replaced)
    remove_derived(bucket, derived)
    bucket.chunks.update_many({'files_id': content}, {'$set': {'files_id': file_id}})
    settled = bucket.files.update_one({'_id': file_id, 'depot.content': content}, {'$unset': {'depot.replaced': True}})
    if not settled.matched_count:
        remove_contents(bucket, file_id, [content])


def _replaced(bucket: Bucket, file_id: ObjectId, document: Document | None) -> list[Any]:
    """The contents that will be no more once the document is another one."""
    if document is None:
        return contents_in_place(bucket, file_id).get(file_id, [])
    return contents_of(document)


def _written(bucket: Bucket, file_id: ObjectId, fields: Document, document: Document | None) -> Document | None:
    """The document that it replaces; None if that is not the one any more that was read."""
    if document is None:
        try:
            bucket.files.insert_one({'_id': file_id, **fields})
        except DuplicateKeyError:
            return None
        return {}
    change = {'$set': fields, '$unset': _STALE}
    return bucket.files.find_one_and_update(as_it_was(document), change, DEPOT)


def _is_switched(bucket: Bucket, file_id: ObjectId, content: ObjectId) -> bool:
    with contextlib.suppress(PyMongoError):
        return bucket.files.find_one({'_id': file_id, 'depot.content': content}, {'_id': True}) is not None
    return False
