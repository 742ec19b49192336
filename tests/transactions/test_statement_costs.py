"""What statements cost: nothing where no file is concerned, and few questions for many rows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, delete, insert, select, text, update
from sqlalchemy.orm import Session

from .laws import holds, in_memory, on_every_database
from .models import Document, Folder
from .ways import Way, listed_sql

pytestmark = [on_every_database, in_memory]

MANY = 1_000
#: SELECTs for so many rows: by batches of a hundred at least.
FEW = 12


@pytest.fixture
def rows(engine: Engine, storage: Any) -> list[dict[str, Any]]:
    """Many committed rows."""
    rows = [{'id': number, 'name': f'{number}', 'content': b'old'} for number in range(1, MANY + 1)]
    with Session(engine) as session:
        session.execute(insert(Document), rows)
        session.commit()
    return rows


def asked(texts: list[str]) -> list[str]:
    return [each for each in texts if each.lstrip().upper().startswith('SELECT')]


@pytest.mark.parametrize(
    'statement',
    [
        update(Document.__table__).values(name='x'),
        update(Document.__table__).where(Document.__table__.c.id == 1).values(folder_id=None),
        insert(Document.__table__).values(name='x'),
        insert(Folder.__table__).values(id=1),
        delete(Folder.__table__),
        select(Document.__table__),
        text('DELETE FROM document'),
    ],
    ids=['update', 'update where', 'insert', 'insert without', 'delete without', 'select', 'text'],
)
def test_a_statement_that_concerns_no_file_runs_alone(engine: Engine, storage: Any, statement: Any) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
        with listed_sql(engine) as texts:
            connection.execute(statement)
            connection.commit()
        assert len(texts) == 1


def test_a_flush_that_concerns_no_file_asks_nothing(session: Session, storage: Any, engine: Engine) -> None:
    document = Document(name='a', content=b'a')
    session.add(document)
    session.flush()
    document.name = 'b'
    with listed_sql(engine) as texts:
        session.flush()
        session.commit()
    assert [each.split()[0] for each in texts] == ['UPDATE']


def test_an_insert_of_new_files_asks_nothing(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(text('SELECT 1'))
    with listed_sql(engine) as texts:
        way.insert(Document, [{'content': b'1'}, {'content': b'2'}], 'many parameters')
        way.commit()
    assert asked(texts) == []


def test_many_rows_updated_by_key_are_asked_in_batches(way: Way, storage: Any, engine: Engine, rows: Any) -> None:
    with listed_sql(engine) as texts:
        way.update(Document, [{'id': each['id'], 'content': b'new'} for each in rows], 'many parameters')
        way.commit()
    assert len(asked(texts)) <= FEW
    assert holds(storage, engine) == [b'new'] * MANY


def test_many_rows_deleted_at_once_are_asked_in_batches(way: Way, storage: Any, engine: Engine, rows: Any) -> None:
    with listed_sql(engine) as texts:
        way.execute(delete(way.target(Document)).where(way.columns(Document).id > 10))
        way.commit()
    assert len(asked(texts)) <= FEW
    assert holds(storage, engine) == [b'old'] * 10


def test_many_rows_deleted_one_by_one_are_asked_in_batches(engine: Engine, storage: Any, rows: Any) -> None:
    table: Any = Document.__table__
    with engine.connect() as connection, listed_sql(engine) as texts:
        connection.execute(delete(table).where(table.c.id == bindparam('key')), [{'key': each['id']} for each in rows])
        connection.commit()
    assert len(asked(texts)) <= FEW
    assert holds(storage, engine) == []


@pytest.mark.parametrize('change', ['replace', 'delete'])
def test_many_objects_of_one_flush_are_asked_in_batches(
    session: Session, storage: Any, engine: Engine, rows: Any, change: str
) -> None:
    for each in session.scalars(select(Document)).all():
        if change == 'replace':
            each.content = b'new'
        else:
            session.delete(each)
    with listed_sql(engine) as texts:
        session.commit()
    assert len(asked(texts)) <= FEW
    assert holds(storage, engine) == ([b'new'] * MANY if change == 'replace' else [])


def test_many_rows_that_are_returned_are_all_followed(session: Session, storage: Any, engine: Engine) -> None:
    rows = [{'name': f'{number}', 'content': b'%d' % number} for number in range(MANY)]
    new = session.scalars(insert(Document).returning(Document, sort_by_parameter_order=True), rows).all()
    assert all(each.content.file.read() == each.name.encode() for each in new[:: MANY // 10])
    session.rollback()
    assert holds(storage, engine) == []
