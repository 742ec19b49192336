"""What a sweep does about the ledger, from what the rows say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set

from ..entries import batches
from . import report as words
from .context import Context
from .evidence import Entry, Evidence


def finish(sweep: Context, but: Set[str] = frozenset()) -> None:
    """Removes what transactions have marked, but for these files."""
    for page in sweep.marks.due(sweep.moment):
        sweep.remove([each for each in page if each not in but], 'no row refers to it any more')


def revive(sweep: Context, evidence: Evidence) -> set[str]:
    """Makes files live again that are marked, though rows refer to them, and returns them."""
    contradicted = evidence.contradicted()
    for page in batches(contradicted):
        if not sweep.dry_run:
            sweep.marks.revive([each.file for each in page])
        for each in page:
            sweep.report.add(words.MENDED, each.file, f'{each.place} refers to it, though it was to be removed')
    return {each.file for each in contradicted}


def adopt(sweep: Context, evidence: Evidence) -> None:
    """Enters the files that rows refer to and the ledger does not know."""
    for page in evidence.unknown():
        # A row that cannot be read may refer to any of them.
        counts = {each.file: None if evidence.unreadable else each.rows for each in page}
        if not sweep.dry_run:
            sweep.marks.add(counts)
        sweep.report.counts[words.ADOPTED] += len(counts)


def mend(sweep: Context, evidence: Evidence) -> None:
    """Puts counts right that are wrong, of files that rows do refer to."""
    if evidence.unreadable:
        return
    for page in evidence.wrong():
        changed = {each.file for each in page} if sweep.dry_run else sweep.marks.put_right(page, sweep.moment).keys()
        for each in page:
            if each.file in changed:
                said = 'did not know' if each.refs is None else f'said {each.refs}'
                sweep.report.add(words.MENDED, each.file, f'{each.rows} rows refer to it; the ledger {said}')


def remove_uncounted(sweep: Context) -> None:
    """Removes the files that the database's triggers have counted down to nothing."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for each in sweep.marks.uncounted():
        found[each.file.partition('/')[0]].append(each)
    for name, entries in found.items():
        if sweep.is_plausible(name, len(entries), sweep.marks.size(name)):
            sweep.remove_unreferred(entries)
