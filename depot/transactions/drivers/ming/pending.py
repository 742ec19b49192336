"""Uploads that were assigned to a document and not flushed yet."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable
from typing import Any

from ming.odm.base import state
from ming.odm.mapper import mapper

from ... import files
from ...lives import when_gone
from ...scope import Scope
from ...uploads import Upload
from ..sqlalchemy import waiting  # which does not import SQLAlchemy
from .documents import Document

log = logging.getLogger('depot.transactions')

#: The attribute of a session that has an ear for what becomes of its documents.
FOLLOWER = '_depot_follower'

_mapper: Any = mapper


class _Pending:
    def __init__(self, of: Any) -> None:
        self.scope = Scope()
        # A document that is forgotten will never be flushed.
        self.finalizer = when_gone(of, _forgotten, self.scope)


# By Ming's state of the object, which lives as long as it does.
_pending: weakref.WeakKeyDictionary[Any, _Pending] = weakref.WeakKeyDictionary()


def adopt(instance: Any, upload: Upload | None) -> None:
    """The upload was assigned to this document, whose flush is to decide about it.

    Where nobody would hear of the flush, nothing is to decide, and the files stay.
    """
    session = state(instance).session or _mapper(instance).session
    if upload is not None and upload.undecided and hasattr(session, FOLLOWER):
        hold(Document(instance), upload)


def hold(document: Document, upload: Upload) -> None:
    """The document's flush is to decide about the upload."""
    found = _pending.get(document.state)
    if found is None:
        found = _pending[document.state] = _Pending(document.state)
    found.scope.take(upload)


def created(document: Document) -> set[str]:
    """The files that wait for the document's flush."""
    found = _pending.get(document.state)
    return found.scope.created if found else set()


def release(document: Document) -> Scope:
    """Gives away the decision about all that waits for the document."""
    found = _pending.pop(document.state, None)
    if found is None:
        return Scope()
    found.finalizer.detach()
    return found.scope


def catch_up(document: Document, session: Any) -> None:
    """Asks the database about a document that needs no flush although something waits for it.

    It was read anew, by which Ming leaves it what the database does not have, or
    written by a session that does not follow files.
    """
    if document.state not in _pending or not document.is_clean:
        return
    try:
        document.take_over(document.stored(session) or {})
    except Exception:
        log.exception('could not ask for %s %s: what was stored for it stays', document.collection, document.id)
        release(document).abandon()


def roll_back(documents: Iterable[Document], session: Any) -> None:
    """These documents were thrown away as they are; removes what waited for their flush."""
    garbage: set[str] = set()
    for each in documents:
        if each.state not in _pending:
            continue
        catch_up(each, session)
        scope = release(each)
        if each.is_clean:
            scope.keep(each.files, id(each.state))
            garbage |= scope.commit()
        else:
            garbage |= scope.rollback()
    remove(garbage)


def remove(garbage: set[str]) -> None:
    """Removes the files; raises nothing but an interruption."""
    if garbage:
        files.remove(garbage)


def _forgotten(scope: Scope) -> None:
    waiting.aside(remove, scope.rollback())
