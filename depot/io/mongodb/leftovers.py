"""What crashes have left in a GridFS: chunks without a file, derived or not, and replaces that were not finished."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from bson import ObjectId

from ...errors import StorageFailure
from .connection import Bucket
from .derived import derived_strays
from .failures import failing
from .records import record_of
from .removing import BATCH, remove_derived, remove_strays
from .replacing import Switch, settle

_UNSETTLED = {'depot.replaced': {'$exists': True}}


def clean_bucket(bucket: Bucket, before: datetime, dry_run: bool) -> list[str]:
    """Finishes replaces, and removes chunks without a file, that nobody touched since an instant; returns their ids.

    After a failure the others are tried all the same; then the first :class:`~depot.errors.StorageFailure` is raised.
    """
    with failing('look for what crashes have left', bucket.name):
        switches, strays = [*_switches(bucket, _utc(before))], [*_strays(bucket, _utc(before))]
        derived = [*derived_strays(bucket, _utc(before))]
    failures = []
    finish: list[Callable[[], None]] = [
        *(functools.partial(settle, bucket, each) for each in switches),
        *(functools.partial(remove_strays, bucket, each) for each in strays),
        *(functools.partial(remove_derived, bucket, [each]) for each in derived),
    ]
    for each in [] if dry_run else finish:
        try:
            with failing('remove what a crash has left', bucket.name):
                each()
        except StorageFailure as error:
            failures.append(error)
    for failure in failures:
        raise failure
    return [*(str(each.file_id) for each in switches), *map(str, strays), *map(str, derived)]


def _switches(bucket: Bucket, before: datetime) -> Iterator[Switch]:
    """Replaces that are not settled, and were begun before an instant."""
    for document in bucket.files.find(_UNSETTLED):
        record = record_of(document)
        if isinstance(record.content, ObjectId) and record.content.generation_time < before:
            yield Switch(record.file_id, record.content, record.replaced or [])


def _strays(bucket: Bucket, before: datetime) -> Iterator[ObjectId]:
    """Where chunks lie that belong to no file, and were all written before an instant."""
    # Sorted like its index, which is then all that the server reads.
    places = bucket.chunks.aggregate([{'$sort': {'files_id': 1}}, {'$group': {'_id': '$files_id'}}], allowDiskUse=True)
    old = (each['_id'] for each in places if _is_older(each['_id'], before))
    while batch := [*itertools.islice(old, BATCH)]:
        known = {each['_id'] for each in bucket.files.find({'_id': {'$in': batch}}, {'_id': True})}
        for each in batch:
            if each not in known and _is_stray(bucket, each, before):
                yield each


def _is_stray(bucket: Bucket, place: ObjectId, before: datetime) -> bool:
    newest = bucket.chunks.find_one({'files_id': place}, {'_id': True}, sort=[('n', -1)])
    if newest is None or not _is_older(newest['_id'], before):
        return False
    return bucket.files.find_one({**_UNSETTLED, 'depot.content': place}, {'_id': True}) is None


def _is_older(made: Any, before: datetime) -> bool:
    """Whether an id, which tells when it was made, is ours and from before an instant."""
    return isinstance(made, ObjectId) and made.generation_time < before


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)
