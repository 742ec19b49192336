"""An ordered list of files in one column, changed in place."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex

from sqlalchemy.ext.mutable import MutableList

from ..errors import InvalidValue
from ..transactions.drivers.sqlalchemy import sessions
from .interfaces import DepotFileInfo

if TYPE_CHECKING:
    from typing_extensions import Self


class _Rows(dict[Any, str]):
    """The attribute that has a list, by the state of the object that it is on.

    SQLAlchemy's own refers to the object weakly, so that a change by
    ``session.get(Album, 1).photos.append(...)`` would find it gone already. This
    one keeps it alive as long as the list is in use.
    """

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[Any, Any] = {}

    def __setitem__(self, state: Any, key: str) -> None:
        super().__setitem__(state, key)
        self._objects[state] = state.obj()

    def pop(self, state: Any, *default: Any) -> Any:
        self._objects.pop(state, None)
        return super().pop(state, *default)


# Iterable, but one content, or no content at all.
_SINGLE = (str, bytes, bytearray, memoryview, Mapping)


class FileList(MutableList[Any]):
    """The files of a column with ``multiple=True``.

    A list like any other, but what is put into it is stored first, as an
    assignment to a single file's attribute would be; each change is written by
    the next flush, and a file that is taken out goes with the commit.
    """

    @functools.cached_property
    def _parents(self) -> Any:
        return _Rows()

    @classmethod
    def of(cls, store: Callable[[Any], DepotFileInfo], values: Any) -> Self:
        """A list of what is assigned: any iterable of contents and files, or None for no file."""
        return cls(stored_each(store, listed(values)))

    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        super().__setitem__(index, self._stored(value) if isinstance(index, slice) else self._stored([value])[0])

    def append(self, x: Any) -> None:
        super().extend(self._stored([x]))

    def extend(self, x: Iterable[Any]) -> None:
        super().extend(self._stored(x))

    def insert(self, i: SupportsIndex, x: Any) -> None:
        super().insert(i, self._stored([x])[0])

    def _stored(self, values: Iterable[Any]) -> list[Any]:
        """The values as files of the column; as they are while no row has this list."""
        for state, key in self._parents.items():
            files = stored_each(state.mapper.column_attrs[key].columns[0].type.stored, values)
            sessions.adopt_for(state.obj(), files)
            return files
        return list(values)


def listed(values: Any) -> Iterable[Any]:
    """What is given for a list of files; :class:`~depot.errors.InvalidValue` for what is one content by itself."""
    if values is None:
        return ()
    if not isinstance(values, Iterable) or isinstance(values, _SINGLE) or _is_upload(values):
        raise InvalidValue(
            f'a column of many files holds a list of them, not one {type(values).__name__}; '
            'assign [content], or append the content'
        )
    return values


def _is_upload(value: Any) -> bool:
    return hasattr(value, 'read') or (hasattr(value, 'file') and hasattr(value, 'filename'))


def stored_each(store: Callable[[Any], DepotFileInfo], values: Iterable[Any]) -> list[DepotFileInfo]:
    """Stores one value after the other; when one fails, those stored before it are removed."""
    new: list[DepotFileInfo] = []
    files: list[DepotFileInfo] = []
    try:
        for value in values:
            files.append(store(value))
            if files[-1] is not value:
                new.append(files[-1])
    except BaseException:
        for each in new:
            each.discard()
        raise
    return files
