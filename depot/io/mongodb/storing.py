"""Chunks that were written become a file, or what a file contains."""

from __future__ import annotations

import contextlib
import logging

from bson import ObjectId
from pymongo.errors import PyMongoError

from ...errors import FileMissing
from .connection import Bucket, Document
from .failures import failing, is_refused
from .replacing import Switch, settle, switch
from .writing import withdraw, withdrawn_if_refused

_log = logging.getLogger('depot.io.gridfs')


def insert_file(bucket: Bucket, file_id: ObjectId, fields: Document) -> None:
    """Makes a file of the chunks that were written under its id.

    Raises :class:`~depot.errors.StorageFailure`. If it is not known whether it is a file then, the chunks stay.
    """
    with failing(f'store file {file_id}', bucket.name), withdrawn_if_refused(bucket, file_id):
        try:
            bucket.files.insert_one({'_id': file_id, **fields})
        except Exception as error:
            if is_refused(error) or not _is_there(bucket, file_id):  # else only the answer was lost
                raise


def replace_file(bucket: Bucket, file_id: ObjectId, mark: ObjectId, fields: Document, must_exist: bool) -> None:
    """Gives a file the chunks that were written under a mark.

    Raises :class:`~depot.errors.FileMissing` for one that ``must_exist`` and does not, and
    :class:`~depot.errors.StorageFailure`. If it is not known whether the file has them then, they stay.
    """
    switched = _switched(bucket, file_id, mark, fields, must_exist)
    try:
        settle(bucket, switched)
    except PyMongoError as error:
        _log.warning('File %s is replaced; its chunks will be moved by the next clean(): %s', file_id, error)


def _switched(bucket: Bucket, file_id: ObjectId, mark: ObjectId, fields: Document, must_exist: bool) -> Switch:
    with failing(f'replace file {file_id}', bucket.name), withdrawn_if_refused(bucket, mark):
        switched = switch(bucket, file_id, mark, fields, must_exist)
        if switched is None:
            withdraw(bucket, mark)
            raise FileMissing(f'File {file_id} was deleted while it was replaced', str(file_id))
        return switched


def _is_there(bucket: Bucket, file_id: ObjectId) -> bool:
    with contextlib.suppress(PyMongoError):
        return bucket.files.find_one({'_id': file_id}, {'_id': True}) is not None
    return False
