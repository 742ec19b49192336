"""The columns that hold files, and the files in what they hold."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Table, event

from ....errors import InvalidMapping
from ...uploads import Upload, find_upload


class FileColumnType:
    """Marks a column type whose columns hold files.

    Their values are None, objects with ``files`` (a list of paths, as
    ``'storage/id'``), or lists of such objects.
    """

    def has_content(self, value: Any) -> bool:
        """Whether something in the value is to be stored before a statement can send it, by :meth:`coerce_assigned`."""
        raise NotImplementedError

    def coerce_assigned(self, value: Any) -> Any:
        """The value that a column holds of what is assigned; stores what is new in it."""
        raise NotImplementedError


# The keys, not the columns, which would keep their table alive.
_found: weakref.WeakKeyDictionary[Table, tuple[str, ...]] = weakref.WeakKeyDictionary()

# Those with file columns, of whatever metadata.
_tables: weakref.WeakSet[Table] = weakref.WeakSet()


def file_columns(table: Table) -> tuple[Column[Any], ...]:
    """The columns of a table that hold files.

    Raises :class:`~depot.errors.InvalidMapping` for one whose type has ours inside.
    """
    found = _found.get(table)
    if found is None:
        found = _found[table] = tuple(each.key for each in table.c if _holds_files(each))
    return tuple(table.c[each] for each in found)


def tables_with_files() -> list[Table]:
    """All tables of this process that have file columns."""
    return [*_tables]


def after_parent_attach(column: Column[Any], table: Any) -> None:
    """Runs when a table is given a column, which may take the place of another."""
    if isinstance(table, Table):
        _found.pop(table, None)
        if isinstance(column.type, FileColumnType):
            _tables.add(table)


def _holds_files(column: Column[Any]) -> bool:
    if isinstance(column.type, FileColumnType):
        return True
    for each in _inside(column.type):
        if isinstance(each, FileColumnType):
            raise InvalidMapping(
                f'{column} has a {type(each).__name__} inside a {type(column.type).__name__}, where its files cannot '
                f'be followed; derive a type of your own from {type(each).__name__} instead'
            )
    return False


def _inside(column_type: Any) -> Iterator[Any]:
    """What a type is made of: that of a decorator, that of an array's items, and those for other databases."""
    parts = (getattr(column_type, each, None) for each in ('impl_instance', 'item_type'))
    for each in (*parts, *column_type._variant_mapping.values()):
        if each is not None and each is not column_type:
            yield each
            yield from _inside(each)


def infos_of(value: Any) -> Sequence[Any]:
    """The objects that a value of such a column holds."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def files_of(value: Any) -> list[str]:
    """The paths in a value, of which a database may hold anything: what is no path is passed over."""
    return [file for info in infos_of(value) for file in _named(info) if isinstance(file, str)]


def _named(info: Any) -> Sequence[Any]:
    named = getattr(info, 'files', ())
    return named if isinstance(named, (list, tuple)) else ()


def uploads_of(value: Any) -> Iterator[Upload]:
    """The uploads in a value that no transaction has decided about, and those that were lost by a decision."""
    for info in infos_of(value):
        upload: Upload | None = getattr(info, 'upload', None)
        if upload is None:
            upload = find_upload(files_of(info))  # a copy that was made by way of JSON has to be told
            if upload is not None:
                info.upload = upload
        if upload is not None and (upload.undecided or upload.lost):
            yield upload


event.listen(Column, 'after_parent_attach', after_parent_attach)
