"""Reads the file columns of all rows: one at a time, and whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Table, or_, select, type_coerce
from sqlalchemy.types import NullType

from ...manager import DepotManager
from ..drivers.sqlalchemy.columns import file_columns, files_of, infos_of
from ..drivers.sqlalchemy.criteria import equal

# Rows to fetch at a time.
_PAGE = 1000


class Place(NamedTuple):
    """One file column of one row."""

    table: str
    column: str
    #: Empty for a table that has none.
    primary_key: tuple[Any, ...]

    def __str__(self) -> str:
        return f'{self.table}.{self.column} of row {", ".join(map(str, self.primary_key)) or "?"}'


class Held(NamedTuple):
    """What such a place holds."""

    place: Place
    #: The paths of its files, each once.
    files: set[str]
    #: What went wrong when it was read, if it cannot be.
    error: Exception | None


def read_all(connection: Connection, table: Table) -> Iterator[Held]:
    """What the file columns of a table hold, as far as it is anything."""
    columns = file_columns(table)
    values = [type_coerce(each, NullType()) for each in columns]  # as the driver gives it: one bad row must not stop us
    statement = select(*table.primary_key, *values).where(or_(*(each.is_not(None) for each in columns)))
    return _read(connection, table, statement)


def read_one(connection: Connection, table: Table, primary_key: tuple[Any, ...]) -> Iterator[Held]:
    """What the file columns of one row hold now."""
    values = [type_coerce(each, NullType()) for each in file_columns(table)]
    statement = select(*table.primary_key, *values).where(equal(table.primary_key, primary_key))
    return _read(connection, table, statement)


def _read(connection: Connection, table: Table, statement: Any) -> Iterator[Held]:
    columns = file_columns(table)
    readers = [_reader(each, connection) for each in columns]
    with connection.execute(statement, execution_options={'yield_per': _PAGE}) as rows:
        for row in rows:
            primary_key = tuple(row[: len(row) - len(columns)])
            for column, read, value in zip(columns, readers, row[len(primary_key) :], strict=True):
                yield _held(Place(table.fullname, column.name, primary_key), read, value)


def _held(place: Place, read: Callable[[Any], Any], value: Any) -> Held:
    try:
        return Held(place, _files_in(read(value)), None)
    except Exception as error:
        return Held(place, set(), error)


def _files_in(value: Any) -> set[str]:
    """The paths in a value: those that it lists, and those by which it can be read all the same."""
    unlisted = (file for info in infos_of(value) if isinstance(info, Mapping) for file in _ways_to(info))
    return {*files_of(value), *(each for each in unlisted if DepotManager.get(each.partition('/')[0]) is not None)}


def _ways_to(info: Mapping[str, Any]) -> Iterator[str]:
    """``depot_name`` and ``file_id``; ``path``, ``thumbnail_path`` and whatever else a filter has added."""
    yield f'{info.get("depot_name")}/{info.get("file_id") or ""}'
    for key, value in info.items():
        if key.endswith('path') and isinstance(value, str):
            yield value


def _reader(column: Column[Any], connection: Connection) -> Callable[[Any], Any]:
    """What makes of the driver's value what the application gets to see."""
    dialect = connection.dialect
    process = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return process or (lambda value: value)
