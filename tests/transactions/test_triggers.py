"""The database counts by itself: raw SQL, cascades, rubbish."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import mssql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateSchema, DropSchema

from depot.errors import ConfigurationError
from depot.fields.sqlalchemy import UploadedFileField
from depot.transactions.drivers.sqlalchemy.columns import file_columns
from depot.transactions.ledger import Ledger

A, B, C = (f'default/019aa5e0-0000-7000-8000-00000000000{each}' for each in 'abc')
DATABASES = ['sqlite', 'postgresql', 'mariadb']

#: More than a name may have.
LONG = 'l' * 60


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, make_engine: Callable[..., Engine]) -> Engine:
    return make_engine(request.param)


@pytest.fixture
def metadata() -> MetaData:
    """Tables of each shape, with names that need quotes."""
    metadata = MetaData()
    Table('Order', metadata, Column('id', Integer, primary_key=True))
    Table(
        'Group',
        metadata,
        Column('id', Integer, primary_key=True),
        Column('Order', ForeignKey('Order.id', ondelete='CASCADE')),
        Column('Select', UploadedFileField),
        Column('scan', UploadedFileField(json=True)),
    )
    Table('shelf', metadata, Column('id', Integer, primary_key=True), Column('f', UploadedFileField(multiple=True)))
    Table(LONG, metadata, Column('id', Integer, primary_key=True), Column('f', UploadedFileField(multiple=True)))
    return metadata


@pytest.fixture
def ledger(engine: Engine, metadata: MetaData) -> Iterator[Ledger]:
    ledger = Ledger(metadata, triggers=True)
    metadata.create_all(engine)
    yield ledger
    metadata.drop_all(engine)


@pytest.fixture
def run(engine: Engine) -> Callable[..., None]:
    """Commits one statement of raw SQL; values are encoded as JSON."""

    def run(statement: str, **values: Any) -> None:
        encoded = {name: each if isinstance(each, (int, str)) else json.dumps(each) for name, each in values.items()}
        quote = '`' if engine.dialect.name == 'mariadb' else '"'
        with engine.begin() as connection:
            connection.execute(text(statement.replace('"', quote)), encoded)

    return run


@pytest.fixture
def counts(engine: Engine, ledger: Ledger) -> Callable[[], dict[str, Any]]:
    def counts() -> dict[str, Any]:
        with engine.connect() as connection:
            return {each.file: each.refs for each in connection.execute(select(ledger.table))}

    return counts


@pytest.fixture
def known(engine: Engine, ledger: Ledger) -> None:
    """All files are in the ledger, and no row refers to one."""
    entry = {'refs': 0, 'state': 'live', 'since': text('CURRENT_TIMESTAMP'), 'attempts': 0}
    with engine.begin() as connection:
        for file in A, B, C:
            connection.execute(insert(ledger.table).values(file=file, **entry))


def info(*files: str, **more: Any) -> dict[str, Any]:
    return {'files': files, 'filename': 'Café%s:x "\\ \0 \udc80 \\u0000', **more}


def test_a_file_that_only_triggers_saw_is_not_counted(run: Any, counts: Any) -> None:
    run('INSERT INTO "Group" (id, "Select") VALUES (1, :f)', f=info(A, B))
    assert counts() == {A: None, B: None}
    run('DELETE FROM "Group"')
    assert counts() == {A: None, B: None}


def test_the_transaction_that_stored_it_counts_it(engine: Engine, ledger: Ledger, metadata: Any, counts: Any) -> None:
    with engine.begin() as connection:
        content = UploadedFileField().upload_type(info(A, depot_name='default'))
        connection.execute(insert(metadata.tables['Group']).values(Select=content))
        assert ledger.write(connection, {A: 1}, {A}) == set()
    assert counts() == {A: 1}


def test_one_that_did_not_stay_may_go(engine: Engine, ledger: Ledger, counts: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(ledger.metadatas[0].tables['shelf']).values(f=[]))
        for files in [info(A)], []:
            connection.execute(text('UPDATE shelf SET f = :f'), {'f': json.dumps(files)})
        assert ledger.write(connection, {A: 0}, {A}) == {A}
        assert connection.scalar(select(ledger.table.c.state)) == 'marked'


@pytest.mark.usefixtures('known')
def test_every_statement_counts(run: Any, counts: Any) -> None:
    run(
        'INSERT INTO "Group" (id, "Select", scan) VALUES (1, :f, :g), (2, NULL, :h)',
        f=info(A),
        g=info(A, filename=''),
        h=info(B, C, filename=''),
    )
    assert counts() == {A: 2, B: 1, C: 1}
    run('UPDATE "Group" SET "Select" = :f', f=info(A, C))
    assert counts() == {A: 3, B: 1, C: 3}
    run('UPDATE "Group" SET id = id + 10')
    assert counts() == {A: 3, B: 1, C: 3}
    run('UPDATE "Group" SET scan = NULL')
    assert counts() == {A: 2, B: 0, C: 2}
    run('DELETE FROM "Group" WHERE id = 11')
    assert counts() == {A: 1, B: 0, C: 1}


@pytest.mark.usefixtures('known')
def test_a_list_of_files_counts_each_once(run: Any, counts: Any) -> None:
    run('INSERT INTO shelf (id, f) VALUES (1, :f)', f=[info(A), info(B, A)])
    assert counts() == {A: 1, B: 1, C: 0}
    run('UPDATE shelf SET f = :f', f=[info(B), info(C)])
    assert counts() == {A: 0, B: 1, C: 1}


@pytest.mark.usefixtures('known')
def test_a_table_with_a_long_name_counts_too(run: Any, counts: Any) -> None:
    run(f'INSERT INTO {LONG} (id, f) VALUES (1, :f)', f=[info(A)])
    run(f'UPDATE {LONG} SET f = :f', f=[info(B)])
    assert counts() == {A: 0, B: 1, C: 0}


@pytest.mark.usefixtures('known')
def test_a_cascade_of_the_database_counts(run: Any, counts: Any, engine: Engine) -> None:
    run('INSERT INTO "Order" (id) VALUES (1)')
    run('INSERT INTO "Group" (id, "Order", "Select") VALUES (1, 1, :f)', f=info(A))
    if engine.dialect.name == 'sqlite':
        with contextlib.closing(engine.raw_connection()) as connection:  # the pool has only this one
            connection.cursor().execute('PRAGMA foreign_keys = ON')
    run('DELETE FROM "Order"')
    expected = 1 if engine.dialect.name == 'mariadb' else 0  # its cascades set off no trigger
    assert counts() == {A: expected, B: 0, C: 0}


@pytest.mark.usefixtures('known')
@pytest.mark.parametrize(
    'rubbish',
    [
        '',
        'no json',
        '[',
        'null',
        '1',
        '"text"',
        '[1, "text", null, [[]], {}]',
        '{"files": null}',
        '{"files": "text"}',
        '{"files": {"a": 1}}',
        '{"files": [1, null, "", "/", "a/", "/a", ["a/b"], {"a": "b/c"}]}',
        json.dumps({'files': ['a/' + 'b' * 300]}),
        '[[{"files": ["a/b"]}]]',
        '{"x": {"files": ["a/b"]}}',
    ],
)
def test_rubbish_stops_no_statement_and_counts_nothing(run: Any, counts: Any, rubbish: str) -> None:
    run('INSERT INTO "Group" (id, "Select") VALUES (1, :f)', f=rubbish)
    run('UPDATE "Group" SET "Select" = :f', f=info(A))
    assert counts() == {A: 1, B: 0, C: 0}
    run('UPDATE "Group" SET "Select" = :f', f=rubbish)
    run('DELETE FROM "Group"')
    assert counts() == {A: 0, B: 0, C: 0}


@pytest.mark.usefixtures('known')
def test_no_row_can_refer_to_a_file_that_is_to_be_removed(run: Any, counts: Any) -> None:
    run("UPDATE depot_ledger SET state = 'marked' WHERE file = :f", f=A)
    with pytest.raises(IntegrityError, match='a row cannot refer to a file that an earlier commit removed'):
        run('INSERT INTO "Group" (id, "Select") VALUES (1, :f)', f=info(B, A))
    assert counts() == {A: 0, B: 0, C: 0}


@pytest.mark.usefixtures('known')
def test_a_count_of_the_database_decides_what_may_go(run: Any, engine: Engine, ledger: Ledger) -> None:
    run('INSERT INTO shelf (id, f) VALUES (1, :f), (2, :g)', f=[info(A)], g=[info(B)])
    run('INSERT INTO shelf (id, f) VALUES (3, :f)', f=[info(A)])
    with engine.begin() as connection:
        connection.execute(text('DELETE FROM shelf WHERE id < 3'))
        assert ledger.write(connection, {A: -1, B: -1}, set()) == {B}


def test_a_count_that_was_never_complete_decides_nothing(run: Any, engine: Engine, ledger: Ledger, counts: Any) -> None:
    with engine.begin() as connection:
        ledger.drop_triggers(connection)
    run('INSERT INTO shelf (id, f) VALUES (1, :f), (2, :f)', f=[info(A)])
    with engine.begin() as connection:
        ledger.create_triggers(connection)
    with engine.begin() as connection:
        connection.execute(text('DELETE FROM shelf WHERE id = 1'))
        assert ledger.write(connection, {A: -1}, set()) == set()
    assert counts() == {A: None}


@pytest.mark.usefixtures('known')
def test_replacing_a_row_in_one_statement_counts(run: Any, counts: Any, engine: Engine) -> None:
    run('INSERT INTO shelf (id, f) VALUES (1, :f)', f=[info(A)])
    upsert = (
        'ON DUPLICATE KEY UPDATE f = :f'
        if engine.dialect.name == 'mariadb'
        else 'ON CONFLICT (id) DO UPDATE SET f = :f'
    )
    run(f'INSERT INTO shelf (id, f) VALUES (1, :f) {upsert}', f=[info(B)])
    assert counts() == {A: 0, B: 1, C: 0}
    if engine.dialect.name != 'postgresql':
        run('REPLACE INTO shelf (id, f) VALUES (1, :f)', f=[info(C)])
        unseen = 1 if engine.dialect.name == 'sqlite' else 0  # without PRAGMA recursive_triggers
        assert counts() == {A: 0, B: unseen, C: 1}


def test_triggers_can_be_made_again_and_removed(engine: Engine, ledger: Ledger, run: Any, counts: Any) -> None:
    with engine.begin() as connection:
        ledger.create_triggers(connection)
        for statement in ledger.trigger_ddl(engine.dialect):
            connection.execute(text(statement))  # as Alembic does
    run('INSERT INTO shelf (id, f) VALUES (1, :f)', f=[info(A)])
    assert counts() == {A: None}
    with engine.begin() as connection:
        ledger.drop_triggers(connection)
        ledger.drop_triggers(connection)
    run('INSERT INTO shelf (id, f) VALUES (2, :f)', f=[info(B)])
    assert counts() == {A: None}


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_no_function_outlives_its_tables(engine: Engine, ledger: Ledger) -> None:
    ours = text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'depot_ledger%'")
    with engine.connect() as connection:
        assert connection.scalar(ours) == 4
        connection.rollback()
        ledger.metadatas[0].drop_all(engine)
        assert connection.scalar(ours) == 0


def test_tables_outlive_the_ledger(engine: Engine, ledger: Ledger, run: Any) -> None:
    ledger.table.drop(engine)
    run('INSERT INTO shelf (id, f) VALUES (1, :f)', f=[info(A)])


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_ledger_and_tables_may_be_in_a_schema(engine: Engine) -> None:
    metadata = MetaData(schema='Else where')
    shelf = Table('shelf', metadata, Column('id', Integer, primary_key=True), Column('f', UploadedFileField))
    ledger = Ledger(metadata, triggers=True)
    with engine.begin() as connection:
        connection.execute(CreateSchema('Else where'))
    metadata.create_all(engine)
    try:
        with engine.begin() as connection:
            connection.execute(insert(shelf).values(f=UploadedFileField().upload_type(info(A, depot_name='default'))))
            ledger.write(connection, {A: 1}, {A})
            assert connection.scalars(select(ledger.table.c.refs)).all() == [1]
            connection.execute(shelf.delete())
            assert connection.scalars(select(ledger.table.c.refs)).all() == [0]
    finally:
        metadata.drop_all(engine)
        with engine.begin() as connection:
            connection.execute(DropSchema('Else where', cascade=engine.dialect.name == 'postgresql'))


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_tables_in_different_schemas_may_have_one_name(engine: Engine) -> None:
    metadata = MetaData()
    ledger = Ledger(metadata, triggers=True)
    names = {None: 'f', 'one': 'g', 'Two': 'Other "col" %s'}
    files = dict(zip(names, (A, B, C), strict=True))
    for schema, column in names.items():
        columns = Column('id', Integer, primary_key=True), Column(column, UploadedFileField)
        Table('shelf', metadata, *columns, schema=schema)
    with engine.begin() as connection:
        for schema in filter(None, names):
            connection.execute(CreateSchema(schema))
    try:
        metadata.create_all(engine)
        with engine.begin() as connection:
            for table in filter(file_columns, metadata.sorted_tables):
                content = UploadedFileField().upload_type(info(files[table.schema], depot_name='default'))
                connection.execute(insert(table).values({file_columns(table)[0]: content}))
            entries = select(ledger.table.c.file).order_by(ledger.table.c.file)
            assert connection.scalars(entries).all() == [A, B, C]
        metadata.drop_all(engine)
    finally:
        with engine.begin() as connection:
            for schema in filter(None, names):
                connection.execute(DropSchema(schema, cascade=True))


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_a_writer_may_look_for_tables_elsewhere(engine: Engine, ledger: Ledger, counts: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = ''"))
        connection.execute(text('INSERT INTO public.shelf (id, f) VALUES (1, :f)'), {'f': json.dumps([info(A)])})
    assert counts() == {A: None}


@pytest.mark.parametrize('engine', ['sqlite', 'mariadb'], indirect=True)
def test_a_ledger_that_triggers_would_not_find_is_refused(engine: Engine) -> None:
    metadata = MetaData()
    ledger = Ledger(metadata, triggers=True)
    Table('shelf', metadata, Column('id', Integer, primary_key=True), Column('f', UploadedFileField), schema='aside')
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == 'sqlite'
        connection.execute(text("ATTACH ':memory:' AS aside" if is_sqlite else 'CREATE DATABASE aside'))
        for make in metadata.create_all, ledger.create_triggers:
            with pytest.raises(ConfigurationError, match='triggers of aside.shelf do not find depot_ledger, which'):
                make(connection)
        metadata.drop_all(connection)
        connection.rollback()
        if not is_sqlite:
            connection.execute(text('DROP DATABASE aside'))


@pytest.mark.parametrize('engine', ['sqlite'], indirect=True)
def test_a_map_of_schemas_is_refused(engine: Engine, metadata: MetaData) -> None:
    Ledger(metadata, triggers=True)
    mapped = engine.execution_options(schema_translate_map={None: 'main'})
    with pytest.raises(ConfigurationError, match='triggers know no schema_translate_map; make the tables with'):
        metadata.create_all(mapped)


@pytest.mark.parametrize('triggered', [True, False], ids=['created', 'by hand'])
def test_any_name_may_have_a_percent_sign(engine: Engine, triggered: bool) -> None:
    metadata = MetaData()
    column = Column('100%s', UploadedFileField)
    shelf = Table('50%', metadata, Column('id', Integer, primary_key=True), column)
    ledger = Ledger(metadata, name='%(ledger)s', triggers=triggered)
    metadata.create_all(engine)
    try:
        with engine.begin() as connection:
            if not triggered:
                for each in ledger.trigger_ddl(engine.dialect):
                    connection.execute(text(each.replace(':', r'\:')))
            content = UploadedFileField().upload_type(info(A, depot_name='default'))
            connection.execute(insert(shelf).values({column: content}))
            ledger.drop_triggers(connection)
            assert connection.scalars(select(ledger.table.c.file)).all() == [A]
    finally:
        metadata.drop_all(engine)


def test_another_kind_of_database_is_refused() -> None:
    metadata = MetaData()
    Table('shelf', metadata, Column('f', UploadedFileField))
    ledger = Ledger(metadata, triggers=True)
    with pytest.raises(ConfigurationError, match='no triggers for mssql; only for: sqlite, postgresql, mariadb, mysql'):
        ledger.trigger_ddl(mssql.dialect())
