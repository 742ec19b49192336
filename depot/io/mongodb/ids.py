"""The one door through which an id of GridFS comes in."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from ...errors import InvalidFileId


def checked_object_id(file_or_id: Any) -> ObjectId:
    """The id as an ``ObjectId``.

    Takes one, its 24 hexadecimal digits, or an object that has either as ``file_id``. Anything else raises
    :class:`~depot.errors.InvalidFileId`; so nothing else is ever looked for in the database, and no operator of its
    query language.
    """
    file_id = getattr(file_or_id, 'file_id', file_or_id)
    if isinstance(file_id, ObjectId):
        return file_id
    if isinstance(file_id, str) and ObjectId.is_valid(file_id):
        return ObjectId(file_id)
    raise InvalidFileId(f'Invalid file id {file_id!r}: not an ObjectId, which has 24 hexadecimal digits', file_id)
