"""The ear that a session of Ming's has for what becomes of its documents."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ming.odm.odmsession import SessionExtension

from . import pending
from .documents import Document, file_names
from .flushes import Flush
from .queries import Query, has_to_do_with_files

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
            for name, method in self._methods().items():
                setattr(session, name, functools.partial(method, getattr(session, name)))

    def _methods(self) -> dict[str, Callable[..., Any]]:
        """What takes the place of the session's own methods, which it is given first."""
        finding = ('find_one_and_update', 'find_one_and_replace', 'find_one_and_delete')
        return {
            'flush': self._flush,
            'clear': self._clear,
            'expunge': self._expunge,
            'remove': self._remove,
            'update': self._update,
            **dict.fromkeys(finding, self._find),
        }

    def _documents(self) -> list[Document]:
        documents = [Document(each) for each in self.session.uow if file_names(type(each))]
        for each in documents:
            pending.catch_up(each, self.session)
        return documents

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
            current.end(self._documents)

    def _clear(self, clear: Callable[[], object]) -> None:
        documents = self._documents()
        clear()
        pending.roll_back(documents, self.session)

    def _expunge(self, expunge: Callable[[Any], object], obj: Any) -> None:
        expunge(obj)
        document = Document(obj)
        if not _cursors.advancing:
            pending.roll_back([document], self.session)
            return
        _cursors.expunged.append(document)
        if document.is_clean:  # the cursor may just have read it anew
            document.is_written()

    def _remove(self, remove: Callable[..., Any], cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        with self._query(cls, args[0] if args else {}):
            return remove(cls, *args, **kwargs)

    def _update(self, update: Callable[..., Any], cls: type[Any], spec: Any, fields: Any, **kwargs: Any) -> Any:
        with self._query(cls, spec, fields):
            return update(cls, spec, fields, **kwargs)

    def _find(self, find: Callable[..., Any], cls: type[Any], filter: Any, *args: Any, **kwargs: Any) -> Any:
        if self.session.autoflush:
            self.session.flush()  # as it will itself, but only after we have asked
        named = (kwargs[each] for each in ('update', 'replacement') if each in kwargs)
        with self._query(cls, filter, *args[:1], *named):
            return find(cls, filter, *args, **kwargs)

    @contextlib.contextmanager
    def _query(self, cls: type[Any], spec: Any, change: Any = None) -> Iterator[None]:
        """Around a query that changes documents: by operators, by a replacement, or else by removing them."""
        if not has_to_do_with_files(cls, change):
            yield
            return
        query = Query(self.session, cls, spec, change)
        try:
            yield
        finally:
            query.end(self._documents)

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
            pending.roll_back([each for each in expunged if each.state.session is None], self.session)
