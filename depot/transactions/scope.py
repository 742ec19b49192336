"""What one transaction, or savepoint, did to files.

Plain Python: it knows no database and no storage. Files are their paths, as
``'storage/id'``; a driver tells what happens, and removes what the end of a
scope gives back.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from .uploads import Upload


class Claim(NamedTuple):
    """Whether one place in a row refers to one file."""

    #: Before the scope began.
    before: bool
    #: As last written.
    now: bool


class Scope:
    """What one transaction, or savepoint, created, kept and let go.

    An owner is the place in a row that refers to files: whatever a driver tells
    apart by it. A scope ends once, by :meth:`commit`, :meth:`rollback`,
    :meth:`abandon` or by another one's :meth:`absorb`; after that it is empty. In
    a forked process the scopes of its parent are empty too: a child ends no
    transaction of its parent. While one thread changes a scope, others may ask it.
    """

    def __init__(self) -> None:
        #: The uploads that this scope is to decide about.
        self.uploads: set[Upload] = set()
        self._claims: dict[tuple[str, Hashable], Claim] = {}
        self._process = os.getpid()

    @property
    def created(self) -> set[str]:
        """The files that were stored in this scope."""
        return {file for upload in self.uploads.copy() for file in upload.files}

    @property
    def kept(self) -> set[str]:
        """The files that a row refers to, as last written in this scope."""
        return self._kept_and_released()[0]

    @property
    def released(self) -> set[str]:
        """The files that a row let go in this scope and that no row, as last written, refers to."""
        return self._kept_and_released()[1]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has happened in it, or it has ended."""
        return not self.uploads and not self._claims

    @property
    def has_claims(self) -> bool:
        """Whether a row was written in it."""
        return bool(self._claims)

    def changes(self) -> Iterator[tuple[str, Hashable, int]]:
        """File, owner, and 1 for a reference that is new, -1 for one that is gone, 0 if in the end nothing changed."""
        for (file, owner), claim in self._claims.items():
            yield file, owner, claim.now - claim.before

    def take(self, upload: Upload) -> None:
        """This scope may decide about the upload, from now on."""
        upload.scopes.add(self)
        self.uploads.add(upload)

    def keep(self, files: Iterable[str], owner: Hashable) -> None:
        """A row was written that refers to these files; what it had before must have been released."""
        for file in files:
            before = self._claims.get((file, owner), Claim(before=False, now=False)).before
            self._claims[file, owner] = Claim(before, now=True)

    def release(self, files: Iterable[str], owner: Hashable) -> None:
        """A row was written, or deleted, that no longer refers to these files."""
        for file in files:
            before = self._claims.get((file, owner), Claim(before=True, now=True)).before
            self._claims[file, owner] = Claim(before, now=False)

    def absorb(self, savepoint: Scope) -> None:
        """Takes over all of a savepoint that was released: it has decided nothing."""
        for upload in savepoint.uploads:
            self.take(upload)
            upload.scopes.discard(savepoint)
        for place, claim in savepoint._claims.items():
            self._claims[place] = Claim(self._claims.get(place, claim).before, claim.now)
        savepoint._clear()

    def commit(self, unreferenced: Mapping[str, bool] | None = None) -> set[str]:
        """Ends the scope for good; returns the files to remove: let go, or never referred to by a row.

        ``unreferenced`` is what somebody knows better of files that were let go:
        whether no row at all refers to them.
        """
        kept, released = self._kept_and_released()
        garbage = released - self.created if released else released
        for file, is_garbage in (unreferenced or {}).items():
            (garbage.add if is_garbage else garbage.discard)(file)
        # What a statement wrote that no driver follows: better an orphan than a row without its file.
        written = {file for each in self.uploads if each.written for file in each.files}
        if written:
            kept |= written - {file for file, _owner in self._claims}
        return self._end(kept, garbage)

    def rollback(self) -> set[str]:
        """Ends the scope as if it had not been; returns the files to remove: those it created."""
        return self._end(frozenset(), set())

    def abandon(self) -> None:
        """Ends the scope without knowing how: nothing that it created, and nothing that was let go, is removed."""
        self._end(self.created, set())

    def _kept_and_released(self) -> tuple[set[str], set[str]]:
        before, now, more = set(), set(), dict[str, int]()
        for (file, _owner), claim in self._claims.copy().items():
            more[file] = more.get(file, 0) + claim.now - claim.before
            if claim.before:
                before.add(file)
            if claim.now:
                now.add(file)
        # No row referred to a new file before. So its count is right even if a driver cannot tell that the row which
        # lets it go is the one that it was written into.
        now -= {file for file, count in more.items() if count <= 0} & self.created
        return now, before - now

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
