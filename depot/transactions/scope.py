"""What one transaction, or savepoint, did to files.

Plain Python: it knows no database and no storage. Files are their paths, as
``'storage/id'``; a driver tells what happens, and removes what the end of a
scope gives back.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence, Set

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
        #: Whether a statement wrote the files' names into a row, followed by a driver or not.
        self.written = False
        #: Whether the files are known to survive a power loss.
        self.durable = False
        self._finalizer: weakref.finalize[[], Upload] | None = None
        if self.files:
            _uploads[self.files[0]] = self

    def remove_when_forgotten(self, remove: Callable[[Iterable[str]], object]) -> None:
        """Calls ``remove`` with the files when nothing refers to them before a transaction has decided."""
        if self._finalizer is None:
            self._finalizer = weakref.finalize(self, functools.partial(_remove_in, os.getpid(), remove, self.files))

    def write(self) -> None:
        """A statement writes the files' names into a row: from now on, forgetting the upload removes nothing."""
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


class Scope:
    """What one transaction, or savepoint, created, kept and let go.

    An owner is the place in a row that refers to files: whatever a driver tells
    apart by it. A scope ends once, by :meth:`commit`, :meth:`rollback` or by
    another one's :meth:`absorb`; after that it is empty. In a forked process the
    scopes of its parent are empty too: a child ends no transaction of its parent.
    """

    def __init__(self) -> None:
        #: The uploads that this scope is to decide about.
        self.uploads: set[Upload] = set()
        #: By file and owner: whether the owner, as last written, refers to the file.
        self._claims: dict[tuple[str, Hashable], bool] = {}
        self._process = os.getpid()

    @property
    def created(self) -> set[str]:
        """The files that were stored in this scope."""
        return {file for upload in self.uploads for file in upload.files}

    @property
    def kept(self) -> set[str]:
        """The files that a row refers to, as last written in this scope."""
        return {file for (file, _owner), refers in self._claims.items() if refers}

    @property
    def released(self) -> set[str]:
        """The files that a row let go in this scope and that no row, as last written, refers to."""
        return {file for file, _owner in self._claims} - self.kept

    def take(self, upload: Upload) -> None:
        """This scope may decide about the upload, from now on."""
        upload.scopes.add(self)
        self.uploads.add(upload)

    def keep(self, files: Iterable[str], owner: Hashable) -> None:
        """A row was written that refers to these files."""
        self._claims.update(((file, owner), True) for file in files)

    def release(self, files: Iterable[str], owner: Hashable) -> None:
        """A row was written, or deleted, that no longer refers to these files."""
        self._claims.update(((file, owner), False) for file in files)

    def absorb(self, savepoint: Scope) -> None:
        """Takes over all of a savepoint that was released: it has decided nothing."""
        for upload in savepoint.uploads:
            self.take(upload)
            upload.scopes.discard(savepoint)
        self._claims.update(savepoint._claims)
        savepoint._clear()

    def commit(self) -> set[str]:
        """Ends the scope for good; returns the files to remove: let go, or never referred to by a row."""
        claimed = {file for file, _owner in self._claims}
        # What a statement wrote that no driver follows: better an orphan than a row without its file.
        unfollowed = {file for each in self.uploads if each.written for file in each.files if file not in claimed}
        kept = self.kept | unfollowed
        return self._end(kept, claimed - kept - self.created)

    def rollback(self) -> set[str]:
        """Ends the scope as if it had not been; returns the files to remove: those it created."""
        return self._end(frozenset(), set())

    def _end(self, kept: Set[str], garbage: set[str]) -> set[str]:
        if os.getpid() != self._process:
            return set()
        for upload in self.uploads:
            garbage |= upload.settle(self, kept)
        self._clear()
        return garbage

    def _clear(self) -> None:
        self.uploads.clear()
        self._claims.clear()
