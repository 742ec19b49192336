"""The filter that stores thumbnails beside any uploaded image."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Mapped, Session, mapped_column

from depot.errors import ConfigurationError, InvalidImage
from depot.fields.filters.thumbnails import WithThumbnailFilter
from depot.fields.specialized.image import UploadedImageWithThumb
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.images.settings import configure_images
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..images import pictures
from ..images.pictures import BLUE, GREEN, RED, animated, cornered, encoded, opened, oriented
from .test_image_with_thumb import SOURCES

PHOTO = encoded(cornered(), 'JPEG')


@pytest.fixture(autouse=True)
def default_limits() -> Iterator[None]:
    yield
    configure_images()


def filtered(content: Any, *filters: WithThumbnailFilter) -> Any:
    uploaded = UploadedFile(content)
    uploaded._apply_filters(filters)
    return uploaded


def at(path: str) -> bytes:
    with DepotManager.get_file(path) as file:
        content: bytes = file.read()
    return content


def thumbnail(content: Any, **options: Any) -> bytes:
    """The thumbnail of 30 pixels that a content gets."""
    return at(filtered(content, WithThumbnailFilter((30, 30), **options)).thumb_30x30_path)


def test_thumbnails_of_several_sizes_and_formats_combine(storage: MemoryFileStorage) -> None:
    uploaded = filtered(PHOTO, WithThumbnailFilter(), WithThumbnailFilter((60, 30), 'JPEG'))
    assert opened(at(uploaded.thumb_128x128_path)).size == (128, 85)
    assert opened(at(uploaded.thumb_60x30_path)).size == (45, 30)
    files = [DepotManager.get_file(each) for each in uploaded.files]
    names = [(each.filename, each.content_type) for each in files[1:]]
    assert names == [('thumb_128x128.png', 'image/png'), ('thumb_60x30.jpeg', 'image/jpeg')]
    assert uploaded.files[2] == uploaded.thumb_60x30_path == f'default/{uploaded.thumb_60x30_id}'


def test_the_file_itself_stays_as_it_is(storage: MemoryFileStorage) -> None:
    uploaded = filtered(PHOTO, WithThumbnailFilter((30, 30)))
    assert at(uploaded.path) == PHOTO


def test_an_image_that_is_smaller_is_not_blown_up(storage: MemoryFileStorage) -> None:
    assert opened(thumbnail(encoded(cornered(20, 10)))).size == (20, 10)


@pytest.mark.parametrize('source', SOURCES)
def test_every_content_that_can_be_stored_gets_a_thumbnail(storage: MemoryFileStorage, source: str) -> None:
    content = thumbnail(SOURCES[source](PHOTO))
    assert pictures.are_near(pictures.corner_colours(content), pictures.CORNERS, 20)


def test_a_path_gets_a_thumbnail(storage: MemoryFileStorage, tmp_path: Path) -> None:
    (tmp_path / 'photo.jpg').write_bytes(PHOTO)
    assert opened(thumbnail(tmp_path / 'photo.jpg')).size == (30, 20)


def test_a_file_that_was_closed_since_is_read_from_the_storage(storage: MemoryFileStorage) -> None:
    with io.BytesIO(PHOTO) as file:
        uploaded = UploadedFile(file)
    uploaded._apply_filters([WithThumbnailFilter((30, 30))])
    assert opened(at(uploaded.thumb_30x30_path)).size == (30, 20)


def test_a_file_stays_open_and_has_been_read(storage: MemoryFileStorage) -> None:
    file = io.BytesIO(PHOTO)
    filtered(file, WithThumbnailFilter((30, 30)))
    assert file.read() == b''


def test_a_file_that_can_be_read_again_is_not_fetched_from_the_storage(
    storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = UploadedFile(io.BytesIO(PHOTO))
    storage.replace(uploaded.file_id, b'something else')
    uploaded._apply_filters([WithThumbnailFilter((30, 30))])
    assert opened(at(uploaded.thumb_30x30_path)).size == (30, 20)


@pytest.mark.parametrize('image_format', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'AVIF'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_thumbnail_is_upright(storage: MemoryFileStorage, orientation: int, image_format: str) -> None:
    content = thumbnail(oriented(orientation, image_format))
    assert opened(content).size == (30, 20)
    assert pictures.are_near(pictures.corner_colours(content), pictures.CORNERS, 20)


@pytest.mark.parametrize(
    ('options', 'background'),
    [({}, (255, 255, 255)), ({'background': 'blue'}, BLUE), ({'background': '#0f0'}, GREEN)],
    ids=['by default', 'by name', 'by number'],
)
@pytest.mark.parametrize('image_format', ['JPEG', 'BMP', 'PPM'])
def test_a_thumbnail_without_transparency_is_on_a_background(
    storage: MemoryFileStorage, options: Any, background: Any, image_format: str
) -> None:
    content = thumbnail(encoded(cornered(colours=[(0, 0, 0, 0)] * 4)), format=image_format, **options)
    assert opened(content).mode == 'RGB'
    assert pictures.are_near(pictures.corner_colours(content), [background] * 4)


IN_TIFF_ONLY = {'CMYK', 'YCbCr', 'LAB', 'F', 'I'}

# Pillow 12 cannot read what it writes without.
WRITTEN = {'YCbCr': {'compression': 'tiff_lzw'}}


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'LAB', 'I;16', 'I', 'F'])
@pytest.mark.parametrize('image_format', ['PNG', 'JPEG', 'GIF', 'WEBP', 'AVIF', 'TIFF', 'BMP'])
def test_an_image_of_every_mode_gets_a_thumbnail_in_every_format(
    storage: MemoryFileStorage, mode: str, image_format: str
) -> None:
    content = encoded(pictures.in_mode(mode), 'TIFF' if mode in IN_TIFF_ONLY else 'PNG', **WRITTEN.get(mode, {}))
    assert opened(thumbnail(content, format=image_format)).size == (30, 20)


def test_frames_stay_where_the_format_can(storage: MemoryFileStorage) -> None:
    moving = animated([RED, GREEN, BLUE])
    colours = [(*each, 255) for each in (RED, GREEN, BLUE)]
    assert pictures.are_near(pictures.frame_colours(thumbnail(moving, format='GIF')), colours)
    assert pictures.are_near(pictures.frame_colours(thumbnail(moving, format='WEBP')), colours)
    assert pictures.are_near(pictures.frame_colours(thumbnail(moving, format='JPEG')), colours[:1])


@pytest.mark.parametrize('tenth', range(10))
@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_a_truncated_image_is_refused(storage: MemoryFileStorage, image_format: str, tenth: int) -> None:
    content = encoded(cornered(), image_format)
    with pytest.raises(InvalidImage):
        filtered(content[: len(content) * tenth // 10], WithThumbnailFilter((30, 30)))
    assert storage.list() == []


def test_what_is_no_image_is_refused_and_leaves_no_other_thumbnail(storage: MemoryFileStorage) -> None:
    with pytest.raises(InvalidImage, match='is not an image'):
        filtered(b'no image', WithThumbnailFilter((30, 30)), WithThumbnailFilter((60, 60)))
    assert storage.list() == []


@pytest.mark.parametrize('size', [128, (128,), (0, 10), (10, -1), (1, 2, 3), ('a', 'b'), None, (1.5, 2)])
def test_a_size_that_is_none_is_refused_early(size: Any) -> None:
    with pytest.raises(ConfigurationError, match='is no width and height in pixels'):
        WithThumbnailFilter(size)


def test_a_format_that_is_none_is_refused_early() -> None:
    with pytest.raises(ConfigurationError, match="format = 'PNGG' is none that Pillow writes; choose from .*JPEG"):
        WithThumbnailFilter(format='PNGG')


@pytest.mark.parametrize('background', ['wite', None, '#12345'])
def test_a_background_that_is_none_is_refused_early(background: Any) -> None:
    with pytest.raises(ConfigurationError, match='is no colour'):
        WithThumbnailFilter(background=background)


def test_it_works_on_an_image_that_was_shrunk_already(storage: MemoryFileStorage) -> None:
    uploaded = UploadedImageWithThumb(io.BytesIO(encoded(cornered(1200, 800))))
    uploaded._apply_filters([WithThumbnailFilter((30, 30))])
    assert opened(at(uploaded.thumb_30x30_path)).size == (30, 20)
    assert len(uploaded.files) == 3


# URLs


def test_without_a_middleware_the_url_is_made_when_asked_for(storage: MemoryFileStorage) -> None:
    uploaded = filtered(PHOTO, WithThumbnailFilter((30, 30)))
    assert 'thumb_30x30_url' not in uploaded
    DepotManager.make_middleware(None)
    assert uploaded.thumb_30x30_url == uploaded['thumb_30x30_url'] == f'/depot/{uploaded.thumb_30x30_path}'
    assert UploadedFile.decode(uploaded.encode()).thumb_30x30_url == uploaded.thumb_30x30_url


def test_without_a_middleware_asking_for_the_url_says_what_is_missing(storage: MemoryFileStorage) -> None:
    with pytest.raises(RuntimeError, match='middleware'):
        filtered(PHOTO, WithThumbnailFilter((30, 30))).thumb_30x30_url  # noqa: B018


def test_with_a_middleware_the_url_is_kept_for_whoever_reads_the_row(storage: MemoryFileStorage) -> None:
    DepotManager.make_middleware(None)
    uploaded = filtered(PHOTO, WithThumbnailFilter((30, 30)))
    assert dict(uploaded)['thumb_30x30_url'] == f'/depot/{uploaded.thumb_30x30_path}'


def test_the_url_of_a_public_storage_is_kept(storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(storage.get(storage.create(b''))), 'public_url', 'https://files.example/1')
    assert dict(filtered(PHOTO, WithThumbnailFilter((30, 30))))['thumb_30x30_url'] == 'https://files.example/1'


def test_the_url_of_a_private_storage_is_signed_and_not_kept() -> None:
    DepotManager.configure('default', {'depot.backend': 'depot.io.memory.MemoryFileStorage', 'depot.private': 'true'})
    DepotManager.make_middleware(None, secret_key='secret')
    uploaded = filtered(PHOTO, WithThumbnailFilter((30, 30)))
    assert 'thumb_30x30_url' not in uploaded
    assert uploaded.thumb_30x30_url.startswith(f'/depot/{uploaded.thumb_30x30_path}?token=')


def test_a_url_of_no_thumbnail_is_no_attribute(storage: MemoryFileStorage) -> None:
    uploaded = filtered(PHOTO, WithThumbnailFilter((30, 30)))
    with pytest.raises(AttributeError, match="no 'thumb_60x60_url'"):
        uploaded.thumb_60x60_url  # noqa: B018
    with pytest.raises(KeyError):
        uploaded['thumb_60x60_url']


# Rows


@pytest.fixture
def person(base: Any, storage: Any) -> Any:
    class Person(base):  # type: ignore[misc]
        __tablename__ = 'person'

        id: Mapped[int] = mapped_column(primary_key=True)
        photo: Mapped[Any] = mapped_column(UploadedFileField(filters=[WithThumbnailFilter((30, 30))]), nullable=True)

    return Person


def test_thumbnails_go_with_their_file(
    person: Any, storage: MemoryFileStorage, session: Session, saved: Callable[..., Any]
) -> None:
    someone = saved(person(photo=PHOTO))
    assert opened(at(someone.photo.thumb_30x30_path)).size == (30, 20)
    someone.photo = PHOTO
    assert len(storage.list()) == 4
    session.rollback()
    assert len(storage.list()) == 2
    someone.photo = None
    session.commit()
    assert storage.list() == []


def test_a_refused_image_leaves_the_row_as_it_was(
    person: Any, storage: MemoryFileStorage, session: Session, saved: Callable[..., Any]
) -> None:
    someone = saved(person(photo=PHOTO))
    with pytest.raises(InvalidImage):
        someone.photo = io.BytesIO(PHOTO[:500])
    session.commit()
    assert at(someone.photo.path) == PHOTO
    assert len(storage.list()) == 2
