"""Which table a statement changes, and which of its columns the statement means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.dml import UpdateBase

from .columns import FileColumnType, file_columns


class Target:
    """The table that a statement changes, by all the names that a statement can use for its columns."""

    def __init__(self, statement: UpdateBase) -> None:
        #: The mapped class that the statement is about, if it is.
        self.mapper: Mapper[Any] | None = statement.table._annotations.get('parentmapper')
        self.table: Any = _real_table(self.mapper, statement)
        self.file_columns = _file_columns(self.table)
        #: By the names that parameters can have: the columns that hold files, of all tables of the mapped class.
        self.files: dict[str, Any] = {each.key: each for each in self.file_columns}
        if self.mapper and any(map(_file_columns, self.mapper.tables)):
            self.files.update(_file_attributes(self.mapper))

    def column(self, key: Any) -> Column[Any] | None:
        """The column that is meant by an attribute, a column, or the name of either; None if the table has it not."""
        if isinstance(key, str) and self.mapper and key in self.mapper.column_attrs:
            columns: Any = self.mapper.column_attrs[key].columns
            return next((each for each in columns if each.table is self.table), None)
        found: Column[Any] | None = self.table.c.get(key if isinstance(key, str) else clause(key).key)
        return found

    def file_column(self, key: Any) -> Column[Any] | None:
        """The column that holds files and is meant; one of another table of the mapped class too."""
        return self.files.get(key if isinstance(key, str) else clause(key).key)


def target_of(statement: UpdateBase) -> Target | None:
    """The target; None if the table has no file columns, which has to be told fast: most have none."""
    if not statement._propagate_attrs and not _file_columns(statement.table):
        return None
    target = Target(statement)
    return target if target.file_columns else None


def schema_options(*options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of these execution options that say in which schema a table is; the last ones count."""
    return {name: value for each in options for name, value in each.items() if name == 'schema_translate_map'}


def schema_of(table: Any, *options: Mapping[str, Any]) -> str | None:
    """The schema that a table is in, with these execution options."""
    schemas = schema_options(*options).get('schema_translate_map') or {}
    schema: str | None = schemas.get(table.schema, table.schema)
    return schema


def _file_columns(table: Any) -> tuple[Column[Any], ...]:
    return file_columns(table) if isinstance(table, Table) else ()


def _file_attributes(mapper: Mapper[Any]) -> Iterator[tuple[str, Any]]:
    for attribute in mapper.column_attrs:
        if isinstance(attribute.columns[0].type, FileColumnType):
            yield attribute.key, attribute.columns[0]


def _real_table(mapper: Mapper[Any] | None, statement: UpdateBase) -> Any:
    """The table itself: a statement about a mapped class has a copy of it, which is equal."""
    told = statement._annotations  # where a bulk statement about a class with several tables means one of them
    table = told.get('_emit_update_table', told.get('_emit_insert_table', statement.table))
    if mapper is None:
        return table
    tables: Any = mapper.tables
    # A class that is always loaded with its subclasses is a join, of which the statement changes the class's own table.
    return next((each for each in tables if hash(each) == hash(table)), mapper.local_table)


def clause(value: Any) -> Any:
    """What an attribute of a mapped class stands for in SQL; anything else itself."""
    return value.__clause_element__() if hasattr(type(value), '__clause_element__') else value
