"""Statements whose values, or whose rows, only the database can tell."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, case, delete, exists, func, insert, null, select, text, update
from sqlalchemy.orm import Session, aliased

from .laws import contents, dangles_nowhere, holds, in_memory, on_every_database
from .models import Album, Archive, Document, Folder, Note
from .ways import Way

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

FIRST = Document.id == 101


# Values that are SQL


def test_null_lets_the_file_go(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(update(way.target(Document)).values(content=null()))
    way.commit()
    assert holds(storage, engine) == []


def test_a_case_lets_go_what_it_replaces(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    way.execute(update(way.target(Document)).values(content=case((columns.id == 101, None), else_=columns.content)))
    assert contents(storage) == [b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


def test_an_expression_that_changes_nothing_keeps_the_file(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(update(way.target(Document)).values(content=way.columns(Document).content))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@pytest.fixture
def scan(engine: Engine, storage: Any, documents: None) -> None:
    """The first row has a second file, ``scan``."""
    with Session(engine) as session:
        session.get_one(Document, 101).scan = b'scan'
        session.commit()


@pytest.mark.usefixtures('scan')
def test_a_file_may_move_to_another_column(session: Session, storage: Any, engine: Engine) -> None:
    session.execute(update(Document).where(FIRST).values(content=Document.scan, scan=None))
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'scan']


@pytest.mark.usefixtures('scan')
def test_what_two_columns_swap_stays(session: Session, storage: Any, engine: Engine) -> None:
    session.execute(update(Document).where(FIRST).values(content=Document.scan, scan=Document.content))
    session.commit()
    # MariaDB assigns from left to right: its second column gets the first one's new value.
    is_swapped = engine.dialect.name != 'mariadb'
    assert holds(storage, engine) == ([b'a', b'b', b'c', b'scan'] if is_swapped else [b'b', b'c', b'scan'])


@pytest.mark.usefixtures('scan')
def test_one_column_may_take_a_content_and_another_an_expression(
    session: Session, storage: Any, engine: Engine
) -> None:
    session.execute(update(Document).where(FIRST).values(scan=Document.content, content=b'new'))
    session.commit()
    is_left_to_right = engine.dialect.name == 'mariadb'
    assert holds(storage, engine) == ([b'b', b'c', b'new'] if is_left_to_right else [b'a', b'b', b'c', b'new'])


def test_a_subquery_may_copy_a_file_that_then_stays(way: Way, storage: Any, engine: Engine) -> None:
    source = aliased(Document) if way.kind == 'entity' else Document.__table__.alias()
    columns = source if way.kind == 'entity' else source.c
    copied = select(columns.content).where(columns.id == 102).scalar_subquery()
    way.execute(way.of_id(update(way.target(Document)), Document, 101).values(content=copied))
    way.delete(Document, 102)
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


def test_an_insert_from_a_select_copies_files_that_then_stay(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    way.execute(insert(way.target(Note)).from_select(['content'], select(columns.content)))
    way.execute(delete(way.target(Document)).where(columns.id != 103))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_an_insert_from_a_select_that_is_rolled_back_takes_nothing(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    way.execute(insert(way.target(Note)).from_select(['content'], select(columns.content)))
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_new_file_may_be_moved_on_by_an_expression(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    way.update(Document, [{'id': 101, 'content': b'new'}])
    way.execute(insert(way.target(Note)).from_select(['content'], select(columns.content).where(columns.id == 101)))
    way.delete(Document, 101)
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


# Which rows


def test_a_row_that_no_longer_meets_the_where_lets_its_old_file_go(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    target = way.target(Document)
    way.execute(update(target).where(columns.name == 'a').values(name='z', content=b'new'))
    way.execute(update(target).where(columns.content.is_not(None), columns.id == 102).values(content=None))
    way.commit()
    assert holds(storage, engine) == [b'c', b'new']


def test_rows_that_get_a_new_key_keep_their_files(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    way.execute(update(way.target(Document)).values(id=columns.id + 1000))
    way.delete(Document, 1101)
    way.update(Document, [{'id': 1102, 'content': b'new'}])
    way.commit()
    assert holds(storage, engine) == [b'c', b'new']


def test_a_row_that_gets_a_new_key_and_a_new_file_lets_the_old_one_go(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(way.of_id(update(way.target(Document)), Document, 101).values(id=7, content=b'new'))
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


@pytest.fixture
def folder(engine: Engine, documents: None) -> None:
    """The first row is in folder 1."""
    with Session(engine) as session:
        session.add(Folder(id=1, documents=[session.get_one(Document, 101)]))
        session.commit()


@pytest.mark.usefixtures('folder')
def test_a_correlated_where_finds_the_same_rows(way: Way, storage: Any, engine: Engine) -> None:
    columns, folders = way.columns(Document), way.columns(Folder)
    inside = exists().where(folders.id == columns.folder_id)
    way.execute(update(way.target(Document)).where(inside).values(content=b'new'))
    way.execute(delete(way.target(Document)).where(~inside))
    way.commit()
    assert holds(storage, engine) == [b'new']


@pytest.mark.usefixtures('folder')
def test_an_update_may_join_another_table(way: Way, storage: Any, engine: Engine) -> None:
    columns, folders = way.columns(Document), way.columns(Folder)
    joined = update(way.target(Document)).where(columns.folder_id == folders.id, folders.id == 1)
    way.execute(joined.values(content=b'new'))
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


@pytest.mark.usefixtures('folder')
def test_a_delete_may_join_another_table(way: Way, storage: Any, engine: Engine) -> None:
    if engine.dialect.name == 'sqlite':
        pytest.skip('impossible here: SQLite has no DELETE ... USING')
    columns, folders = way.columns(Document), way.columns(Folder)
    joined = delete(way.target(Document)).where(columns.folder_id == folders.id)
    way.execute(joined.execution_options(is_delete_using=True))
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


@pytest.mark.parametrize('done', ['update', 'delete'])
def test_a_limit_spares_the_other_rows(way: Way, storage: Any, engine: Engine, done: str) -> None:
    if engine.dialect.name != 'mariadb':
        pytest.skip('impossible here: only MariaDB limits UPDATE and DELETE')
    statement: Any = update(way.target(Document)).values(content=None) if done == 'update' else None
    limited = (delete(way.target(Document)) if statement is None else statement).with_dialect_options(mariadb_limit=1)
    way.execute(limited)
    way.commit()
    assert len(holds(storage, engine)) == 2


def test_a_where_with_parameters_finds_its_rows_many_times(way: Way, storage: Any, engine: Engine) -> None:
    table: Any = Document.__table__
    statement = delete(table).where(table.c.name == bindparam('which'))
    way.connection.execute(statement, [{'which': 'a'}, {'which': 'c'}, {'which': 'nobody'}])
    way.commit()
    assert holds(storage, engine) == [b'b']


def test_a_where_as_text_finds_its_rows(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(update(way.target(Document)).where(text('name = :which')).values(content=b'new'), {'which': 'a'})
    way.execute(delete(way.target(Document)).where(text("name = 'b'")))
    way.commit()
    assert holds(storage, engine) == [b'c', b'new']


@pytest.mark.parametrize('change', ['update', 'delete'])
def test_a_pick_at_random_dangles_no_row(way: Way, storage: Any, engine: Engine, change: str) -> None:
    way.insert(Document, [{'content': b'%d' % number} for number in range(20)], 'many parameters')
    way.commit()
    table: Any = Document.__table__
    drawn = func.rand() if engine.dialect.name == 'mariadb' else func.random()
    picked = select(table.alias('other').c.id).order_by(drawn).limit(1).subquery('picked')  # as MariaDB wants it
    target = way.target(Document)
    statement = update(target).values(content=None) if change == 'update' else delete(target)
    way.execute(
        statement.where(way.columns(Document).id.in_(select(picked.c.id))).execution_options(synchronize_session=False)
    )
    way.commit()
    dangles_nowhere(storage, engine)


def test_a_where_that_answers_anew_for_each_row_dangles_no_row(way: Way, storage: Any, engine: Engine) -> None:
    drawn = func.rand() * 2 if engine.dialect.name == 'mariadb' else func.random()
    is_heads = drawn > {'sqlite': 0, 'postgresql': 0.5, 'mariadb': 1}[engine.dialect.name]
    way.insert(Document, [{'content': b'%d' % number} for number in range(20)], 'many parameters')
    way.commit()
    for statement in update(way.target(Document)).values(content=None), delete(way.target(Document)):
        way.execute(statement.where(is_heads).execution_options(synchronize_session=False))
    way.commit()
    dangles_nowhere(storage, engine)


def test_statements_inside_a_statement_are_executed_once_and_dangle_no_row(
    session: Session, storage: Any, engine: Engine
) -> None:
    if engine.dialect.name != 'postgresql':
        pytest.skip('impossible here: only PostgreSQL changes rows in a WITH')
    removed = delete(Document).where(FIRST).returning(Document.content).cte('removed')
    session.execute(insert(Note).from_select(['content'], select(removed.c.content)))
    gone = delete(Document).where(Document.id == 102).returning(Document.id).cte('gone')
    assert session.scalars(select(gone.c.id)).all() == [102]
    session.commit()
    assert [each.file.read() for each in session.scalars(select(Note.content))] == [b'a']
    assert session.scalars(select(Document.name)).all() == ['c']
    assert {b'a', b'c'} <= set(contents(storage))


def test_files_in_lists_and_json_may_be_copied_by_an_expression(session: Session, storage: Any, engine: Engine) -> None:
    session.add_all([Album(id=1, photos=[b'1', b'2']), Album(id=2, photos=[b'3'])])
    session.add_all([Archive(id=1, content=b'4'), Archive(id=2, content=b'5')])
    session.commit()
    for model, column in (Album, Album.photos), (Archive, Archive.content):
        other: Any = aliased(model)
        copied = select(getattr(other, column.key)).where(other.id == 1).scalar_subquery()
        session.execute(update(model).where(model.id == 2).values({column.key: copied}))
        session.execute(delete(model).where(model.id == 1))
    session.commit()
    assert holds(storage, engine) == [b'1', b'2', b'4', b'a', b'b', b'c']
