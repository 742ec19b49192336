"""Alembic adds the column by itself, and sees no difference afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine

import depot.fields.sqlalchemy
from depot.fields.sqlalchemy import UploadedFileField

OPTIONS: list[dict[str, Any]] = [
    {},
    {'length': 500},
    {'multiple': True},
    {'multiple': True, 'length': 900},
    {'json': True},
    {'json': True, 'multiple': True},
]


@pytest.fixture(params=['sqlite', 'postgresql'])
def database(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Engine]:
    """A database with the table, but without its file column."""
    database = engine if request.param == 'sqlite' else create_engine(request.getfixturevalue('postgres_url'))
    without = MetaData()
    Table('document', without, Column('id', Integer, primary_key=True))
    without.create_all(database)
    yield database
    without.drop_all(database)
    database.dispose()


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_autogenerate_adds_the_column_and_then_finds_nothing_to_do(database: Engine, options: dict[str, Any]) -> None:
    metadata = MetaData()
    Table('document', metadata, Column('id', Integer, primary_key=True), Column('f', UploadedFileField(**options)))
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={'compare_type': True})
        upgrade = produce_migrations(context, metadata).upgrade_ops
        assert upgrade is not None
        code = render_python_code(upgrade)
        assert f'depot.fields.sqlalchemy.{UploadedFileField(**options)!r}' in code
        # As a migration that imports what Alembic's documentation says: the module of the type.
        names = {'op': Operations(context), 'sa': sqlalchemy, 'depot': depot}
        exec('if True:\n' + code, names)
        assert compare_metadata(context, metadata) == []
