"""The order in a trace: new files are safe before the COMMIT's own sync, and what it lets go is removed after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .disk import Disk, File, Folder
from .trace import Call

FILES, WAL, JOURNAL = 'files', 'database.sqlite-wal', 'database.sqlite-journal'


@dataclass
class Order:
    """How often the order was wrong."""

    #: Files that were not safe when their COMMIT was.
    late_syncs: int = 0
    #: Files that were touched before the COMMIT that let them go was safe.
    early_removals: int = 0
    #: How many COMMITs there were to look at.
    commits: int = 0
    #: The names of the files that a transaction found when it began, and that are committed.
    _kept: set[str] = field(default_factory=set)
    _is_committing: bool = False

    def __str__(self) -> str:
        return f'late_syncs={self.late_syncs} early_removals={self.early_removals}'

    def __bool__(self) -> bool:
        """Whether the order was wrong anywhere."""
        return bool(self.late_syncs or self.early_removals)

    def hear(self, step: str, disk: Disk) -> None:
        """The writer noted a step."""
        if step == 'started':
            self._kept = set(_files(disk).now)
        self._is_committing = step == 'committing'

    def follow(self, call: Call, disk: Disk) -> None:
        """One system call was done."""
        if call.name in {'rename', 'unlink', 'rmdir'}:
            touched = Path(call.arguments[0].decode()).parts  # type: ignore[union-attr]
            self.early_removals += not self._kept.isdisjoint(touched)
        if self._is_committing and call.name in {'fsync', 'fdatasync'} and _is_commit(disk, call.arguments[0]):
            self._committed(_files(disk))

    def _committed(self, files: Folder) -> None:
        """Nothing but the ends of older files may be unsafe now."""
        self.commits += 1
        self.late_syncs += sum(
            name not in files.safe or not _is_safe(node) for name, node in files.now.items() if not name.startswith('.')
        )
        self._kept, self._is_committing = set(), False


def _files(disk: Disk) -> Folder:
    folder = disk.root.now.get(FILES)
    return folder if isinstance(folder, Folder) else Folder()


def _is_commit(disk: Disk, descriptor: Any) -> bool:
    """Whether this sync makes a COMMIT safe: that of the WAL, or that of the folder in which a journal was."""
    synced, names = disk.opened(descriptor), disk.root.now
    return synced is names[WAL] if WAL in names else synced is disk.root and JOURNAL not in names


def _is_safe(node: File | Folder) -> bool:
    inside = node.now.values() if isinstance(node, Folder) else ()
    return not node.pending and all(map(_is_safe, inside))
