"""A storage around another, in which faults can be set."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..backends import DEFAULT_BACKEND, constructed
from ..interfaces import FileStorage, StoredFile
from ..ranges import RangeReader
from ..utils import Content
from .fault import Fault, Step
from .halfway import with_middle

Stream = TypeVar('Stream', bound=io.IOBase)


class FaultyStorage(FileStorage):
    """Another storage, and what goes wrong in it.

    ``storage`` is a storage of any kind, or the dotted path of its class, whose options follow; so it can stand
    in an application's settings too. Without faults it does what that storage does. What else that storage has,
    attributes and methods of its own, is here as well.

    :meth:`create`, :meth:`replace` and :meth:`put_derived` are in their middle when the wrapped storage has read some
    of the content, and not yet all; :meth:`delete_many` and :meth:`sync` when it has done half of the ids;
    :meth:`iter_ids` after the first id. An error in :meth:`delete_many` becomes what it returns as the reason, for all
    its ids, and it deletes by :meth:`delete` where the wrapped storage does not claim ``'batch_delete'``.
    """

    def __init__(self, storage: FileStorage | str = DEFAULT_BACKEND, *faults: Fault, **options: Any) -> None:
        #: The storage that is wrapped.
        self.storage: FileStorage = constructed(storage, **options) if isinstance(storage, str) else storage
        #: What goes wrong; may be changed at any time.
        self.faults = [*faults]
        #: All steps until now, in their order.
        self.steps: list[Step] = []
        self.capabilities = self.storage.capabilities

    def __getattr__(self, name: str) -> Any:
        if name == 'storage':  # asked for before there is one, as by ``copy``
            raise AttributeError(name)
        return getattr(self.storage, name)

    def get(self, file_or_id: Any) -> StoredFile:
        return self._counted('get', functools.partial(self.storage.get, file_or_id))

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        with self._operation('create') as middle:
            return self.storage.create(with_middle(content, middle), filename, content_type)

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        with self._operation('replace') as middle:
            return self.storage.replace(file_or_id, with_middle(content, middle), filename, content_type)

    def delete(self, file_or_id: Any) -> None:
        with self._operation('delete'):
            self.storage.delete(file_or_id)

    def exists(self, file_or_id: Any) -> bool:
        with self._operation('exists'):
            return self.storage.exists(file_or_id)

    def list(self) -> list[str]:
        with self._operation('list'):
            return self.storage.list()

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        return self._opened_range(functools.partial(self.storage.open_range, file_or_id), start, stop)

    def version(self, file_or_id: Any, key: str | None = None) -> tuple[Any, ...] | None:
        with self._operation('version'):
            return self.storage.version(file_or_id, key)

    def iter_ids(self, after: str | None = None) -> Iterator[str]:
        with self._operation('iter_ids') as middle:
            for position, each in enumerate(self.storage.iter_ids(after)):
                if position == 1:
                    middle()
                yield each

    def delete_many(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        ids = [*ids]
        failures: dict[str, Exception] = {}
        try:
            with self._operation('delete_many') as middle:
                for half in _halves(ids, middle):
                    failures.update(self._delete_half(half))
        except Exception as error:
            return {str(self.fileid(each)): error for each in ids}
        return failures

    def _delete_half(self, ids: Iterable[Any]) -> Mapping[str, Exception]:
        in_batches = 'batch_delete' in self.capabilities
        return self.storage.delete_many(ids) if in_batches else super().delete_many(ids)

    def sync(self, ids: Iterable[Any]) -> None:
        with self._operation('sync') as middle:
            for half in _halves([*ids], middle):
                self.storage.sync(half)

    def clean(self, before: datetime, dry_run: bool = False) -> Sequence[str]:
        with self._operation('clean'):
            return self.storage.clean(before, dry_run)

    def url(
        self,
        file_or_id: Any,
        expires: float | None = None,
        filename: str | None = None,
        disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        with self._operation('url'):
            return self.storage.url(file_or_id, expires, filename, disposition, content_type)

    def get_derived(self, file_or_id: Any, key: str) -> StoredFile:
        return self._counted('get_derived', functools.partial(self.storage.get_derived, file_or_id, key))

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        with self._operation('put_derived') as middle:
            self.storage.put_derived(file_or_id, key, with_middle(content, middle), filename, content_type)

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        with self._operation('delete_derived'):
            self.storage.delete_derived(file_or_id, key)

    @contextlib.contextmanager
    def _operation(self, name: str) -> Iterator[Callable[[], None]]:
        """Counts an operation's steps; gives what is to be called in the middle of it."""
        self._meet(Step(name, 'before'))
        yield functools.partial(self._meet, Step(name, 'middle'))
        self._meet(Step(name, 'after'))

    def _meet(self, step: Step) -> None:
        self.steps.append(step)
        for each in tuple(self.faults):
            each.meet(step)

    def _counted(self, operation: str, open_it: Callable[[], StoredFile]) -> StoredFile:
        """A stored file; each reading of it is a step."""
        file = self._opened(operation, open_it)
        vars(file)['_faulty'] = self
        file.__class__ = _counting(type(file))
        return file

    def _opened(self, operation: str, open_it: Callable[[], Stream]) -> Stream:
        with contextlib.ExitStack() as on_error:
            with self._operation(operation):
                file = open_it()
                on_error.callback(file.close)
            on_error.pop_all()
        return file

    def _opened_range(self, open_it: Callable[[int, int], io.RawIOBase], start: int, stop: int) -> io.RawIOBase:
        part = self._opened('open_range', functools.partial(open_it, start, stop))
        return RangeReader(_CountingReader(self, part), stop - start)


class _CountingReader:
    """Reads a part of a file; each reading is a step."""

    def __init__(self, storage: FaultyStorage, part: io.RawIOBase) -> None:
        self._storage = storage
        self._part = part

    def read(self, size: int) -> Any:
        with self._storage._operation('read'):
            return self._part.read(size)

    def close(self) -> None:
        self._part.close()


@functools.cache
def _counting(kind: type[Any]) -> type[Any]:
    """The same kind of stored file; each reading, and opening of a part, is a step of its storage ``_faulty``."""

    def read(self: Any, n: int = -1) -> Any:
        with self._faulty._operation('read'):
            return kind.read(self, n)

    def open_range(self: Any, start: int, stop: int) -> io.RawIOBase:
        part: io.RawIOBase = self._faulty._opened_range(functools.partial(kind.open_range, self), start, stop)
        return part

    # The default of the base class is known by itself, and reads: that is a step.
    own = {} if kind.open_range is StoredFile.open_range else {'open_range': open_range}
    return type(kind.__name__, (kind,), {'read': read, **own})


def _halves(ids: list[Any], middle: Callable[[], None]) -> Iterator[list[Any]]:
    half = len(ids) // 2
    if half:
        yield ids[:half]
        middle()
    yield ids[half:]
