"""Alembic makes the ledger's table and its triggers, and sees no difference afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Engine, Integer, MetaData, Table, select, text

from depot.fields.sqlalchemy import UploadedFileField
from depot.transactions.ledger import Ledger


@pytest.fixture(params=['sqlite', 'postgresql', 'mariadb'])
def engine(request: pytest.FixtureRequest, make_engine: Callable[..., Engine]) -> Engine:
    return make_engine(request.param)


@pytest.fixture
def metadata(engine: Engine) -> Iterator[MetaData]:
    metadata = MetaData()
    yield metadata
    metadata.drop_all(engine)


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Only what this test makes: other tests left tables as well."""
    return kind != 'table' or name in ('depot_ledger', 'shelf')


def test_autogenerate_makes_the_table_and_then_finds_nothing_to_do(engine: Engine, metadata: MetaData) -> None:
    Ledger(metadata)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={'compare_type': True, 'include_name': _is_ours})
        upgrade = produce_migrations(context, metadata).upgrade_ops
        assert upgrade is not None
        code = render_python_code(upgrade, render_as_batch=False)
        names = {'op': Operations(context), 'sa': sqlalchemy}
        exec('if True:\n' + '\n'.join(_imports_of(code)) + code, names)
        assert compare_metadata(context, metadata) == []


def _imports_of(code: str) -> list[str]:
    """Those that Alembic writes at the head of a migration."""
    kinds = [each for each in ('mysql', 'postgresql', 'sqlite') if f'{each}.' in code]
    return [f'    from sqlalchemy.dialects import {each}\n' for each in kinds]


@pytest.mark.parametrize('execute', ['create_triggers', 'trigger_ddl'])
def test_a_migration_makes_the_triggers(engine: Engine, metadata: MetaData, execute: str) -> None:
    Table('shelf', metadata, Column('id', Integer, primary_key=True), Column('content', UploadedFileField))
    ledger = Ledger(metadata)
    metadata.create_all(engine)
    with engine.begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        if execute == 'create_triggers':
            ledger.create_triggers(op.get_bind())
        else:
            for statement in ledger.trigger_ddl(op.get_bind().dialect):
                op.execute(statement)
    with engine.begin() as connection:
        connection.execute(text("""INSERT INTO shelf (content) VALUES ('{"files": ["default/1"]}')"""))
        assert connection.scalars(select(ledger.table.c.file)).all() == ['default/1']
        ledger.drop_triggers(connection)
