"""What must hold at rest: the storage has the files that rows name, whole, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from depot.fields.sqlalchemy import UploadedFileField

from . import models

on_every_database = pytest.mark.parametrize('engine', ['sqlite', 'postgresql', 'mariadb'], indirect=True)
in_memory = pytest.mark.parametrize('storage', ['memory'], indirect=True)

#: By their names in the database: all columns of the models that hold files.
FILE_COLUMNS = [
    (table.name, column.name)
    for base in (models.Base, models.OtherBase)
    for table in base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, UploadedFileField)
]


def contents(storage: Any) -> list[bytes]:
    """What the storage holds, sorted."""
    found = []
    for each in storage.list():
        with storage.get(each) as file:
            found.append(file.read())
    return sorted(found)


def holds(storage: Any, *engines: Engine) -> list[bytes]:
    """What the storage holds, sorted; fails unless that is what the committed rows name, no less and no more."""
    named = dangles_nowhere(storage, *engines)
    assert set(storage.list()) - named == set(), 'a file without a row'
    return contents(storage)


def dangles_nowhere(storage: Any, *engines: Engine) -> set[str]:
    """The ids of the files that committed rows name; fails unless the storage has all of them."""
    named: set[str] = set()
    for engine in engines:
        with engine.connect() as connection:
            named.update(named_by_rows(connection))
    assert named - set(storage.list()) == set(), 'a row without its file'
    return named


def named_by_rows(connection: Connection) -> Iterator[str]:
    """The ids of the files that rows name, as this connection sees them: read as they are stored."""
    for table, column in FILE_COLUMNS:
        for value in connection.exec_driver_sql(f'SELECT {column} FROM {table}').scalars():
            yield from ids_in(value)


def ids_in(value: Any) -> Iterator[str]:
    """The ids in a stored text, or in what a driver parsed already."""
    decoded = json.loads(value) if isinstance(value, str) else value
    for info in decoded if isinstance(decoded, list) else [decoded]:
        if info is not None:
            yield from (file.partition('/')[2] for file in info['files'])
