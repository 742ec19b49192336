"""What a column's filters may do to a file, and that they do it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.errors import ConfigurationError, FileMissing
from depot.fields.interfaces import FileFilter
from depot.fields.ming import UploadedFileProperty
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage
from depot.io.utils import FileIntent

Contents = Callable[[], list[bytes]]


class Adding(FileFilter):
    """Adds a key and a second file, and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_save(self, uploaded_file: Any) -> None:
        self.seen.append(uploaded_file.original_content)
        uploaded_file['pages'] = 3
        uploaded_file.preview_path, _ = uploaded_file.store_content(b'preview', 'preview.png')


class Refusing(FileFilter):
    def on_save(self, uploaded_file: Any) -> None:
        uploaded_file.store_content(b'half a thumbnail')
        raise ZeroDivisionError('no such picture')


@pytest.fixture
def adding() -> Adding:
    return Adding()


@pytest.fixture
def model(base: Any, storage: Any, adding: Adding) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'

        id: Mapped[int] = mapped_column(primary_key=True)
        plain: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)
        content: Mapped[Any] = mapped_column(UploadedFileField(filters=[adding]), nullable=True)
        refused: Mapped[Any] = mapped_column(UploadedFileField(filters=[adding, Refusing()]), nullable=True)
        refusing_list: Mapped[Any] = mapped_column(UploadedFileField(filters=[adding, Refusing()], multiple=True))

    return Document


def test_a_filter_adds_keys_and_files(model: Any, stored: Contents, saved: Callable[..., Any]) -> None:
    document = saved(model(content=b'content'))
    assert (document.content.pages, document.content['preview_path']) == (3, document.content.files[1])
    assert stored() == [b'content', b'preview']


def test_a_filter_sees_what_was_assigned(model: Any, storage: Any, adding: Adding) -> None:
    content = FileIntent(b'content', 'a.txt', 'text/plain')
    document = model(content=content)
    assert adding.seen == [content]
    assert 'original_content' not in document.content


def test_filtered_information_is_immutable(model: Any, storage: Any) -> None:
    with pytest.raises(TypeError, match='immutable'):
        model(content=b'content').content['pages'] = 4


def test_files_of_filters_go_with_a_rollback(model: Any, session: Session, stored: Contents) -> None:
    document = model(content=b'content')
    session.add(document)
    session.rollback()
    assert stored() == []


def test_files_of_filters_go_when_the_file_is_replaced(
    model: Any, session: Session, stored: Contents, saved: Callable[..., Any]
) -> None:
    document = saved(model(content=b'content'))
    document.content = None
    session.commit()
    assert stored() == []


def test_a_refused_file_leaves_nothing_not_even_the_files_of_earlier_filters(model: Any, stored: Contents) -> None:
    document = model()
    with pytest.raises(ZeroDivisionError, match='no such picture'):
        document.refused = b'content'
    assert document.refused is None
    assert stored() == []


def test_a_refused_file_leaves_the_session_usable(
    model: Any, session: Session, stored: Contents, saved: Callable[..., Any]
) -> None:
    document = saved(model(plain=b'old'))
    document.plain = b'new'
    with pytest.raises(ZeroDivisionError):
        document.refused = b'content'
    session.commit()
    assert (document.plain.file.read(), document.refused) == (b'new', None)
    assert stored() == [b'new']


def test_an_item_of_a_list_can_be_refused(model: Any, stored: Contents) -> None:
    document = model()
    with pytest.raises(ZeroDivisionError):
        document.refusing_list.append(b'content')
    assert document.refusing_list == []
    assert stored() == []


# A file made before it is assigned


def test_filters_run_for_a_file_made_beforehand(model: Any, storage: Any, adding: Adding) -> None:
    uploaded = UploadedFile(b'content')
    document = model(content=uploaded)
    assert document.content is uploaded
    assert adding.seen == [b'content']
    assert document.content.pages == 3


def test_filters_run_once_however_often_a_file_is_assigned(model: Any, stored: Contents, adding: Adding) -> None:
    document = model(content=UploadedFile(b'content'))
    document.content = document.content
    model(content=document.content)
    assert len(adding.seen) == 1
    assert stored() == [b'content', b'preview']


def test_filters_do_not_run_for_a_loaded_file(
    model: Any, session: Session, saved: Callable[..., Any], adding: Adding
) -> None:
    document = saved(model(plain=b'content'))
    session.refresh(document)
    document.content = document.plain
    assert adding.seen == []


def test_a_refused_file_made_beforehand_is_removed_and_stays_immutable(model: Any, stored: Contents) -> None:
    uploaded = UploadedFile(b'content')
    with pytest.raises(ZeroDivisionError):
        model().refused = uploaded
    assert stored() == []
    with pytest.raises(TypeError, match='immutable'):
        uploaded['pages'] = 4


def test_a_refused_file_made_beforehand_cannot_be_saved_elsewhere(
    model: Any, session: Session, saved: Callable[..., Any]
) -> None:
    document = saved(model())
    uploaded = UploadedFile(b'content')
    with pytest.raises(ZeroDivisionError):
        document.refused = uploaded
    document.plain = uploaded
    with pytest.raises(FileMissing, match='assign the content anew'):
        session.commit()
    session.rollback()
    assert document.plain is None


# Stored ahead of assignment by the column's type


def test_a_column_stores_ahead_of_assignment_with_its_filters(model: Any, stored: Contents, adding: Adding) -> None:
    uploaded = model.content.type.upload(b'content')
    assert uploaded.pages == 3
    assert model(content=uploaded).content is uploaded
    assert adding.seen == [b'content']
    assert stored() == [b'content', b'preview']


def test_a_column_stores_ahead_of_assignment_under_a_given_name(model: Any, storage: MemoryFileStorage) -> None:
    named = model.content.type.upload(b'content', 'a.txt')
    typed = model.content.type.upload(b'content', content_type='text/csv')
    assert (named.filename, named.content_type) == ('a.txt', 'text/plain')
    assert (typed.filename, typed.content_type) == ('unnamed', 'text/csv')


def test_a_column_refuses_ahead_of_assignment_too(model: Any, stored: Contents) -> None:
    with pytest.raises(ZeroDivisionError):
        model.refused.type.upload(b'content')
    assert stored() == []


def test_a_filter_must_say_what_it_does(base: type[DeclarativeBase]) -> None:
    with pytest.raises(TypeError, match='on_save'):
        FileFilter()  # type: ignore[abstract]


@pytest.mark.parametrize('field', [UploadedFileField, UploadedFileProperty])
@pytest.mark.parametrize('filters', [Adding(), Adding, [Adding], ['thumbnail'], 3])
def test_what_is_no_list_of_filters_is_refused_where_the_column_is_declared(field: Any, filters: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'filters = .*; they look like \[MyFilter\(\)\]'):
        field(filters=filters)
