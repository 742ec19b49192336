"""The new files of one assignment, until a transaction has decided about them.

Plain Python: it knows no database and no storage. Files are their paths, as ``'storage/id'``.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence, Set
from typing import TYPE_CHECKING, Any

from .lives import when_gone

if TYPE_CHECKING:
    from .scope import Scope

# By the first file: the uploads that something still refers to.
_uploads: weakref.WeakValueDictionary[str, Upload] = weakref.WeakValueDictionary()


def find_upload(files: Sequence[str]) -> Upload | None:
    """The upload of these files that waits for a decision, whichever copy of their information asks for it."""
    upload = _uploads.get(files[0]) if files else None
    return upload if upload is not None and upload.undecided else None


class Upload:
    """The files that one assignment stored, until a transaction has decided about them.

    Every uploaded file that refers to them holds it, and so does each scope
    that may decide: that of a transaction, of a savepoint in it, and of another
    session's transaction that the file was assigned in as well.
    """

    def __init__(self, files: Iterable[str]) -> None:
        #: The paths of the files.
        self.files = tuple(files)
        #: The scopes that may decide.
        self.scopes: set[Scope] = set()
        #: Whether no transaction has said yet what becomes of the files.
        self.undecided = True
        #: Whether the files were removed, so that no row may refer to them.
        self.lost = False
        #: Whether a statement that no driver follows wrote the files' names into a row.
        self.written = False
        #: Whether the files are known to survive a power loss.
        self.durable = False
        self._finalizer: weakref.finalize[..., Any] | None = None
        if self.files:
            _uploads[self.files[0]] = self

    def remove_when_forgotten(self, remove: Callable[[Iterable[str]], object]) -> None:
        """Calls ``remove`` with the files when nothing refers to them before a transaction has decided."""
        if self._finalizer is None:
            self._finalizer = when_gone(self, _remove_in, os.getpid(), remove, self.files)

    def write(self) -> None:
        """A statement that no driver follows writes the files' names: forgetting the upload removes nothing now."""
        self.written = True
        self._stop_waiting()

    def settle(self, scope: Scope, kept: Set[str]) -> set[str]:
        """A scope ends whose rows refer to ``kept``; returns the files that are to go with it."""
        self.scopes.discard(scope)
        if not kept.isdisjoint(self.files):
            self._decide(lost=False)
            return set(self.files) - kept
        if self.scopes or not self.undecided:
            return set()
        self._decide(lost=True)
        return set(self.files)

    def lose(self) -> None:
        """The files were removed before a transaction could decide."""
        self._decide(lost=True)

    def _decide(self, lost: bool) -> None:
        self.undecided = False
        self.lost = lost
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()


def _remove_in(process: int, remove: Callable[[Iterable[str]], object], files: Iterable[str]) -> None:
    if os.getpid() == process:  # what a forked child forgets is still its parent's
        remove(files)
