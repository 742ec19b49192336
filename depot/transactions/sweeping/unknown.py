"""Looks for the files of a storage that nobody speaks of."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ...errors import CorruptMetadata, FileMissing
from ...utils import utcfromtimestamp_naive
from .evidence import Evidence


class Unknown(NamedTuple):
    """A file that neither an entry nor a row speaks of."""

    file_id: str
    #: When it was stored, in UTC; None if nobody knows.
    stored: datetime | None


def unknown_files(storage: Any, evidence: Evidence, since: datetime | None) -> Iterator[Unknown]:
    """The files of a storage that nobody speaks of, as far as their ids are of ``since`` or later, or tell no time."""
    after = None if since is None else first_id(since)
    for file_id in storage.iter_ids(after=after):
        if not evidence.knows(file_id):
            with contextlib.suppress(FileMissing):  # removed meanwhile
                yield Unknown(file_id, _time_of(file_id) or _last_modified(storage, file_id))


def first_id(instant: datetime) -> str:
    """The first id that can have been made at this instant."""
    milliseconds = int(instant.replace(tzinfo=timezone.utc).timestamp() * 1000)
    return str(uuid.UUID(int=max(0, milliseconds) << 80 | 7 << 76 | 2 << 62))


def _last_modified(storage: Any, file_id: str) -> datetime | None:
    try:
        file = storage.get(file_id)
    except CorruptMetadata:
        return None
    if hasattr(file, 'close'):
        file.close()
    modified: datetime | None = file.last_modified
    return modified


def _time_of(file_id: str) -> datetime | None:
    """When an id was made, if it tells: RFC 9562 section 5.7."""
    try:
        value = uuid.UUID(file_id)
    except ValueError:
        return None
    if value.version != 7:
        return None
    try:
        return utcfromtimestamp_naive((value.int >> 80) / 1000)
    except ValueError:  # after the year 9999
        return None
