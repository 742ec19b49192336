"""What rows let go and keep: cascades, unloaded values, moves, restores, merges, inheritance."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, delete, event, insert, select, text, update
from sqlalchemy.orm import Session, make_transient, sessionmaker

from depot.errors import InvalidValue
from depot.fields.sqlalchemy import UploadedFileField

from .laws import contents
from .models import Album, Document, Elsewhere, Folder, Letter, Note, Sound, Video

#: So the tests run with each kind of storage: see conftest.py.
WITH_EVERY_STORAGE = True


@pytest.fixture
def document(session: Session) -> Document:
    """A committed row with two files, ``old`` and ``scan``."""
    document = Document(name='document', content=b'old', scan=b'scan')
    session.add(document)
    session.commit()
    return document


# Old values that SQLAlchemy never loaded


def test_an_expired_old_value_goes(session: Session, storage: Any, document: Document) -> None:
    session.expire(document)
    document.content = b'new'
    session.commit()
    assert contents(storage) == [b'new', b'scan']


def test_a_deferred_old_value_goes(session: Session, storage: Any, document: Document) -> None:
    session.expunge_all()
    loaded = session.scalars(select(Document)).one()
    loaded.scan = b'new'
    session.commit()
    assert contents(storage) == [b'new', b'old']


def test_unloaded_values_go_with_a_deleted_row(session: Session, storage: Any, document: Document) -> None:
    session.expunge_all()
    session.delete(session.scalars(select(Document)).one())
    session.commit()
    assert contents(storage) == []


def test_an_unloaded_value_that_was_assigned_goes_with_a_deleted_row(
    session: Session, storage: Any, document: Document
) -> None:
    session.expire(document)
    document.content = b'new'
    session.delete(document)
    session.commit()
    assert contents(storage) == []


def test_a_detached_object_may_be_given_a_file_before_it_comes_back(
    session: Session, storage: Any, document: Document
) -> None:
    session.expunge(document)
    document.content = b'new'
    session.add(document)
    session.commit()
    assert contents(storage) == [b'new', b'scan']


@pytest.mark.parametrize('rubbish', ['no JSON', '[]', '"text"', '7'])
@pytest.mark.parametrize('mend', ['replace', 'delete'])
def test_a_row_with_rubbish_can_be_mended(
    session: Session, storage: Any, document: Document, rubbish: str, mend: str, caplog: pytest.LogCaptureFixture
) -> None:
    session.execute(text('UPDATE document SET second_file = :rubbish'), {'rubbish': rubbish})
    session.expire(document)
    if mend == 'replace':
        document.scan = b'new'
    else:
        session.delete(document)
    session.commit()
    assert 'document.second_file' in caplog.text
    assert contents(storage) == ([b'new', b'old', b'scan'] if mend == 'replace' else [b'scan'])


def test_a_row_with_rubbish_does_not_lock_its_table(
    make_engine: Callable[..., Engine], storage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table('scan', MetaData(), Column('id', Integer, primary_key=True), Column('content', UploadedFileField))
    with make_engine('sqlite').connect() as connection:
        table.create(connection)
        for n in 1, 2, 3:
            connection.execute(text("INSERT INTO scan VALUES (:n, 'no JSON')"), {'n': n})
        with pytest.raises(InvalidValue) as _kept_alive:
            connection.execute(insert(table).from_select(['content'], select(table.c.content)))
        connection.execute(delete(table).where(table.c.id == 1))
        connection.execute(update(table).values(content=b'new'))
        table.drop(connection)  # fails while a question has an answer that nobody fetched
        connection.commit()
    assert 'scan.content of row' in caplog.text


# Uploaded but never persisted


def test_a_file_that_was_expired_before_the_flush_goes(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    session.expire(document)
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_file_that_was_refreshed_away_goes(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    with session.no_autoflush:
        session.refresh(document)
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_file_of_an_expunged_object_goes(session: Session, storage: Any, document: Document) -> None:
    other = Document(content=b'new')
    session.add(other)
    session.expunge(other)
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_file_of_an_orphan_that_never_was_inserted_goes(session: Session, storage: Any) -> None:
    folder = Folder()
    session.add(folder)
    folder.documents.append(Document(content=b'new'))
    folder.documents.clear()
    session.commit()
    assert contents(storage) == []


# Moves, restores, re-adds, merges


def test_a_moved_file_stays(session: Session, storage: Any, document: Document) -> None:
    heir = Document(content=document.content)
    session.add(heir)
    document.content = None
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_file_that_moves_to_a_row_before_its_own_is_deleted_stays(
    session: Session, storage: Any, document: Document
) -> None:
    session.add(Document(content=document.content))
    session.flush()
    session.delete(document)
    session.commit()
    assert contents(storage) == [b'old']


def test_two_rows_may_swap_their_files(session: Session, storage: Any, document: Document) -> None:
    other = Document(content=b'other')
    session.add(other)
    session.commit()
    document.content, other.content = other.content, document.content
    session.commit()
    assert contents(storage) == [b'old', b'other', b'scan']


@pytest.mark.parametrize('flush', [True, False])
def test_a_restored_file_stays(session: Session, storage: Any, document: Document, flush: bool) -> None:
    old = document.content
    document.content = b'new'
    if flush:
        session.flush()
    document.content = old
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_file_assigned_to_itself_stays(session: Session, storage: Any, document: Document) -> None:
    document.content = document.content
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_an_expired_file_assigned_again_stays(session: Session, storage: Any, document: Document) -> None:
    old = document.content
    session.expire(document)
    document.content = old
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_row_deleted_and_added_again_keeps_its_files(session: Session, storage: Any, document: Document) -> None:
    assert document.content
    assert document.scan
    session.delete(document)
    session.flush()
    make_transient(document)
    session.add(document)
    session.commit()
    assert contents(storage) == [b'old', b'scan']


def test_a_row_deleted_and_replaced_in_one_flush_lets_its_file_go(
    session: Session, storage: Any, document: Document
) -> None:
    heir = Document(id=document.id, content=b'new')
    session.delete(document)
    session.add(heir)
    session.commit()
    stored = session.execute(text('SELECT content, second_file FROM document')).one()
    assert contents(storage) == ([b'new', b'scan'] if stored.second_file else [b'new'])


def test_a_merge_replaces_the_file(session: Session, storage: Any, document: Document) -> None:
    session.merge(Document(id=document.id, content=b'new'))
    session.commit()
    assert contents(storage) == [b'new', b'scan']


def test_a_merged_new_object_keeps_its_file(session: Session, storage: Any) -> None:
    merged = session.merge(Document(content=b'new'))
    session.commit()
    with merged.content.file as file:
        assert file.read() == b'new'


def test_a_detached_object_merged_into_another_session_keeps_its_file(
    storage: Any, document: Document, make_session: sessionmaker[Session], session: Session
) -> None:
    assert document.content
    session.expunge(document)
    with make_session() as other:
        other.merge(document)
        other.commit()
    assert contents(storage) == [b'old', b'scan']


# A row may be written many times in one transaction, by objects that come and go


def test_a_row_written_by_two_objects_one_after_the_other_keeps_the_last_file(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'second'
    session.flush()
    session.expunge_all()
    session.scalars(select(Document)).one().content = b'third'
    session.commit()
    assert contents(storage) == [b'scan', b'third']


def test_a_changed_primary_key_keeps_the_file(session: Session, storage: Any, document: Document) -> None:
    document.id = 77
    session.commit()
    document.content = b'new'
    session.commit()
    assert contents(storage) == [b'new', b'scan']


def test_a_file_replaced_after_its_row_got_another_key_goes(session: Session, storage: Any, document: Document) -> None:
    document.content = b'second'
    session.flush()
    document.id = 77
    session.flush()
    document.content = b'third'
    session.commit()
    assert contents(storage) == [b'scan', b'third']


def test_a_file_that_another_hook_assigns_in_the_flush_is_followed(
    session: Session, storage: Any, document: Document
) -> None:
    def replace(mapper: Any, connection: Any, target: Document) -> None:
        target.content = b'by the hook'

    assert document.content
    event.listen(Document, 'before_update', replace)
    try:
        document.name = 'changed'
        session.commit()
    finally:
        event.remove(Document, 'before_update', replace)
    assert contents(storage) == [b'by the hook', b'scan']


def test_a_file_that_a_columns_default_made_follows_the_transaction(session: Session, storage: Any) -> None:
    session.add(Letter(attachment=b'kept'))
    session.commit()
    session.add(Letter())
    session.flush()
    assert contents(storage) == [b'default', b'default', b'kept']
    session.rollback()
    assert contents(storage) == [b'default', b'kept']


# Statements, which are not followed yet, must not leave a row without its file


def test_objects_saved_in_bulk_keep_their_files_when_they_are_forgotten(session: Session, storage: Any) -> None:
    session.bulk_save_objects([Document(content=b'bulk')])
    session.commit()
    gc.collect()
    assert contents(storage) == [b'bulk']


def test_a_file_written_by_a_statement_stays_when_its_object_is_forgotten(session: Session, storage: Any) -> None:
    session.execute(insert(Document).values(content=Document(content=b'new').content))
    session.commit()
    gc.collect()
    assert contents(storage) == [b'new']


def test_a_file_written_by_a_statement_stays_when_its_object_is_expunged(session: Session, storage: Any) -> None:
    document = Document(content=b'new')
    session.add(document)
    with session.no_autoflush:
        session.execute(insert(Document).values(content=document.content))
    session.expunge(document)
    session.commit()
    assert contents(storage) == [b'new']


# Cascades


def test_files_of_rows_deleted_by_a_cascade_go(session: Session, storage: Any) -> None:
    folder = Folder(documents=[Document(content=b'a'), Document(content=b'b')])
    session.add(folder)
    session.commit()
    session.delete(folder)
    session.commit()
    assert contents(storage) == []


def test_the_file_of_an_orphan_goes(session: Session, storage: Any) -> None:
    folder = Folder(documents=[Document(content=b'a'), Document(content=b'b')])
    session.add(folder)
    session.commit()
    folder.documents.pop(0)
    session.commit()
    assert contents(storage) == [b'b']


def test_an_object_added_by_a_cascade_brings_its_file(session: Session, storage: Any) -> None:
    folder = Folder()
    session.add(folder)
    session.flush()
    folder.documents.append(Document(content=b'new'))
    session.rollback()
    assert contents(storage) == []


# Mappings of every shape


def test_a_mixin_brings_its_file(session: Session, storage: Any) -> None:
    letter = Letter(attachment=b'old')
    session.add(letter)
    session.commit()
    letter.attachment = b'new'  # type: ignore[assignment]
    session.commit()
    assert contents(storage) == [b'default', b'new']


@pytest.mark.parametrize('load', [True, False])
def test_joined_inheritance_follows_both_tables(session: Session, storage: Any, load: bool) -> None:
    video = Video(content=b'film', poster=b'poster')
    session.add(video)
    session.commit()
    if load:
        assert video.content
        assert video.poster
    video.content = b'new film'
    video.poster = b'new poster'
    session.commit()
    assert contents(storage) == [b'new film', b'new poster']
    session.expire_all()
    session.delete(video)
    session.commit()
    assert contents(storage) == []


def test_single_table_inheritance_follows_the_subclass(session: Session, storage: Any) -> None:
    sound = Sound(content=b'song', cover=b'cover')
    session.add(sound)
    session.commit()
    sound.cover = None
    session.commit()
    assert contents(storage) == [b'song']
    session.delete(sound)
    session.commit()
    assert contents(storage) == []


def test_a_second_declarative_base_is_followed(session: Session, storage: Any) -> None:
    elsewhere = Elsewhere(key='one', content=b'old')
    session.add(elsewhere)
    session.commit()
    elsewhere.content = b'new'
    session.commit()
    assert contents(storage) == [b'new']


def test_a_dataclass_is_followed(session: Session, storage: Any) -> None:
    session.add(Note(content=b'kept'))
    session.commit()
    session.add(Note(content=b'lost'))
    session.rollback()
    assert contents(storage) == [b'kept']


# Many files in one column


@pytest.fixture
def album(session: Session, storage: Any) -> Album:
    album = Album(photos=[b'a', b'b', b'c'])
    session.add(album)
    session.commit()
    return album


def test_a_photo_taken_out_goes_with_the_commit(session: Session, storage: Any, album: Album) -> None:
    album.photos.pop(1)
    session.flush()
    assert contents(storage) == [b'a', b'b', b'c']
    session.commit()
    assert contents(storage) == [b'a', b'c']


def test_a_photo_put_in_and_rolled_back_goes(session: Session, storage: Any, album: Album) -> None:
    album.photos.append(b'd')
    session.flush()
    session.rollback()
    assert contents(storage) == [b'a', b'b', b'c']
    assert len(album.photos) == 3


def test_a_slice_replaces_its_photos(session: Session, storage: Any, album: Album) -> None:
    album.photos[:2] = [b'x']
    session.commit()
    assert contents(storage) == [b'c', b'x']


def test_a_new_list_lets_the_old_photos_go_but_those_it_takes_over(
    session: Session, storage: Any, album: Album
) -> None:
    album.photos = [album.photos[2], b'x']
    session.commit()
    assert contents(storage) == [b'c', b'x']


def test_a_photo_that_moves_to_another_album_stays(session: Session, storage: Any, album: Album) -> None:
    session.add(Album(photos=[album.photos.pop()]))
    session.commit()
    assert contents(storage) == [b'a', b'b', b'c']


def test_a_list_changed_in_a_rolled_back_savepoint_is_as_it_was(session: Session, storage: Any, album: Album) -> None:
    album.photos.append(b'd')
    savepoint = session.begin_nested()
    album.photos.append(b'e')
    del album.photos[0]
    savepoint.rollback()
    session.commit()
    assert contents(storage) == [b'a', b'b', b'c', b'd']


def test_a_deleted_album_lets_all_its_photos_go(session: Session, storage: Any, album: Album) -> None:
    album.photos.pop()
    session.delete(album)
    session.commit()
    assert contents(storage) == []
