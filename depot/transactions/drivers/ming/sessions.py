"""The ear that a session of Ming's has for what becomes of its documents."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ming.odm.odmsession import SessionExtension

from . import pending
from .documents import Document
from .flushes import Flush

_SessionExtension: Any = SessionExtension


class _Cursors(threading.local):
    """What the cursors of this thread are at."""

    #: How many are about to give a document, one inside the other.
    advancing = 0

    def __init__(self) -> None:
        #: The documents that were expunged meanwhile.
        self.expunged: list[Document] = []


_cursors = _Cursors()


class FileExtension(_SessionExtension):  # type: ignore[misc]
    """Makes the files of a session's documents follow its flushes.

    Ming tells its extensions of the writes, but not that a flush has failed, nor
    that documents were thrown away. For these, the session gets methods of its own.
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self._flushes: list[Flush] = []
        if not hasattr(session, pending.FOLLOWER):  # else it was registered twice
            setattr(session, pending.FOLLOWER, self)
            for name in 'flush', 'clear', 'expunge':
                setattr(session, name, functools.partial(getattr(self, f'_{name}'), getattr(session, name)))

    def _documents(self) -> list[Document]:
        return [Document(each) for each in self.session.uow]

    # -- in the place of the session's own

    def _flush(self, flush: Callable[[Any], object], obj: Any = None) -> None:
        documents = self._documents() if obj is None else [Document(obj)]
        current = Flush(self.session)
        self._flushes.append(current)
        try:
            current.prepare(documents)
            flush(obj)
            if obj is None:
                current.succeed(documents)
        except BaseException as error:
            current.fail(error)
            raise
        finally:
            self._flushes.pop()
            current.end(self._documents())

    def _clear(self, clear: Callable[[], object]) -> None:
        documents = self._documents()
        clear()
        pending.roll_back(documents)

    def _expunge(self, expunge: Callable[[Any], object], obj: Any) -> None:
        expunge(obj)
        if _cursors.advancing:
            _cursors.expunged.append(Document(obj))
        else:
            pending.roll_back([Document(obj)])

    # -- what Ming tells

    def before_insert(self, obj: Any, _state: Any, **_options: Any) -> None:
        for current in self._flushes[-1:]:
            current.before_insert(Document(obj))

    def before_update(self, obj: Any, _state: Any, **_options: Any) -> None:
        for current in self._flushes[-1:]:
            current.before_update(Document(obj))

    def before_delete(self, obj: Any, _state: Any, **_options: Any) -> None:
        for current in self._flushes[-1:]:
            current.before_delete(Document(obj))

    def _after_write(self, _obj: Any, _state: Any, **_options: Any) -> None:
        for current in self._flushes[-1:]:
            current.done()

    after_insert = after_update = after_delete = _after_write

    def before_cursor_next(self, _cursor: Any) -> None:
        _cursors.advancing += 1

    def after_cursor_next(self, _cursor: Any) -> None:
        """A cursor expunges each document that the session has already, and saves it again."""
        _cursors.advancing -= 1
        if not _cursors.advancing:
            expunged, _cursors.expunged = _cursors.expunged, []
            pending.roll_back(each for each in expunged if each.state.session is None)
