"""Updates and removals of documents that the database itself finds, and not a session's flush."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ming.odm.mapper import Mapper

from ...scope import Scope
from ...uploads import find_upload
from .documents import Document, collection_of, file_names, files_of, primary
from .flushes import settle

log = logging.getLogger('depot.transactions')

#: Documents that one query asks for.
BATCH = 500


class _Row(NamedTuple):
    id: Any
    #: The paths that each property refers to.
    files: list[list[str]]


class Query:
    """What documents refer to before a query, and after it: asked of the database."""

    def __init__(self, session: Any, mapped_class: type[Any], spec: Any, change: Any) -> None:
        self._session = session
        self._change = change
        self._collection = collection_of(mapped_class)
        self._names = _names(self._collection)
        self._before = list(self._rows(spec))

    def _rows(self, spec: Any) -> Iterator[_Row]:
        for each in primary(self._session, self._collection).find(spec, dict.fromkeys(self._names, 1)):
            files = [files_of(each.get(name)) for name in self._names]
            if any(files):
                yield _Row(each['_id'], files)

    def _found(self, ids: list[Any]) -> Iterator[_Row]:
        for start in range(0, len(ids), BATCH):
            yield from self._rows({'_id': {'$in': ids[start : start + BATCH]}})

    def end(self, documents: Callable[[], Iterable[Document]]) -> None:
        """The query was done, or may have been: removes what it let go. These documents are in the session."""
        ids = [each.id for each in self._before]
        try:
            after = list(self._found(ids))
        except Exception:
            log.exception('could not ask %s what it refers to now: what was let go stays', self._collection)
            return
        scope = Scope()
        for files in _named(self._change):
            _keep(scope, files, None)
        for row in self._before:
            scope.release((file for each in row.files for file in each), repr(row.id))
        for row in after:
            for each in row.files:
                _keep(scope, each, repr(row.id))
        places = {(self._collection, repr(each)) for each in ids}
        settle(scope, lambda: (each for each in documents() if (each.collection, repr(each.id)) not in places))


def _keep(scope: Scope, files: list[str], owner: str | None) -> None:
    upload = find_upload(files)
    if upload is not None:
        scope.take(upload)
    scope.keep(files, owner)


def _named(change: Any) -> Iterator[list[str]]:
    """The files of each value in an update, which may put them into a document that is not there yet."""
    if isinstance(change, Mapping):
        yield files_of(change)
        change = list(change.values())
    for each in change if isinstance(change, list) else ():
        yield from _named(each)


def has_to_do_with_files(mapped_class: type[Any], change: Any) -> bool:
    """Whether an update by these operators, or this replacement, may change what documents refer to."""
    names = _names(collection_of(mapped_class))
    if not names or not isinstance(change, Mapping):
        return bool(names)
    if not all(operator.startswith('$') for operator in change):
        return True
    operands = [each for each in change.values() if isinstance(each, Mapping)]
    renamed = change.get('$rename')
    changed = [*operands, renamed.values()] if isinstance(renamed, Mapping) else operands
    return not names.isdisjoint(str(key).partition('.')[0] for keys in changed for key in keys)


def _names(collection: str) -> set[str]:
    """The properties with files of all classes that have their documents there."""
    classes = [each.mapped_class for each in Mapper.all_mappers()]
    return {name for each in classes if collection_of(each) == collection for name in file_names(each)}
