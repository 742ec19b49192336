"""A list of files behaves as a list does, and each change is written."""

from __future__ import annotations

import copy
import io
import pathlib
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.errors import InvalidValue
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile

Save = Callable[..., Any]
Contents = Callable[[], list[bytes]]


class Base(DeclarativeBase):
    pass


class Album(Base):
    __tablename__ = 'album'

    id: Mapped[int] = mapped_column(primary_key=True)
    photos: Mapped[Any] = mapped_column(UploadedFileField(multiple=True), nullable=False)


@pytest.fixture
def album(storage: Any, saved: Save) -> Any:
    return saved(Album(photos=[b'a', b'b', b'c']))


def read(files: Any) -> list[bytes]:
    return [each.file.read() for each in files]


def _add(album: Any) -> None:
    album.photos += [b'x', b'y']


def _multiply(album: Any) -> None:
    album.photos *= 1


def _set_index(album: Any) -> None:
    album.photos[1] = b'x'


def _set_slice(album: Any) -> None:
    album.photos[1:] = [b'x']


def _delete(album: Any) -> None:
    del album.photos[-1]


def _assign(album: Any) -> None:
    album.photos = [b'x', album.photos[0]]


def _assign_none(album: Any) -> None:
    album.photos = None


CHANGES: list[tuple[Callable[[Any], object], list[bytes]]] = [
    (lambda album: album.photos.append(b'x'), [b'a', b'b', b'c', b'x']),
    (lambda album: album.photos.extend([b'x']), [b'a', b'b', b'c', b'x']),
    (lambda album: album.photos.extend(iter([b'x'])), [b'a', b'b', b'c', b'x']),
    (lambda album: album.photos.insert(1, b'x'), [b'a', b'x', b'b', b'c']),
    (lambda album: album.photos.remove(album.photos[1]), [b'a', b'c']),
    (lambda album: album.photos.pop(), [b'a', b'b']),
    (lambda album: album.photos.pop(0), [b'b', b'c']),
    (lambda album: album.photos.clear(), []),
    (lambda album: album.photos.reverse(), [b'c', b'b', b'a']),
    (lambda album: album.photos.sort(key=lambda each: -each.file.read()[0]), [b'c', b'b', b'a']),
    (_add, [b'a', b'b', b'c', b'x', b'y']),
    (_multiply, [b'a', b'b', b'c']),
    (_set_index, [b'a', b'x', b'c']),
    (_set_slice, [b'a', b'x']),
    (_delete, [b'a', b'b']),
    (_assign, [b'x', b'a']),
    (_assign_none, []),
]


@pytest.mark.parametrize(('change', 'expected'), CHANGES)
@pytest.mark.parametrize('fresh', [True, False])
def test_each_change_is_written_and_its_files_follow(
    album: Any, session: Session, stored: Contents, change: Callable[[Any], object], expected: list[bytes], fresh: bool
) -> None:
    if not fresh:
        _ = album.photos
    change(album)
    session.commit()
    session.expire_all()
    assert read(album.photos) == expected
    assert stored() == sorted(expected)


@pytest.mark.parametrize(('change', 'expected'), CHANGES)
def test_each_change_can_be_rolled_back(
    album: Any, session: Session, stored: Contents, change: Callable[[Any], object], expected: list[bytes]
) -> None:
    change(album)
    session.flush()
    session.rollback()
    assert read(album.photos) == [b'a', b'b', b'c'] == stored()


@pytest.mark.parametrize(('change', 'expected'), CHANGES)
def test_each_change_works_before_the_object_is_saved(
    storage: Any, saved: Save, change: Callable[[Any], object], expected: list[bytes]
) -> None:
    album = Album(photos=[b'a', b'b', b'c'])
    change(album)
    assert read(saved(album).photos) == expected


def test_no_file_is_an_empty_list_never_null(storage: Any, session: Session, saved: Save) -> None:
    saved(Album())
    saved(Album(photos=None))
    saved(Album(photos=[]))
    assert session.scalars(text('SELECT photos FROM album')).all() == ['[]', '[]', '[]']


def test_an_attribute_never_set_can_be_read_and_appended_to(storage: Any, saved: Save) -> None:
    album = Album()
    assert album.photos == []
    album.photos.append(b'a')
    assert read(saved(album).photos) == [b'a']


def test_a_list_given_to_two_rows_is_two_lists(album: Any, session: Session, saved: Save) -> None:
    other = saved(Album(photos=album.photos))
    other.photos.append(b'x')
    session.commit()
    assert (read(album.photos), read(other.photos)) == ([b'a', b'b', b'c'], [b'a', b'b', b'c', b'x'])


def test_a_failing_item_leaves_none_of_its_list_behind(album: Any, stored: Contents) -> None:
    with pytest.raises(TypeError, match='Only bytes'):
        album.photos = [b'x', b'y', 'text']
    with pytest.raises(TypeError, match='Only bytes'):
        album.photos.extend([b'x', 'text'])
    with pytest.raises(TypeError, match='Only bytes'):
        album.photos[:1] = [b'x', 'text']
    assert read(album.photos) == [b'a', b'b', b'c'] == stored()


def test_a_failing_item_leaves_a_file_made_beforehand_alone(album: Any, stored: Contents) -> None:
    beforehand = UploadedFile(b'z')
    with pytest.raises(TypeError):
        album.photos = [beforehand, 'text']
    assert beforehand.file.read() == b'z'


def _field_storage() -> Any:
    class FieldStorage:
        file, filename = io.BytesIO(b'content'), 'a.txt'

        def __iter__(self) -> Any:
            return iter(['key'])

    return FieldStorage()


@pytest.mark.parametrize(
    'single',
    ['text', b'bytes', bytearray(b'x'), {'path': 'x'}, io.BytesIO(b'x'), pathlib.Path('x'), 7, _field_storage()],
    ids=lambda each: type(each).__name__,
)
def test_one_content_is_no_list(album: Any, stored: Contents, single: Any) -> None:
    with pytest.raises(InvalidValue, match='holds a list'):
        album.photos = single
    assert read(album.photos) == [b'a', b'b', b'c'] == stored()


def test_one_uploaded_file_is_no_list(album: Any, stored: Contents) -> None:
    with pytest.raises(InvalidValue, match='holds a list'):
        album.photos = album.photos[0]


def test_a_pickled_object_has_its_list_and_goes_on_tracking_it(
    album: Any, session: Session, engine: Any, stored: Contents
) -> None:
    _ = album.photos
    session.expunge(album)
    again = pickle.loads(pickle.dumps(album))
    session.add(again)
    again.photos.append(b'x')
    session.commit()
    assert read(again.photos) == [b'a', b'b', b'c', b'x']


def test_a_copied_list_is_no_part_of_the_row(album: Any, session: Session) -> None:
    for copied in (copy.copy(album.photos), copy.deepcopy(album.photos), album.photos[:]):
        copied.append(copied.pop())
        copied.pop()
    assert not session.dirty


def test_an_album_read_from_a_single_files_column_has_one_photo(album: Any, session: Session) -> None:
    one = album.photos[0]
    session.execute(text('UPDATE album SET photos = :one'), {'one': one.encode()})
    session.expire_all()
    assert album.photos == [one]
