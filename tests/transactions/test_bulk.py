"""The legacy ways to change many rows: ``bulk_...`` and ``Query``."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from depot.fields.upload import UploadedFile

from .laws import contents, holds, in_memory, on_every_database
from .models import Album, Asset, Document, Letter, Sound, Video

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

every_end = pytest.mark.parametrize('end', ['commit', 'rollback'])
every_synchronization = pytest.mark.parametrize('synchronized', ['auto', 'evaluate', 'fetch', False])


# bulk_save_objects


@every_end
def test_new_objects_saved_in_bulk_follow_the_transaction(
    session: Session, storage: Any, engine: Engine, end: str
) -> None:
    session.bulk_save_objects([Document(content=b'd'), Document(content=b'e', scan=b'scan'), Document(name='none')])
    getattr(session, end)()
    assert holds(storage, engine) == [b'a', b'b', b'c'] + ([b'd', b'e', b'scan'] if end == 'commit' else [])


@pytest.mark.parametrize('keys', [True, False])
def test_objects_saved_in_bulk_may_learn_their_keys(session: Session, storage: Any, engine: Engine, keys: bool) -> None:
    new = [Document(content=b'd'), Document(content=b'e')]
    session.bulk_save_objects(new, return_defaults=keys)
    assert all((each.id is not None) is keys for each in new)
    session.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'd', b'e']


@every_end
def test_changed_objects_saved_in_bulk_let_the_old_files_go(
    session: Session, storage: Any, engine: Engine, end: str
) -> None:
    loaded = session.scalars(select(Document).order_by(Document.id)).all()
    session.expunge_all()
    for each in loaded[:2]:
        each.content = b'new ' + (each.name or '').encode()
    session.bulk_save_objects(loaded)
    getattr(session, end)()
    assert holds(storage, engine) == ([b'c', b'new a', b'new b'] if end == 'commit' else [b'a', b'b', b'c'])


def test_objects_that_were_never_saved_in_bulk_leave_nothing(session: Session, storage: Any, engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        session.bulk_save_objects([Document(content=b'd'), Document(name='a', content=b'again')])
    session.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


# bulk_insert_mappings, bulk_update_mappings


@every_end
@pytest.mark.parametrize('nulls', [True, False])
def test_mappings_inserted_in_bulk_follow_the_transaction(
    session: Session, storage: Any, engine: Engine, end: str, nulls: bool
) -> None:
    rows = [{'content': b'd'}, {'content': UploadedFile(b'e')}, {'content': None}, {'name': 'none'}]
    session.bulk_insert_mappings(Document, rows, render_nulls=nulls)  # type: ignore[arg-type]
    getattr(session, end)()
    assert holds(storage, engine) == [b'a', b'b', b'c'] + ([b'd', b'e'] if end == 'commit' else [])


def test_mappings_name_attributes_and_not_columns(session: Session, storage: Any, engine: Engine) -> None:
    session.bulk_insert_mappings(Document, [{'scan': b'scan'}])  # type: ignore[arg-type]
    session.bulk_update_mappings(Document, [{'id': 101, 'scan': b'second'}])  # type: ignore[arg-type]
    session.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'scan', b'second']


def test_mappings_of_lists_and_defaults_are_inserted(session: Session, storage: Any, engine: Engine) -> None:
    session.bulk_insert_mappings(Album, [{'photos': [b'1', b'2']}, {'photos': []}])  # type: ignore[arg-type]
    session.bulk_insert_mappings(Letter, [{'attachment': b'3'}, {'stamp': b'4'}])  # type: ignore[arg-type]
    session.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']
    session.bulk_insert_mappings(Album, [{'photos': [b'1', b'2']}, {'photos': []}])  # type: ignore[arg-type]
    session.bulk_insert_mappings(Letter, [{'attachment': b'3'}, {'stamp': b'4'}])  # type: ignore[arg-type]
    session.commit()
    assert holds(storage, engine) == [b'1', b'2', b'3', b'4', b'a', b'b', b'c', b'default']


@every_end
def test_mappings_updated_in_bulk_let_the_old_files_go(
    session: Session, storage: Any, engine: Engine, end: str
) -> None:
    rows: Any = [{'id': 101, 'content': b'A'}, {'id': 102, 'content': None}, {'id': 103, 'name': 'z'}]
    session.bulk_update_mappings(Document, rows)  # type: ignore[arg-type]
    getattr(session, end)()
    assert holds(storage, engine) == ([b'A', b'c'] if end == 'commit' else [b'a', b'b', b'c'])


def test_subclasses_are_saved_in_bulk_with_their_files(session: Session, storage: Any, engine: Engine) -> None:
    session.bulk_save_objects([Video(id=1, content=b'1', poster=b'2'), Sound(id=2, content=b'3', cover=b'4')])
    session.bulk_insert_mappings(Video, [{'id': 3, 'content': b'5', 'poster': b'6'}])  # type: ignore[arg-type]
    session.commit()
    assert holds(storage, engine) == [b'1', b'2', b'3', b'4', b'5', b'6', b'a', b'b', b'c']
    session.bulk_update_mappings(Video, [{'id': 1, 'content': b'7', 'poster': b'8'}])  # type: ignore[arg-type]
    session.commit()
    assert holds(storage, engine) == [b'3', b'4', b'5', b'6', b'7', b'8', b'a', b'b', b'c']
    assert len(session.scalars(select(Asset)).all()) == 3


@pytest.mark.parametrize('end', ['release', 'rollback'])
def test_bulk_work_in_a_savepoint_follows_it(session: Session, storage: Any, engine: Engine, end: str) -> None:
    savepoint = session.begin_nested()
    session.bulk_insert_mappings(Document, [{'content': b'd'}])  # type: ignore[arg-type]
    session.bulk_update_mappings(Document, [{'id': 101, 'content': b'A'}])  # type: ignore[arg-type]
    savepoint.commit() if end == 'release' else savepoint.rollback()
    session.commit()
    assert holds(storage, engine) == ([b'A', b'b', b'c', b'd'] if end == 'release' else [b'a', b'b', b'c'])


# Query


@every_synchronization
@every_end
def test_a_query_updates(session: Session, storage: Any, engine: Engine, synchronized: Any, end: str) -> None:
    document = session.get_one(Document, 101)
    query = session.query(Document).filter(Document.name == 'a')
    assert query.update({'content': b'new'}, synchronize_session=synchronized) == 1
    assert isinstance(document.content, UploadedFile)
    assert contents(storage) == [b'a', b'b', b'c', b'new']
    getattr(session, end)()
    assert holds(storage, engine) == ([b'b', b'c', b'new'] if end == 'commit' else [b'a', b'b', b'c'])


def test_a_query_updates_by_attributes(session: Session, storage: Any, engine: Engine) -> None:
    session.query(Document).filter_by(name='a').update({Document.scan: b'scan', Document.content: None})
    session.commit()
    assert holds(storage, engine) == [b'b', b'c', b'scan']


@every_synchronization
@every_end
def test_a_query_deletes(session: Session, storage: Any, engine: Engine, synchronized: Any, end: str) -> None:
    assert session.query(Document).filter(Document.name != 'a').delete(synchronize_session=synchronized) == 2
    getattr(session, end)()
    assert holds(storage, engine) == ([b'a'] if end == 'commit' else [b'a', b'b', b'c'])
