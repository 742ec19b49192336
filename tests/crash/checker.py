"""What is left after a crash, a recovery and a sweep, in counts that should all be zero.

It looks at the rows by plain SQL and into the folder by itself: it trusts nothing of what it checks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from .counts import Counts
from .expected import Expected


def check(engine: Engine, folder: Path, expected: Expected) -> Counts:
    """Compares the rows with the files, and both with what the writers noted."""
    with engine.connect() as connection:
        slots = connection.execute(text('SELECT id, version, digest FROM slot')).all()
        rows = connection.execute(text('SELECT slot_id, content FROM document')).all()
    documents = {slot_id: json.loads(content) for slot_id, content in rows}
    counts = _unwanted(folder, documents.values())
    for slot_id, version, digest in slots:
        counts += expected.compare(slot_id, (version, digest))
        counts += _compare(digest, documents.get(slot_id), folder)
    return counts


def _compare(digest: str | None, document: dict[str, Any] | None, folder: Path) -> Counts:
    """Compares the two rows of one slot, and the file, with each other."""
    if document is None:
        return Counts(lost=digest is not None)
    counts = Counts(phantom=digest is None)
    promised = {document['checksum'].removeprefix('sha256:'), digest} - {None}
    for path in document['files']:
        file = folder / path.partition('/')[2] / 'file'
        if not file.exists():
            counts.dangling += 1
        elif promised != {hashlib.sha256(file.read_bytes()).hexdigest()}:
            counts.torn += 1
    return counts


def _unwanted(folder: Path, documents: Iterable[dict[str, Any]]) -> Counts:
    """What is in the folder besides the files that the rows name."""
    named = {path.partition('/')[2] for document in documents for path in document['files']}
    found = {each.name for each in folder.iterdir()} if folder.exists() else set()
    hidden = {each for each in found if each.startswith('.')}
    return Counts(orphans=len(found - hidden - named), temporary=len(hidden))
