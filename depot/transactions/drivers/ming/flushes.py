"""One flush of a session: what it wrote is committed, whatever becomes of the rest.

MongoDB has no transaction here: each document is written for good, one after the
other. What that lets go is decided at the end of the flush, so that a file may
move from one document to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ....errors import FileMissing
from ... import files
from ...scope import Scope
from ...uploads import Upload, find_upload
from . import pending
from .documents import Document, all_files, files_of
from .outcome import is_on_its_way, was_refused


class _Write(NamedTuple):
    """A write that is not known to be done."""

    document: Document
    #: The files that the database's document referred to before.
    before: set[str]


class Flush:
    """What is known of a flush, from before its first write to after its last."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._scope = Scope()
        # Ming's states of the documents that need no other flush.
        self._decided: set[Any] = set()
        self._write: _Write | None = None

    def prepare(self, documents: Iterable[Document]) -> None:
        """Makes the new files of documents that are about to be written durable, in one pass."""
        written = [each for each in documents if not each.is_clean and not each.is_deleted]
        sync({upload for each in written for upload in each.uploads()})

    def before_insert(self, document: Document) -> None:
        """It is about to be added."""
        self._begin(document, set())

    def before_update(self, document: Document) -> None:
        """It is about to be written over what the database has."""
        stored = document.stored(self._session)
        if stored is not None:
            document.follow(stored)
        self._begin(document, all_files(stored, document.values), is_gone=stored is None)

    def before_delete(self, document: Document) -> None:
        """It is about to be deleted."""
        self._write = _Write(document, all_files(document.stored(self._session), document.names))

    def _begin(self, document: Document, before: set[str], is_gone: bool = False) -> None:
        for file in document.files - before:
            # Another process that deleted the document has removed its files.
            if (is_gone or files.may_be_removed(file)) and files.is_removed(file):
                raise FileMissing(
                    f'{file}, which {type(document.instance).__name__} {document.id} refers to, was removed when '
                    'no document needed it any more; assign its content anew, or load the document again'
                )
        sync(document.uploads())
        self._write = _Write(document, before)

    def done(self) -> None:
        """The write that was begun was done."""
        if self._write is None:
            return
        document, before = self._write
        self._write = None
        self._scope.release(before, id(document.state))
        if not document.is_deleted:
            document.is_written()
        self._decide(document)

    def _decide(self, document: Document) -> None:
        self._decided.add(document.state)
        self._scope.absorb(pending.release(document))
        if not document.is_deleted:
            keep(self._scope, document)

    def fail(self, error: BaseException) -> None:
        """The flush raises this; what became of the write that was begun?"""
        if self._write is None or was_refused(error):
            return
        document = self._write.document
        if is_on_its_way(error) or not self._is_answered(document):
            # Nobody knows: neither the old files nor the new ones may go.
            pending.release(document).abandon()

    def _is_answered(self, document: Document) -> bool:
        """Whether the database tells how it ended: an extension, or a hook, failed before the write or after it."""
        try:
            stored = document.stored(self._session)
        except Exception:
            return False
        after = set() if document.is_deleted else document.files
        if all_files(stored, document.names) == after:
            self.done()
        return True

    def succeed(self, documents: Iterable[Document]) -> None:
        """All of the session was flushed: what waits for a document that had nothing to be written is decided, too."""
        for each in documents:
            if each.is_clean and pending.created(each):
                self._decide(each)

    def end(self, documents: Callable[[], Iterable[Document]]) -> None:
        """The flush is over, and left the session with these documents: removes what is not needed any more."""
        settle(self._scope, lambda: (each for each in documents() if each.state not in self._decided))


def settle(scope: Scope, others: Callable[[], Iterable[Document]]) -> None:
    """Commits the scope; removes what neither the documents that it wrote nor these others of the session need."""
    candidates = scope.released | scope.created - scope.kept
    undecided = []
    for each in others() if candidates else ():  # there may be many
        if not each.is_clean:
            undecided.append(each)
        elif not candidates.isdisjoint(each.files):
            keep(scope, each)
    pending.remove(_left_over(scope.commit(), undecided))


def keep(scope: Scope, document: Document) -> None:
    """The database's document refers to what this one does."""
    for upload in document.uploads():
        scope.take(upload)  # wherever it comes from: it is a document's now
    scope.keep(document.files, id(document.state))


def _left_over(garbage: set[str], undecided: Iterable[Document]) -> set[str]:
    """Without what documents that were not written refer to; what only their flush would write waits for that."""
    needed: set[str] = set()
    for each in undecided:
        needed |= each.known_files
        for value in () if each.is_deleted else each.values.values():
            held = [file for file in files_of(value) if file in garbage]
            needed.update(held)
            if held:
                pending.hold(each, find_upload(held) or Upload(held))
    return garbage - needed


def sync(uploads: Iterable[Upload]) -> None:
    """Makes the files of these uploads durable."""
    volatile = [each for each in uploads if not each.durable]
    if volatile:
        files.sync([file for each in volatile for file in each.files])
    for each in volatile:
        each.durable = True
