"""What the objects of a session know after a statement, and what it returns."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, inspect, select, update
from sqlalchemy.orm import Session

from depot.fields.upload import UploadedFile

from .laws import contents, holds, in_memory, on_every_database
from .models import Album, Asset, Document, Sound, Video
from .ways import Way

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

FIRST = Document.id == 101
every_synchronization = pytest.mark.parametrize('synchronized', ['auto', 'evaluate', 'fetch', False])


def read(uploaded: Any) -> bytes:
    assert isinstance(uploaded, UploadedFile)
    with uploaded.file as file:
        content: bytes = file.read()
        return content


# The objects of the session


@every_synchronization
def test_an_object_knows_the_file_that_an_update_stored(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    statement = update(Document).where(Document.name == 'a').values(content=b'new')
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    assert read(document.content) == (b'new' if synchronized else b'a')
    session.commit()
    assert read(document.content) == b'new'
    assert holds(storage, engine) == [b'b', b'c', b'new']


@every_synchronization
def test_an_object_may_get_another_file_after_an_update(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    statement = update(Document).where(Document.name == 'a').values(content=b'new')
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    document.content = b'third'
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'third']


@every_synchronization
def test_an_update_that_is_rolled_back_leaves_the_object_its_file(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    statement = update(Document).where(Document.name == 'a').values(content=b'new')
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    session.rollback()
    assert read(document.content) == b'a'
    assert holds(storage, engine) == [b'a', b'b', b'c']


@every_synchronization
def test_a_column_that_is_named_differently_is_found(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    statement = update(Document).where(Document.name == 'a').values({Document.scan: b'scan'})
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    session.expire(document)
    assert read(document.scan) == b'scan'
    session.execute(update(Document).values(scan=b'second'), execution_options={'synchronize_session': synchronized})
    session.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'second']


@every_synchronization
def test_an_expression_leaves_the_object_a_file_or_nothing(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    document.scan = b'scan'
    session.flush()
    statement = update(Document).where(Document.name == 'a').values(content=Document.scan)
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    assert read(document.content) == (b'scan' if synchronized else b'a')
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'scan']


@every_synchronization
def test_a_deleted_object_is_gone_and_so_is_its_file(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    document = session.get_one(Document, 101)
    statement = delete(Document).where(Document.name == 'a')
    session.execute(statement, execution_options={'synchronize_session': synchronized})
    assert inspect(document).persistent is not bool(synchronized)
    session.commit()
    assert holds(storage, engine) == [b'b', b'c']


def test_an_update_by_primary_key_tells_the_objects(session: Session, storage: Any, engine: Engine) -> None:
    document = session.get_one(Document, 101)
    session.execute(update(Document), [{'id': 101, 'content': b'A'}, {'id': 102, 'content': b'B'}])
    assert read(document.content) == b'A'
    session.commit()
    assert read(document.content) == b'A'
    assert holds(storage, engine) == [b'A', b'B', b'c']


@every_synchronization
def test_a_list_that_a_statement_wrote_can_be_changed_in_place(
    session: Session, storage: Any, engine: Engine, synchronized: Any
) -> None:
    album = Album(id=1, photos=[b'1'])
    session.add(album)
    session.commit()
    assert len(album.photos) == 1
    session.execute(update(Album).values(photos=[b'2', b'3']), execution_options={'synchronize_session': synchronized})
    session.expire(album)
    album.photos.append(b'4')
    del album.photos[0]
    session.commit()
    assert holds(storage, engine) == [b'3', b'4', b'a', b'b', b'c']


def test_a_list_given_to_an_object_by_an_update_is_tracked(session: Session, storage: Any, engine: Engine) -> None:
    album = Album(id=1, photos=[b'1'])
    session.add(album)
    session.commit()
    assert len(album.photos) == 1
    session.execute(update(Album).where(Album.id == 1).values(photos=[b'2']))
    album.photos.append(b'3')
    session.commit()
    assert holds(storage, engine) == [b'2', b'3', b'a', b'b', b'c']


# Together with the unit of work


def test_a_statement_comes_after_what_it_flushes(session: Session, storage: Any, engine: Engine) -> None:
    session.get_one(Document, 101).content = b'assigned'
    session.execute(update(Document).where(FIRST).values(content=b'stated'))
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'stated']


def test_a_flush_comes_after_a_statement(session: Session, storage: Any, engine: Engine) -> None:
    document = session.get_one(Document, 101)
    with session.no_autoflush:
        document.content = b'assigned'
        session.execute(
            update(Document).where(FIRST).values(content=b'stated'), execution_options={'synchronize_session': False}
        )
    session.commit()
    assert holds(storage, engine) == [b'assigned', b'b', b'c']


def test_an_object_that_a_statement_deleted_lets_its_new_file_go(
    session: Session, storage: Any, engine: Engine
) -> None:
    document = session.get_one(Document, 101)
    with session.no_autoflush:
        document.content = b'assigned'
        session.execute(delete(Document).where(FIRST))
    session.commit()
    assert holds(storage, engine) == [b'b', b'c']


def test_a_statement_may_take_a_file_that_an_object_was_given(session: Session, storage: Any, engine: Engine) -> None:
    document = Document(content=b'new')
    session.execute(update(Document).where(FIRST).values(content=document.content))
    session.commit()
    del document
    assert holds(storage, engine) == [b'b', b'c', b'new']


# What a statement returns


@pytest.mark.parametrize('many', [False, True])
def test_an_insert_returns_objects_with_files(session: Session, storage: Any, engine: Engine, many: bool) -> None:
    rows = [{'content': b'd'}, {'content': b'e'}] if many else [{'content': b'd'}]
    new = session.scalars(insert(Document).returning(Document, sort_by_parameter_order=True), rows).all()
    assert [read(each.content) for each in new] == [each['content'] for each in rows]
    new[0].content = b'D'
    session.commit()
    assert b'D' in holds(storage, engine)
    assert b'd' not in contents(storage)


def test_an_update_returns_files(way: Way, storage: Any, engine: Engine) -> None:
    if engine.dialect.name == 'mariadb':
        pytest.skip('impossible here: MariaDB has no UPDATE ... RETURNING')
    columns = way.columns(Document)
    statement = way.of_id(update(way.target(Document)), Document, 101).values(content=b'new')
    [row] = way.execute(statement.returning(columns.name, columns.content)).all()
    assert (row.name, read(row.content)) == ('a', b'new')
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


def test_a_delete_returns_files_that_are_there_until_the_commit(way: Way, storage: Any, engine: Engine) -> None:
    columns = way.columns(Document)
    statement = way.of_id(delete(way.target(Document)), Document, 101).returning(columns.content)
    [returned] = way.execute(statement).scalars()
    assert read(returned) == b'a'
    way.commit()
    assert holds(storage, engine) == [b'b', b'c']


def test_what_is_returned_need_not_be_read(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(insert(way.target(Document)).values(content=b'd').returning(way.columns(Document).id)).close()
    way.execute(way.of_id(delete(way.target(Document)), Document, 101).returning(way.columns(Document).id)).close()
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'd']


def test_a_statement_tells_how_many_rows_and_which_keys(way: Way, storage: Any) -> None:
    assert way.execute(update(way.target(Document)).values(content=b'new')).rowcount == 3
    inserted = way.execute(insert(way.target(Document)).values(content=b'd', id=7))
    assert inserted.inserted_primary_key == (7,)
    assert way.execute(delete(way.target(Document))).rowcount == 4


# Inheritance


@pytest.fixture
def assets(engine: Engine, documents: None) -> None:
    with Session(engine) as session:
        session.execute(delete(Document))
        session.add(Video(id=1, content=b'video', poster=b'poster'))
        session.add(Sound(id=2, content=b'sound', cover=b'cover'))
        session.commit()


@pytest.mark.usefixtures('assets')
def test_statements_on_a_joined_subclass_change_its_own_table(session: Session, storage: Any, engine: Engine) -> None:
    session.execute(update(Video).where(Video.poster.is_not(None)).values(poster=b'new'))
    session.execute(update(Asset).where(Asset.kind == 'video').values(content=b'film'))
    session.commit()
    assert holds(storage, engine) == [b'cover', b'film', b'new', b'sound']


@pytest.mark.usefixtures('assets')
def test_statements_on_a_single_table_subclass_spare_the_others(session: Session, storage: Any, engine: Engine) -> None:
    session.execute(update(Sound).values(cover=b'new', content=b'song'))
    session.commit()
    assert holds(storage, engine) == [b'new', b'poster', b'song', b'video']
    session.execute(delete(Sound))
    session.commit()
    assert holds(storage, engine) == [b'poster', b'video']


@pytest.mark.usefixtures('assets')
def test_many_rows_of_subclasses_are_inserted_and_updated(session: Session, storage: Any, engine: Engine) -> None:
    session.execute(insert(Video), [{'id': 3, 'content': b'3', 'poster': b'p3'}, {'id': 4, 'content': b'4'}])
    session.execute(update(Video), [{'id': 1, 'content': b'1', 'poster': b'p1'}, {'id': 3, 'content': None}])
    session.execute(insert(Sound), [{'id': 5, 'cover': b'5'}])
    session.commit()
    assert holds(storage, engine) == [b'1', b'4', b'5', b'cover', b'p1', b'p3', b'sound']
    assert len(session.scalars(select(Asset)).all()) == 5
