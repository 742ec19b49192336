"""What a sweep tells: what it found, what it did about it, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

#: What a finding can say was done. The last four are problems: somebody has to look.
REMOVED = 'removed'
CLEANED = 'cleaned'
MENDED = 'mended'
ADOPTED = 'adopted'
WAITING = 'waiting'
LEFT = 'left'
FAILED = 'failed'
UNREADABLE = 'unreadable'
MISSING = 'missing'

PROBLEMS = frozenset({LEFT, FAILED, UNREADABLE, MISSING})


class Finding(NamedTuple):
    """One thing that a sweep found."""

    #: One of the words of this module: ``'removed'``, ``'missing'``, …
    what: str
    #: Its path, as ``'storage/id'``; or the storage, or the row, that it is about.
    about: str
    #: The reason, as a sentence.
    why: str

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to look."""
        return self.what in PROBLEMS


@dataclass
class Report:
    """All that one sweep found and did; with ``dry_run``, all that it would have done."""

    #: Whether nothing was changed.
    dry_run: bool = False
    #: In the order in which they were found. Adopted files are only counted.
    findings: list[Finding] = field(default_factory=list)
    #: By word, how many files.
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Whether nothing was found that somebody has to look at."""
        return not any(self.counts[each] for each in PROBLEMS)

    def add(self, what: str, about: str, why: str, count: int = 1) -> None:
        """One more finding, about so many files."""
        self.findings.append(Finding(what, about, why))
        self.counts[what] += count

    def summary(self) -> str:
        """One line: how many of each."""
        found = ', '.join(f'{count} {what}' for what, count in sorted(self.counts.items()) if count)
        return f'{"would have: " if self.dry_run and found else ""}{found or "nothing to do"}'
