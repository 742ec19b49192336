"""INSERT that may become an UPDATE, or nothing, in the three dialects' words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Index, Integer, MetaData, String, Table, case, func, insert, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from depot.fields.sqlalchemy import UploadedFileField

from .laws import contents, holds, in_memory
from .models import Document
from .ways import Way

pytestmark = [in_memory, pytest.mark.usefixtures('documents')]

on_conflict = pytest.mark.parametrize('engine', ['sqlite', 'postgresql'], indirect=True)
on_mariadb = pytest.mark.parametrize('engine', ['mariadb'], indirect=True)
on_sqlite = pytest.mark.parametrize('engine', ['sqlite'], indirect=True)

KEYS = {'conflict by the primary key': 'id', 'conflict by another key': 'name'}
every_key = pytest.mark.parametrize('key', KEYS.values(), ids=KEYS)
NEW = {'id': 104, 'name': 'd', 'content': b'new'}


def upsert(way: Way) -> Any:
    makers: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert, 'mariadb': mysql.insert}
    return makers[way.engine.dialect.name](way.target(Document))


def taken(key: str) -> dict[str, Any]:
    """A new row that has the first row's value of this key."""
    return NEW | {'id': {'id': 101}, 'name': {'name': 'a'}}[key]


# ON CONFLICT DO UPDATE


@on_conflict
@every_key
def test_the_inserted_content_takes_the_place_of_the_old(way: Way, storage: Any, engine: Engine, key: str) -> None:
    statement = upsert(way)
    updating = statement.on_conflict_do_update(index_elements=[key], set_={'content': statement.excluded.content})
    way.execute(updating.values(**taken(key)))
    assert contents(storage) == [b'a', b'b', b'c', b'new']
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


@on_conflict
@every_key
def test_an_upsert_that_is_rolled_back_changes_nothing(way: Way, storage: Any, engine: Engine, key: str) -> None:
    statement = upsert(way)
    updating = statement.on_conflict_do_update(index_elements=[key], set_={'content': statement.excluded.content})
    way.execute(updating.values(**taken(key)))
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@on_conflict
@pytest.mark.parametrize('row', [NEW, taken('name')], ids=['no conflict', 'conflict'])
def test_of_two_contents_the_one_that_was_not_written_goes(way: Way, storage: Any, engine: Engine, row: Any) -> None:
    updating = upsert(way).on_conflict_do_update(index_elements=['name'], set_={'content': b'instead'})
    way.execute(updating.values(**row))
    way.commit()
    is_inserted = row is NEW
    assert holds(storage, engine) == ([b'a', b'b', b'c', b'new'] if is_inserted else [b'b', b'c', b'instead'])


@on_conflict
def test_an_upsert_of_other_columns_keeps_the_old_file(way: Way, storage: Any, engine: Engine) -> None:
    updating = upsert(way).on_conflict_do_update(index_elements=['id'], set_={'name': 'renamed'})
    way.execute(updating.values(**taken('id')))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@on_conflict
def test_an_upsert_may_set_none(way: Way, storage: Any, engine: Engine) -> None:
    updating = upsert(way).on_conflict_do_update(index_elements=['id'], set_={'content': None})
    way.execute(updating.values(**taken('id')))
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


@on_conflict
@pytest.mark.parametrize('many', ['parameters', 'values'])
def test_many_rows_are_inserted_or_updated(way: Way, storage: Any, engine: Engine, many: str) -> None:
    statement = upsert(way)
    updating = statement.on_conflict_do_update(index_elements=['id'], set_={'content': statement.excluded.content})
    rows = [{'id': number, 'content': b'%d' % number} for number in (101, 103, 104, 105)]
    if many == 'parameters':
        way.execute(updating, rows)
    else:
        way.execute(updating.values(rows))
    way.commit()
    assert holds(storage, engine) == [b'101', b'103', b'104', b'105', b'b']


@on_conflict
def test_a_where_may_spare_the_row_in_conflict(way: Way, storage: Any, engine: Engine) -> None:
    statement = upsert(way)
    updating = statement.on_conflict_do_update(
        index_elements=['id'],
        set_={'content': statement.excluded.content},
        where=way.columns(Document).name == 'b',
    )
    way.execute(updating, [{'id': 101, 'content': b'A'}, {'id': 102, 'content': b'B'}])
    way.commit()
    assert holds(storage, engine) == [b'B', b'a', b'c']


@on_conflict
def test_an_expression_may_choose_between_old_and_new(way: Way, storage: Any, engine: Engine) -> None:
    statement, columns = upsert(way), way.columns(Document)
    chosen = case((columns.name == 'a', columns.content), else_=statement.excluded.content)
    updating = statement.on_conflict_do_update(index_elements=['id'], set_={'content': chosen})
    way.execute(updating, [{'id': 101, 'content': b'A'}, {'id': 102, 'content': b'B'}])
    way.commit()
    assert holds(storage, engine) == [b'B', b'a', b'c']


@on_conflict
def test_an_upsert_may_give_the_row_another_key(way: Way, storage: Any, engine: Engine) -> None:
    statement = upsert(way)
    set_ = {'id': statement.excluded.id, 'content': statement.excluded.content}
    way.execute(statement.on_conflict_do_update(index_elements=['name'], set_=set_).values(**taken('name')))
    way.delete(Document, 104)
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


@on_conflict
@pytest.mark.parametrize('many', [False, True])
def test_an_upsert_returns_objects_with_files(session: Session, storage: Any, engine: Engine, many: bool) -> None:
    known = session.get_one(Document, 101)
    statement = upsert(Way('entity', engine))
    updating = statement.on_conflict_do_update(index_elements=['id'], set_={'content': statement.excluded.content})
    rows = [taken('id'), NEW | {'content': b'd'}] if many else [taken('id')]
    returned = session.scalars(updating.returning(Document), rows, execution_options={'populate_existing': True}).all()
    assert known in returned
    assert known.content.file.read() == b'new'
    session.commit()
    assert holds(storage, engine) == ([b'b', b'c', b'd', b'new'] if many else [b'b', b'c', b'new'])


# ON CONFLICT DO NOTHING


@on_conflict
@every_key
@pytest.mark.parametrize('end', ['commit', 'rollback'])
def test_the_file_of_a_row_that_was_not_inserted_goes(
    way: Way, storage: Any, engine: Engine, key: str, end: str
) -> None:
    way.execute(upsert(way).on_conflict_do_nothing().values(**taken(key)))
    getattr(way, end)()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@on_conflict
@pytest.mark.parametrize('many', ['parameters', 'values'])
def test_of_many_rows_only_the_files_of_inserted_ones_stay(way: Way, storage: Any, engine: Engine, many: str) -> None:
    statement = upsert(way).on_conflict_do_nothing(index_elements=['id'])
    rows = [{'id': number, 'content': b'%d' % number} for number in (101, 104, 103, 105)]
    if many == 'parameters':
        way.execute(statement, rows)
    else:
        way.execute(statement.values(rows))
    way.commit()
    assert holds(storage, engine) == [b'104', b'105', b'a', b'b', b'c']


@on_conflict
def test_an_insert_with_a_key_of_the_database_may_do_nothing(way: Way, storage: Any, engine: Engine) -> None:
    statement = upsert(way).on_conflict_do_nothing(index_elements=['name'])
    way.execute(statement, [{'name': 'a', 'content': b'not'}, {'name': 'd', 'content': b'd'}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'd']


# MariaDB


@on_mariadb
@every_key
def test_on_duplicate_key_the_inserted_content_takes_over(way: Way, storage: Any, engine: Engine, key: str) -> None:
    statement = upsert(way).values(**taken(key))
    way.execute(statement.on_duplicate_key_update(content=statement.inserted.content))
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


@on_mariadb
@pytest.mark.parametrize('row', [NEW, taken('name')], ids=['no duplicate', 'duplicate'])
def test_on_duplicate_key_a_content_of_its_own_may_take_over(way: Way, storage: Any, engine: Engine, row: Any) -> None:
    way.execute(upsert(way).values(**row).on_duplicate_key_update(content=b'instead'))
    way.commit()
    assert holds(storage, engine) == ([b'a', b'b', b'c', b'new'] if row is NEW else [b'b', b'c', b'instead'])


@on_mariadb
@pytest.mark.parametrize('many', ['parameters', 'values'])
def test_on_duplicate_key_many_rows_are_updated(way: Way, storage: Any, engine: Engine, many: str) -> None:
    statement = upsert(way)
    updating = statement.on_duplicate_key_update(content=statement.inserted.content)
    rows = [{'id': number, 'content': b'%d' % number} for number in (101, 103, 104)]
    if many == 'parameters':
        way.execute(updating, rows)
    else:
        way.execute(updating.values(rows))
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']
    way.execute(updating, rows)
    way.commit()
    assert holds(storage, engine) == [b'101', b'103', b'104', b'b']


# Words put before


def replacing(way: Way) -> Any:
    return insert(way.target(Document)).prefix_with('OR REPLACE')


@on_sqlite
@every_key
@pytest.mark.parametrize('end', ['commit', 'rollback'])
def test_a_row_that_is_replaced_lets_its_file_go(way: Way, storage: Any, engine: Engine, key: str, end: str) -> None:
    way.execute(replacing(way).values(**taken(key)))
    getattr(way, end)()
    assert holds(storage, engine) == ([b'b', b'c', b'new'] if end == 'commit' else [b'a', b'b', b'c'])


@on_sqlite
def test_one_new_row_may_replace_two(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(replacing(way).values(id=101, name='b', content=b'new'))
    way.commit()
    assert holds(storage, engine) == [b'c', b'new']


@on_sqlite
def test_many_new_rows_may_replace_many(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(
        replacing(way), [{'id': 101, 'content': b'A'}, {'id': 104, 'content': b'd'}, {'id': 102, 'content': None}]
    )
    way.commit()
    assert holds(storage, engine) == [b'A', b'c', b'd']


@pytest.mark.parametrize('engine', ['sqlite', 'mariadb'], indirect=True)
def test_the_file_of_an_ignored_row_goes(way: Way, storage: Any, engine: Engine) -> None:
    word = 'OR IGNORE' if engine.dialect.name == 'sqlite' else 'IGNORE'
    statement = insert(way.target(Document)).prefix_with(word)
    way.execute(statement, [{'id': 104, 'name': 'a', 'content': b'not'}, {'id': 105, 'name': 'e', 'content': b'e'}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'e']


# Keys that only the database knows


@pytest.fixture
def people(engine: Engine) -> Iterator[Table]:
    """A table whose names are unique without regard to case, and whose codes are by an index that it does not know."""
    metadata = MetaData()
    table = Table(
        'people',
        metadata,
        Column('id', Integer, primary_key=True),
        Column('name', String(9)),
        Column('code', String(9)),
        Column('content', UploadedFileField),
        Column('pages', UploadedFileField(multiple=True)),
    )
    if engine.dialect.name != 'mariadb':  # whose texts are compared so anyway
        Index('people_name', func.lower(table.c.name), unique=True)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text('CREATE UNIQUE INDEX people_code ON people (code)'))
        connection.execute(insert(table).values(id=1, name='Ada', code='x', content=b'old'))
    yield table
    metadata.drop_all(engine)


def kept(engine: Engine, people: Table) -> list[bytes]:
    with engine.connect() as connection:
        return sorted(each.file.read() for each in connection.scalars(select(people.c.content)))


@on_conflict
@pytest.mark.parametrize('many', [True, False])
def test_a_conflict_by_an_expression_dangles_no_row(engine: Engine, storage: Any, people: Table, many: bool) -> None:
    statement: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}[engine.dialect.name](people)
    set_ = {'content': statement.excluded.content}
    updating = statement.on_conflict_do_update(index_elements=[func.lower(people.c.name)], set_=set_)
    rows = [{'name': 'ada', 'content': b'new'}, {'name': 'Bob', 'content': b'bob'}]
    with engine.begin() as connection:
        if many:
            connection.execute(updating, rows)
        else:
            connection.execute(updating.values(rows))
    assert kept(engine, people) == [b'bob', b'new']


@on_conflict
def test_a_conflict_by_an_expression_keeps_the_files_of_a_list(engine: Engine, storage: Any, people: Table) -> None:
    statement: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}[engine.dialect.name](people)
    updating = statement.on_conflict_do_update(
        index_elements=[func.lower(people.c.name)], set_={'pages': statement.excluded.pages}
    )
    with engine.begin() as connection:
        connection.execute(updating.values(name='ada', pages=[b'one', b'two']))
    with engine.connect() as connection:
        assert [each.file.read() for each in connection.scalars(select(people.c.pages)).one()] == [b'one', b'two']


@pytest.mark.parametrize('engine', ['sqlite', 'postgresql', 'mariadb'], indirect=True)
@pytest.mark.parametrize('with_key', [True, False])
def test_a_conflict_by_an_unknown_index_dangles_no_row(
    engine: Engine, storage: Any, people: Table, with_key: bool
) -> None:
    row = {'code': 'x', 'content': b'new'} | ({'id': 7} if with_key else {})
    with engine.begin() as connection:
        if engine.dialect.name == 'mariadb':
            written = mysql.insert(people).values(row)
            connection.execute(written.on_duplicate_key_update(content=written.inserted.content))
        else:
            statement: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}[engine.dialect.name](people)
            set_ = {'content': statement.excluded.content}
            connection.execute(statement.values(row).on_conflict_do_update(index_elements=['code'], set_=set_))
    assert kept(engine, people) == [b'new']


@on_conflict
def test_a_conflict_by_an_unknown_index_that_does_nothing_dangles_no_row(
    engine: Engine, storage: Any, people: Table
) -> None:
    statement: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}[engine.dialect.name](people)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_nothing(), [{'code': 'x', 'content': b'not'}, {'code': 'y', 'content': b'y'}]
        )
    assert kept(engine, people) == [b'old', b'y']
