"""What a question locks: no more than the statement itself, and never so that it cannot be executed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from .laws import holds, in_memory
from .models import Asset, Document, Folder, Video
from .ways import Way

pytestmark = [in_memory]

ASSET: Any = Asset.__table__
VIDEO: Any = Video.__table__
TABLE: Any = Document.__table__

on_servers = pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
on_postgresql = pytest.mark.parametrize('engine', ['postgresql'], indirect=True)
on_sqlite = pytest.mark.parametrize('engine', ['sqlite'], indirect=True)


# Statements that join what cannot be locked


@pytest.fixture
def folder(engine: Engine, documents: None) -> None:
    """The first row is in folder 1, and there is an empty folder 2."""
    with Session(engine) as session:
        session.add_all([Folder(id=1, documents=[session.get_one(Document, 101)]), Folder(id=2)])
        session.commit()


def grouped() -> Any:
    return select(Folder.id, func.count().label('number')).group_by(Folder.id).subquery('joined')


def distinct() -> Any:
    return select(Folder.id).distinct().subquery('joined')


def united() -> Any:
    return select(Folder.id).union(select(Folder.id)).subquery('joined')


def outer_joined() -> Any:
    other = TABLE.alias('other')
    return select(Folder.id).outerjoin(other, other.c.folder_id == Folder.id).subquery('joined')


@on_servers
@pytest.mark.usefixtures('folder')
@pytest.mark.parametrize('joined', [grouped, distinct, united, outer_joined])
@pytest.mark.parametrize('change', ['update', 'delete'])
def test_a_statement_may_join_what_cannot_be_locked(
    way: Way, storage: Any, engine: Engine, joined: Callable[[], Any], change: str
) -> None:
    source = joined()
    target: Any = way.target(Document)
    statement = update(target).values(content=b'new') if change == 'update' else delete(target)
    is_inside = way.columns(Document).folder_id == source.c.id
    way.execute(statement.where(is_inside).execution_options(synchronize_session=False))
    way.commit()
    assert holds(storage, engine) == ([b'b', b'c', b'new'] if change == 'update' else [b'b', b'c'])


@on_postgresql
@pytest.mark.usefixtures('folder')
def test_a_statement_locks_no_row_of_the_tables_that_it_joins(engine: Engine, storage: Any) -> None:
    with engine.connect() as first, engine.connect() as second:
        is_inside = TABLE.c.folder_id == Folder.id
        first.execute(update(TABLE).where(is_inside).values(content=b'new'))
        second.execute(text("SET lock_timeout = '1s'"))
        second.execute(select(Folder.id).where(Folder.id == 1).with_for_update())
        first.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


# Rows that refer to a row whose file changes


@on_postgresql
def test_a_new_file_keeps_nobody_from_referring_to_its_row(engine: Engine, storage: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(ASSET).values(id=1, kind='video', content=b'old'))
    with engine.connect() as first, engine.connect() as second:
        first.execute(update(ASSET).where(ASSET.c.id == 1).values(content=b'new'))
        second.execute(text("SET lock_timeout = '1s'"))
        second.execute(insert(VIDEO).values(id=1, poster=b'poster'))
        second.commit()
        first.commit()
    assert holds(storage, engine) == [b'new', b'poster']


@on_postgresql
def test_referring_to_a_row_and_then_replacing_its_file_is_no_deadlock(engine: Engine, storage: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(ASSET).values(id=1, kind='video', content=b'old'))
        connection.execute(text('CREATE TABLE comment (asset INT REFERENCES asset (id))'))
    both = threading.Barrier(2)

    def work(content: bytes) -> None:
        with engine.begin() as connection:
            connection.execute(text('INSERT INTO comment VALUES (1)'))
            both.wait(120)
            connection.execute(update(ASSET).where(ASSET.c.id == 1).values(content=content))
        done.append(content)

    done: list[bytes] = []
    threads = [threading.Thread(target=work, args=(each,)) for each in (b'1', b'2')]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with engine.begin() as connection:
        connection.execute(text('DROP TABLE comment'))
    assert sorted(done) == [b'1', b'2']
    assert holds(storage, engine) in ([b'1'], [b'2'])


# SQLite, which has one writer


@on_sqlite
@pytest.mark.usefixtures('documents')
@pytest.mark.parametrize('recipe', [True, False])
@pytest.mark.parametrize('journal', ['wal', 'delete'])
def test_many_threads_may_replace_a_file_at_once(
    engine: Engine, make_engine: Callable[..., Engine], storage: Any, recipe: bool, journal: str
) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql('COMMIT')  # the journal is not changed in a transaction
        connection.exec_driver_sql(f'PRAGMA journal_mode = {journal}')
        connection.exec_driver_sql('BEGIN')
    patient = {'timeout': 60}
    far = (
        make_engine('sqlite', tables=False, connect_args=patient)
        if recipe
        else create_engine(engine.url, connect_args=patient)
    )
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for each in range(10):
                with far.begin() as connection:
                    content = b'%d of %d' % (each, number)
                    connection.execute(update(TABLE).where(TABLE.c.id == 101).values(content=content))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    far.dispose()
    assert errors == []
    assert len(holds(storage, engine)) == 3
