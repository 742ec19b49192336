"""Looks for the rows whose file is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ...errors import InvalidFileId
from . import report as words
from .context import Context
from .evidence import Evidence, Referred
from .rows import read_one
from .unknown import first_id


def tell_missing(sweep: Context, name: str, storage: Any, evidence: Evidence, since: datetime | None) -> None:
    """Tells the rows whose file is not there, as far as its id is of ``since`` or later, or tells no time.

    A storage that lists its ids in order is not asked for each file by itself.
    """
    after = '' if since is None else first_id(since)
    referred: Iterable[Referred] = evidence.referred(name, after)
    if 'sorted_ids' in getattr(storage, 'capabilities', ()):
        referred = _not_listed(referred, storage.iter_ids(after=after or None))
    for each in referred:
        if not _exists(storage, each.file.partition('/')[2]) and _still_refers(sweep, each):
            others = f' and {each.rows - 1} more' if each.rows > 1 else ''
            sweep.report.add(words.MISSING, each.file, f'{each.place}{others} refers to it, but it is not there')


def _not_listed(referred: Iterable[Referred], listed: Iterator[str]) -> Iterator[Referred]:
    """Those whose id is not among these; both have to come in the ids' order."""
    file_id: str | None = ''
    for each in referred:
        while file_id is not None and file_id < each.file_id:
            file_id = next(listed, None)
        if file_id != each.file_id:
            yield each


def _still_refers(sweep: Context, referred: Referred) -> bool:
    """Whether the row is as it was: a transaction may have removed the file meanwhile, and said so there."""
    if not referred.place.primary_key:
        return True
    tables = [each for each in (*sweep.tables, *sweep.others) if each.fullname == referred.place.table]
    with sweep.engine.connect() as connection:
        held = [held for each in tables for held in read_one(connection, each, referred.place.primary_key)]
    return any(referred.file in each.files for each in held)


def _exists(storage: Any, file_id: str) -> bool:
    try:
        return bool(storage.exists(file_id))
    except InvalidFileId:
        return False
