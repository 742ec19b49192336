"""File ids: time-ordered UUIDs; and the doors through which an id, and the key of a derived file, come in."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ..errors import InvalidFileId, InvalidKey

T = TypeVar('T')

#: An id in its canonical form.
CANONICAL_ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
_is_canonical = re.compile(CANONICAL_ID).fullmatch

#: The key of a derived file.
KEY = '[0-9a-z]{1,64}'
_is_key = re.compile(KEY).fullmatch


def new_file_id() -> str:
    """A new id: a UUID of version 7, which sorts by the time it was made.

    RFC 9562 section 5.7: 48 bits of milliseconds, then (section 6.2, method 3)
    12 bits of the fraction of that millisecond, then 62 random bits.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = (nanoseconds << 12) // 1_000_000
    random = secrets.randbits(62)
    digits = f'{milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | random:032x}'
    return f'{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}'


def checked_file_id(file_or_id: Any) -> str:
    """The id in its canonical form, safe as a part of a path or a key.

    Takes a UUID, its text, or an object that has one as ``file_id``. Anything
    else raises :class:`~depot.errors.InvalidFileId`; so no path to disk and no
    key to a bucket is ever made from other text than this function's.
    """
    file_id = getattr(file_or_id, 'file_id', file_or_id)
    text = f'{file_id}'
    if _is_canonical(text):
        return text
    try:
        return str(uuid.UUID(f'{{{text}}}'))
    except ValueError:
        raise InvalidFileId(f'Invalid file id {file_id!r}: not a UUID', file_id) from None


def valid_ids(ids: Iterable[Any], checked: Callable[[Any], T], failures: dict[str, Exception]) -> Iterator[T]:
    """What ``checked`` makes of each id; one that it refuses is among the failures afterwards."""
    for each in ids:
        try:
            yield checked(each)
        except InvalidFileId as error:
            failures[str(getattr(each, 'file_id', each))] = error


def checked_key(key: Any) -> str:
    """The key of a derived file, safe as a part of a path, of a key to a bucket, and of the name of a field.

    Anything but 1 to 64 digits and lower-case letters raises :class:`~depot.errors.InvalidKey`; there is no other door.
    """
    if isinstance(key, str) and _is_key(key):
        return key
    raise InvalidKey(f'no derived file has the key {key!r:.80}; a key has 1 to 64 digits and lower-case letters')
