"""What a sweep does about one storage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..entries import batches
from . import report as words
from .context import Context
from .evidence import Evidence
from .missing import tell_missing
from .unknown import Unknown, first_id, unknown_files


def compare(sweep: Context, name: str, storage: Any, evidence: Evidence) -> None:
    """Does what follows from what the storage has, and what rows and ledger say."""
    since = sweep.since(name)
    tell_missing(sweep, name, storage, evidence, since)
    _remove_unneeded(sweep, name, storage, evidence, since)


def clean(sweep: Context, name: str, storage: Any) -> None:
    """Removes what was never finished, where a crash can leave such."""
    if 'unfinished' in getattr(storage, 'capabilities', ()):
        for each in storage.clean(sweep.horizon, dry_run=sweep.dry_run):
            sweep.report.add(words.CLEANED, f'{name}: {each}', 'it was begun and never finished')


def _remove_unneeded(sweep: Context, name: str, storage: Any, evidence: Evidence, since: datetime | None) -> None:
    """Removes the files of a storage that no row refers to."""
    orphans, is_all = _orphans(sweep, name, unknown_files(storage, evidence, since))
    unreferred = evidence.unreferred(name)
    found = len(orphans) + len(unreferred)
    if evidence.unreadable and found:
        sweep.leave(name, found, 'a row that cannot be read may need them')
        return
    sweep.remove_unreferred(each for each in unreferred if each.let_go)
    unseen = [each for each in unreferred if not each.let_go]
    if not sweep.is_plausible(name, len(orphans) + len(unseen), evidence.size(name) + len(orphans)):
        return
    for files in batches(orphans):
        if not sweep.dry_run:
            sweep.marks.mark_unknown(files)
        sweep.remove(files, 'neither a row nor the ledger speaks of it')
    sweep.remove_unreferred(unseen)
    if is_all and not sweep.dry_run:
        sweep.marks.set_swept(name, sweep.horizon.replace(microsecond=0))


def _orphans(sweep: Context, name: str, unknown: Iterable[Unknown]) -> tuple[list[str], bool]:
    """The files that are nobody's, and whether a sweep that lists from the grace period on will find all others."""
    orphans: list[str] = []
    is_all, next_listed = True, first_id(sweep.horizon)
    for each in unknown:
        file = f'{name}/{each.file_id}'
        doubt = _doubt(sweep, each)
        if doubt is not None:
            sweep.report.add(doubt[0], file, doubt[1])
            is_all = False
        elif each.stored is not None and each.stored <= sweep.horizon:
            orphans.append(file)
        elif each.file_id < next_listed:  # a young one whose id tells no time
            is_all = False
    return orphans, is_all


def _doubt(sweep: Context, unknown: Unknown) -> tuple[str, str] | None:
    """Why a file that nobody speaks of stays all the same, but for its being too young."""
    if unknown.stored is None:
        return words.LEFT, 'nobody speaks of it, but neither does the storage say how old it is'
    if unknown.stored > sweep.horizon:
        return None
    if sweep.undecided is not None and sweep.undecided - unknown.stored <= sweep.grace:
        return words.WAITING, 'a prepared transaction may have stored it; commit it or roll it back'
    return None
