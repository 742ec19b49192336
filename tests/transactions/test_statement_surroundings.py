"""Statements among listeners, defaults and other statements, on tables of every shape."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session

from depot.fields.interfaces import FileFilter
from depot.fields.sqlalchemy import UploadedFileField

from .laws import contents, dangles_nowhere, holds, in_memory, named_by_rows, on_every_database
from .models import Base, Document, Note
from .ways import Way

pytestmark = [in_memory, pytest.mark.usefixtures('documents')]

TABLE: Any = Document.__table__
OLD = [b'a', b'b', b'c']


def change_all(way: Way) -> None:
    way.insert(Document, [{'name': 'd', 'content': b'd'}])
    way.update(Document, [{'id': 101, 'content': b'A'}])
    way.delete(Document, 102)


CHANGED = [b'A', b'c', b'd']


# Listeners of applications


@on_every_database
def test_a_listener_may_change_the_statement(way: Way, storage: Any, engine: Engine) -> None:
    def comment(_connection: Any, statement: Any, several: Any, one: Any, _options: Any) -> Any:
        return statement.prefix_with('/* hello */') if hasattr(statement, 'prefix_with') else statement, several, one

    event.listen(engine, 'before_execute', comment, retval=True)
    change_all(way)
    way.commit()
    event.remove(engine, 'before_execute', comment)
    assert holds(storage, engine) == CHANGED


@on_every_database
@pytest.mark.parametrize('moment', ['before_execute', 'before_cursor_execute', 'after_cursor_execute', 'after_execute'])
@pytest.mark.parametrize('what', ['select', 'insert'])
def test_a_listener_may_execute_statements_of_its_own(
    way: Way, storage: Any, engine: Engine, moment: str, what: str
) -> None:
    notes: Any = Note.__table__
    auditing: list[bool] = []

    def audit(connection: Connection, *_: Any, **__: Any) -> None:
        if not auditing:  # its own statement is not audited
            auditing.append(True)
            connection.execute(text('SELECT 1') if what == 'select' else insert(notes).values(content=b'audit'))
            auditing.clear()

    way.execute(text('SELECT 1'))
    event.listen(engine, moment, audit)
    way.update(Document, [{'id': 101, 'content': b'A'}])
    event.remove(engine, moment, audit)
    way.commit()
    assert set(holds(storage, engine)) - {b'audit'} == {b'A', b'b', b'c'}


@on_every_database
def test_a_listener_of_the_commit_that_fails_dangles_no_row(engine: Engine, storage: Any) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    event.listen(engine, 'commit', fail)
    with engine.connect() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'new'))
        with pytest.raises(ZeroDivisionError):
            connection.commit()
    event.remove(engine, 'commit', fail)
    engine.dispose()
    gc.collect()
    dangles_nowhere(storage, engine)


# Statements inside of statements


@pytest.fixture
def audited(engine: Engine) -> Iterator[Table]:
    """A table whose default asks the database, in the middle of the INSERT."""

    def count(context: Any) -> int:
        found: int = context.connection.scalar(select(func.count()).select_from(TABLE))
        return found

    metadata = MetaData()
    table = Table(
        'audited',
        metadata,
        Column('id', Integer, primary_key=True),
        Column('count', Integer, default=count, onupdate=count),
        Column('content', UploadedFileField),
    )
    metadata.create_all(engine)
    yield table
    metadata.drop_all(engine)


@on_every_database
def test_a_default_may_execute_a_statement(engine: Engine, storage: Any, audited: Table) -> None:
    with engine.begin() as connection:
        connection.execute(insert(audited).values(content=b'1'))
        connection.execute(insert(audited), [{'content': b'2'}, {'content': b'3'}])
        connection.execute(update(audited).where(audited.c.id == 1).values(content=b'4'))
    with engine.begin() as connection:
        found = connection.scalars(select(audited.c.content).order_by(audited.c.id)).all()
        assert [each.file.read() for each in found] == [b'4', b'2', b'3']
        connection.execute(delete(audited))
    assert holds(storage, engine) == OLD


@on_every_database
def test_an_insert_may_copy_a_file_by_a_subquery(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    copied = select(columns.content).where(columns.id == 101).scalar_subquery()
    way.execute(insert(way.target(Note)).values(content=copied))
    way.delete(Document, 101)
    way.commit()
    assert holds(storage, engine) == OLD


# After a refused statement


@on_every_database
def test_a_connection_that_is_forgotten_after_a_refused_statement_is_rolled_back(engine: Engine, storage: Any) -> None:
    def work() -> None:
        connection = engine.connect()
        connection.execute(insert(TABLE).values(content=b'new'))
        with pytest.raises(IntegrityError):
            connection.execute(insert(TABLE).values(name='a', content=b'again'))

    work()
    gc.collect()
    assert holds(storage, engine) == OLD


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
def test_a_savepoint_that_cannot_be_released_changes_nothing(engine: Engine, storage: Any) -> None:
    with engine.connect() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == 102).values(content=b'B'))
        savepoint = connection.begin_nested()
        connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=b'A'))
        with pytest.raises(IntegrityError):
            connection.execute(insert(TABLE).values(name='a', content=b'again'))
        with pytest.raises(DBAPIError):
            savepoint.commit()
        connection.commit()
    assert holds(storage, engine) == OLD


@on_every_database
def test_a_session_that_may_not_begin_stores_nothing(engine: Engine, storage: Any) -> None:
    with Session(engine, autobegin=False) as session, pytest.raises(InvalidRequestError):
        session.execute(insert(Document).values(content=b'new'))
    gc.collect()
    assert holds(storage, engine) == OLD


# The same tables in another schema


@pytest.fixture
def tenant(engine: Engine) -> Iterator[Engine]:
    """The engine for the tables in the schema ``tenant``; its document 101 has the file ``theirs``."""
    tenant = engine.execution_options(schema_translate_map={None: 'tenant'})
    with engine.begin() as connection:
        connection.execute(text('CREATE SCHEMA tenant'))
    Base.metadata.create_all(tenant)
    with Session(tenant) as session:
        session.add(Document(id=101, content=b'theirs'))
        session.commit()
    yield tenant
    with engine.begin() as connection:
        connection.execute(text('DROP SCHEMA tenant CASCADE'))


OTHER_SCHEMA: Any = {'schema_translate_map': {None: 'tenant'}}


@pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
@pytest.mark.parametrize('told', ['statement', 'execution', 'connection'])
@pytest.mark.parametrize('change', ['update', 'delete', 'many', 'copy'])
def test_another_schema_has_files_of_its_own(
    engine: Engine, tenant: Engine, storage: Any, told: str, change: str
) -> None:
    if (told, change) == ('execution', 'many'):
        pytest.skip('impossible here: SQLAlchemy itself does not pass these options on to an UPDATE by primary key')
    copied = select(TABLE.c.content).where(TABLE.c.id == 101).scalar_subquery()
    statement: Any = {
        'update': update(Document).where(Document.id == 101).values(content=b'new'),
        'delete': delete(Document).where(Document.id == 101),
        'many': update(Document),
        'copy': update(Document).where(Document.id == 101).values(scan=copied, content=None),
    }[change]
    parameters = [{'id': 101, 'content': b'new'}] if change == 'many' else None
    if told == 'statement':
        statement = statement.execution_options(**OTHER_SCHEMA)
    options = OTHER_SCHEMA if told == 'execution' else {}
    with Session(tenant if told == 'connection' else engine) as session:
        session.execute(statement, parameters, execution_options=options)
        session.commit()
    with engine.connect() as connection:
        assert len([*named_by_rows(connection)]) == 3
    left = {'update': [b'new'], 'delete': [], 'many': [b'new'], 'copy': [b'theirs']}[change]
    assert contents(storage) == sorted(OLD + left)


# Tables of every shape


class Doubling(FileFilter):
    """Stores the file a second time."""

    def on_save(self, uploaded_file: Any) -> None:
        uploaded_file.store_content(b'derived')


metadata = MetaData()
KEYLESS = Table('keyless', metadata, Column('name', String(9)), Column('content', UploadedFileField))
COMPOSITE = Table(
    'composite',
    metadata,
    Column('left', Integer, primary_key=True),
    Column('right', Integer, primary_key=True),
    Column('content', UploadedFileField),
)
RENAMED = Table(
    'renamed',
    metadata,
    Column('ident', Integer, primary_key=True, key='id'),
    Column('file', UploadedFileField, key='content'),
)
FILTERED = Table(
    'filtered',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('content', UploadedFileField(filters=[Doubling()])),
)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    metadata.drop_all(engine)


def stored(connection: Connection, table: Table) -> list[bytes]:
    """The contents that rows of the table have."""
    values = connection.scalars(select(table.c.content)).all()
    return sorted(each.file.read() for each in values if each is not None)


@on_every_database
def test_a_table_without_a_key_dangles_no_row(connection: Connection, storage: Any) -> None:
    connection.execute(insert(KEYLESS), [{'name': each, 'content': each.encode()} for each in 'xyz'])
    connection.commit()
    connection.execute(update(KEYLESS).where(KEYLESS.c.name == 'x').values(content=b'X'))
    connection.execute(delete(KEYLESS).where(KEYLESS.c.name == 'y'))
    connection.commit()
    assert stored(connection, KEYLESS) == [b'X', b'z']
    connection.execute(insert(KEYLESS).values(name='w', content=b'w'))
    connection.rollback()
    assert b'w' not in contents(storage)
    assert stored(connection, KEYLESS) == [b'X', b'z']


@on_every_database
def test_rubbish_in_a_table_without_a_key_can_be_mended(connection: Connection, storage: Any) -> None:
    for name in 'xy':
        connection.execute(text("INSERT INTO keyless VALUES (:name, 'no JSON')"), {'name': name})
    connection.execute(update(KEYLESS).where(KEYLESS.c.name == 'x').values(content=b'x'))
    connection.execute(delete(KEYLESS).where(KEYLESS.c.name == 'y'))
    connection.commit()
    assert stored(connection, KEYLESS) == [b'x']


@on_every_database
def test_a_key_of_several_columns_is_followed(connection: Connection, storage: Any) -> None:
    rows = [{'left': n % 3, 'right': n, 'content': b'%d' % n} for n in range(6)]
    connection.execute(insert(COMPOSITE), rows)
    connection.commit()
    where = COMPOSITE.c.left == bindparam('l'), COMPOSITE.c.right == bindparam('r')
    sets = [{'l': n % 3, 'r': n, 'content': b'new %d' % n} for n in range(3)]
    connection.execute(update(COMPOSITE).where(*where).values(content=bindparam('content')), sets)
    connection.execute(delete(COMPOSITE).where(*where), [{'l': n % 3, 'r': n} for n in (3, 4)])
    connection.commit()
    assert contents(storage) == sorted([*OLD, b'new 0', b'new 1', b'new 2', b'5'])


@on_every_database
def test_a_column_is_found_by_its_key(connection: Connection, storage: Any) -> None:
    connection.execute(insert(RENAMED).values(id=1, content=b'1'))
    connection.execute(insert(RENAMED), [{'id': 2, 'content': b'2'}, {'id': 3, 'content': b'3'}])
    connection.execute(insert(RENAMED).values([(4, b'4')]))
    connection.commit()
    connection.execute(update(RENAMED).where(RENAMED.c.id == 1).values({RENAMED.c.content: b'one'}))
    connection.execute(update(RENAMED).where(RENAMED.c.id == 2), {'content': None})
    connection.commit()
    assert contents(storage) == sorted([*OLD, b'one', b'3', b'4'])


@on_every_database
def test_the_filters_of_a_column_run_for_statements_too(connection: Connection, storage: Any) -> None:
    connection.execute(insert(FILTERED).values(id=1, content=b'1'))
    connection.commit()
    assert contents(storage) == sorted([*OLD, b'1', b'derived'])
    connection.execute(update(FILTERED).values(content=b'2'))
    connection.rollback()
    assert contents(storage) == sorted([*OLD, b'1', b'derived'])
    connection.execute(delete(FILTERED))
    connection.commit()
    assert contents(storage) == OLD
