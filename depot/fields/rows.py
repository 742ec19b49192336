"""The files that the rows of an application hold, with the variants of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, MetaData, select, type_coerce
from sqlalchemy.types import NullType

from ..transactions.drivers.sqlalchemy.columns import file_columns, infos_of
from .variants import Variants

# Rows to fetch at a time.
_PAGE = 1000


class Held(NamedTuple):
    """What one file column of one row holds."""

    #: ``table.column``.
    column: str
    #: The paths of its files (``'storage/id'``), without what belongs to them.
    paths: list[str]
    #: The variants of the column.
    variants: Variants
    #: What went wrong when it was read, if it cannot be.
    error: Exception | None = None


def held(connection: Connection, metadatas: Iterable[MetaData]) -> Iterator[Held]:
    """What all file columns of all rows hold; one that cannot be read stops nothing."""
    for column in columns_with_files(metadatas):
        yield from _held(connection, column)


def columns_with_files(metadatas: Iterable[MetaData]) -> Iterator[Column[Any]]:
    """All file columns, in an order in which tables can be made."""
    for metadata in metadatas:
        for table in metadata.sorted_tables:
            yield from file_columns(table)


def variants_of(column: Column[Any]) -> Variants:
    """The variants that a file column gives names to; types that are not ours have none."""
    return getattr(column.type, 'variants', {})


def _held(connection: Connection, column: Column[Any]) -> Iterator[Held]:
    name = f'{column.table.fullname}.{column.name}'
    dialect = connection.dialect
    process = column.type.dialect_impl(dialect).result_processor(dialect, None)
    value = type_coerce(column, NullType())  # as the driver gives it: one bad row must not stop us
    statement = select(value).where(column.is_not(None))
    with connection.execute(statement, execution_options={'yield_per': _PAGE}) as rows:
        for (stored,) in rows:
            try:
                infos = infos_of(process(stored) if process else stored)
                yield Held(name, [each.path for each in infos], variants_of(column))
            except Exception as error:
                yield Held(name, [], variants_of(column), error)
