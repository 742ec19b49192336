"""The uploaded image that applications know from the published package: shrunk when it is large, with a thumbnail."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.orm import Mapped, Session, mapped_column

from depot.errors import ConfigurationError, ImageTooLarge, InvalidContent, InvalidImage
from depot.fields.specialized.image import UploadedImageWithThumb
from depot.fields.sqlalchemy import UploadedFileField
from depot.images.settings import configure_images
from depot.io.memory import MemoryFileStorage
from depot.io.utils import FileIntent
from depot.manager import DepotManager

from ..images import pictures
from ..images.pictures import BLUE, GREEN, RED, YELLOW, animated, cornered, encoded, opened, oriented

ROOT = Path(__file__).parents[2]
PHOTO = encoded(cornered(), 'JPEG')


class Small(UploadedImageWithThumb):
    """Shrunk soon, so that the tests have little to do."""

    max_size = 120
    thumbnail_size = (30, 30)


class SmallInJpeg(Small):
    thumbnail_format = 'JPEG'


class SmallOnBlue(SmallInJpeg):
    thumbnail_background = 'blue'


class SmallInGif(Small):
    thumbnail_format = 'GIF'


class SmallInWebp(Small):
    thumbnail_format = 'webp'


@pytest.fixture(autouse=True)
def default_limits() -> Iterator[None]:
    yield
    configure_images()


def thumbnail(uploaded: Any) -> bytes:
    with uploaded.thumb_file as file:
        content: bytes = file.read()
    return content


def stored_content(uploaded: Any) -> bytes:
    with uploaded.file as file:
        content: bytes = file.read()
    return content


# What is stored


def test_the_sizes_are_those_that_applications_know(storage: MemoryFileStorage) -> None:
    uploaded = UploadedImageWithThumb(encoded(Image.new('RGB', (3000, 2000), 'red'), 'JPEG'))
    assert opened(stored_content(uploaded)).size == (1024, 683)
    assert opened(thumbnail(uploaded)).size == (128, 85)
    assert opened(thumbnail(uploaded)).format == 'PNG'


@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_a_large_image_is_shrunk_in_its_own_format(storage: MemoryFileStorage, image_format: str) -> None:
    content = encoded(cornered(), image_format)
    uploaded = Small(content)
    assert opened(stored_content(uploaded)).size == (120, 80)
    assert opened(stored_content(uploaded)).format == opened(content).format
    assert pictures.are_near(pictures.corner_colours(stored_content(uploaded)), pictures.CORNERS)
    assert pictures.are_near(pictures.corner_colours(thumbnail(uploaded)), pictures.CORNERS, 20)


@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_an_image_that_is_small_enough_is_stored_byte_for_byte(storage: MemoryFileStorage, image_format: str) -> None:
    content = encoded(cornered(120, 80), image_format)
    uploaded = Small(content)
    assert stored_content(uploaded) == content
    assert opened(thumbnail(uploaded)).size == (30, 20)


def test_an_image_with_one_long_side_is_shrunk_to_a_pixel_at_least(storage: MemoryFileStorage) -> None:
    uploaded = Small(encoded(Image.new('RGB', (2000, 3), 'red')))
    assert opened(stored_content(uploaded)).size == (120, 1)
    assert opened(thumbnail(uploaded)).size == (30, 1)


def test_name_and_type_are_those_of_the_upload(storage: MemoryFileStorage) -> None:
    uploaded = Small(FileIntent(io.BytesIO(PHOTO), 'holiday.jpg', 'image/jpeg'))
    assert (uploaded.filename, uploaded.content_type) == ('holiday.jpg', 'image/jpeg')
    assert uploaded.size == len(stored_content(uploaded))


@pytest.mark.parametrize(
    ('kind', 'name', 'content_type'),
    [
        (Small, 'thumb.png', 'image/png'),
        (SmallInJpeg, 'thumb.jpeg', 'image/jpeg'),
        (SmallInGif, 'thumb.gif', 'image/gif'),
        (SmallInWebp, 'thumb.webp', 'image/webp'),
    ],
)
def test_the_thumbnail_is_called_by_its_format(
    storage: MemoryFileStorage, kind: Any, name: str, content_type: str
) -> None:
    file = kind(PHOTO).thumb_file
    assert (file.filename, file.content_type) == (name, content_type)


def test_the_keys_are_those_of_the_published_package(storage: MemoryFileStorage) -> None:
    uploaded = Small(PHOTO)
    assert uploaded['thumb_path'] == f'default/{uploaded["thumb_id"]}' == uploaded.files[1]
    assert uploaded['_thumb_public_url'] is None
    assert Small.decode(uploaded.encode()) == uploaded


def test_what_the_published_package_has_stored_is_read(storage: MemoryFileStorage) -> None:
    thumb_id = storage.create(b'thumbnail', 'thumb.png', 'image/png')
    row = {'depot_name': 'default', 'files': [], 'file_id': 'x', 'path': 'default/x', '_public_url': None}
    row |= {'thumb_id': thumb_id, 'thumb_path': f'default/{thumb_id}', '_thumb_public_url': None}
    assert thumbnail(UploadedImageWithThumb.decode(json.dumps(row))) == b'thumbnail'


def test_a_format_that_is_none_says_so_and_nothing_is_stored(storage: MemoryFileStorage) -> None:
    class Odd(Small):
        thumbnail_format = 'PNGG'

    with pytest.raises(ConfigurationError, match="format = 'PNGG' is none that Pillow writes; choose from .*JPEG"):
        Odd(PHOTO)
    assert storage.list() == []


# Where it comes from


class Stream:
    """Bytes that come once, as from a socket."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 1000) if size > 0 else size)


def _stored(content: bytes) -> Any:
    storage = MemoryFileStorage()
    return storage.get(storage.create(content, 'photo.jpg', 'image/jpeg'))


def _later(content: bytes) -> io.BytesIO:
    file = io.BytesIO(b'--boundary' + content)
    file.seek(10)
    return file


SOURCES: dict[str, Callable[[bytes], Any]] = {
    'bytes': bytes,
    'bytearray': bytearray,
    'memoryview': memoryview,
    'file': io.BytesIO,
    'file at a later position': _later,
    'stream': Stream,
    'blocks': lambda content: iter([content[:99], content[99:]]),
    'intent of bytes': lambda content: FileIntent(content, 'photo.jpg', 'image/jpeg'),
    'intent of a stream': lambda content: FileIntent(Stream(content), 'photo.jpg', 'image/jpeg'),
    'stored file': _stored,
    'upload': lambda content: SimpleNamespace(file=io.BytesIO(content), filename='photo.jpg'),
}


@pytest.mark.parametrize('size', [(100, 60), (300, 200)], ids=['stored as it is', 'shrunk'])
@pytest.mark.parametrize('source', SOURCES)
def test_every_content_that_can_be_stored_can_be_an_image(
    storage: MemoryFileStorage, source: str, size: tuple[int, int]
) -> None:
    content = encoded(cornered(*size), 'JPEG')
    uploaded = Small(SOURCES[source](content))
    assert opened(thumbnail(uploaded)).size == (30, 20 if size[0] == 300 else 18)
    assert (stored_content(uploaded) == content) is (size[0] == 100)


def test_a_path_can_be_an_image(storage: MemoryFileStorage, tmp_path: Path) -> None:
    path = tmp_path / 'photo.jpg'
    path.write_bytes(PHOTO)
    uploaded = Small(path)
    assert (uploaded.filename, uploaded.content_type) == ('photo.jpg', 'image/jpeg')
    assert opened(thumbnail(uploaded)).size == (30, 20)


@pytest.mark.parametrize('size', [(100, 60), (300, 200)], ids=['stored as it is', 'shrunk'])
def test_a_file_stays_open_and_has_been_read(storage: MemoryFileStorage, size: tuple[int, int]) -> None:
    file = io.BytesIO(encoded(cornered(*size)))
    Small(file)
    assert file.read() == b''


def test_text_is_no_image(storage: MemoryFileStorage) -> None:
    with pytest.raises(InvalidContent, match='Only bytes'):
        Small('an image')
    assert storage.list() == []


# What it looks like


@pytest.mark.parametrize('image_format', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'AVIF'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_an_image_is_upright_in_whichever_orientation_it_was_stored(
    storage: MemoryFileStorage, orientation: int, image_format: str
) -> None:
    uploaded = Small(oriented(orientation, image_format))
    for content, size in ((stored_content(uploaded), (120, 80)), (thumbnail(uploaded), (30, 20))):
        assert opened(content).size == size
        assert pictures.are_near(pictures.corner_colours(content), pictures.CORNERS, 20)
        assert 0x0112 not in opened(content).getexif() or image_format == 'TIFF'


@pytest.mark.parametrize('orientation', range(1, 9))
def test_the_thumbnail_of_an_image_that_stays_as_it_is_is_upright_too(
    storage: MemoryFileStorage, orientation: int
) -> None:
    uploaded = Small(oriented(orientation, size=(90, 60)))
    assert stored_content(uploaded) == oriented(orientation, size=(90, 60))
    assert opened(thumbnail(uploaded)).size == (30, 20)
    assert pictures.are_near(pictures.corner_colours(thumbnail(uploaded)), pictures.CORNERS, 20)


@pytest.mark.parametrize(
    ('kind', 'background'), [(SmallInJpeg, (255, 255, 255)), (SmallOnBlue, BLUE)], ids=['by default', 'chosen']
)
@pytest.mark.parametrize('transparent', ['PNG', 'WEBP', 'GIF', 'palette', 'grey'])
def test_a_thumbnail_without_transparency_is_on_a_background(
    storage: MemoryFileStorage, transparent: str, kind: Any, background: tuple[int, ...]
) -> None:
    picture = cornered(colours=((255, 0, 0, 255), (255, 0, 0, 255), (0, 0, 0, 0), (0, 0, 0, 0)))
    if transparent == 'grey':
        picture = picture.convert('LA')
    if transparent == 'palette':
        picture = picture.quantize(16)
    top = (76, 76, 76) if transparent == 'grey' else RED
    uploaded = kind(encoded(picture, transparent if transparent.isupper() else 'PNG'))
    assert opened(thumbnail(uploaded)).mode == 'RGB'
    assert pictures.are_near(pictures.corner_colours(thumbnail(uploaded)), (top, top, background, background))


def test_a_transparent_image_stays_so_where_the_format_can(storage: MemoryFileStorage) -> None:
    uploaded = Small(encoded(Image.new('RGBA', (300, 200), (255, 0, 0, 128))))
    for content in (stored_content(uploaded), thumbnail(uploaded)):
        assert pictures.are_near(pictures.frame_colours(content), [(255, 0, 0, 128)], 2)


@pytest.mark.parametrize('image_format', ['JPEG', 'TIFF'])
def test_cmyk_becomes_rgb(storage: MemoryFileStorage, image_format: str) -> None:
    uploaded = Small(encoded(cornered().convert('CMYK'), image_format))
    assert pictures.are_near(pictures.corner_colours(stored_content(uploaded)), pictures.CORNERS)
    assert opened(stored_content(uploaded)).mode == opened(thumbnail(uploaded)).mode == 'RGB'


@pytest.mark.parametrize('image_format', ['PNG', 'TIFF'])
def test_grey_of_16_bits_is_as_bright_in_8(storage: MemoryFileStorage, image_format: str) -> None:
    picture = Image.new('I;16', (300, 200), 128 * 257)
    uploaded = Small(encoded(picture, image_format))
    for content in (stored_content(uploaded), thumbnail(uploaded)):
        assert pictures.are_near(pictures.corner_colours(content), [(128, 128, 128)] * 4, 1)


def test_numbers_of_32_bits_are_shown_from_the_least_to_the_most(storage: MemoryFileStorage) -> None:
    picture = Image.new('F', (300, 200), -5.0)
    picture.paste(95.0, (150, 0, 300, 200))
    colours = pictures.corner_colours(thumbnail(Small(encoded(picture, 'TIFF'))))
    assert pictures.are_near(colours, [(0, 0, 0), (255, 255, 255)] * 2)


@pytest.mark.parametrize('image_format', ['PNG', 'TIFF', 'BMP'])
def test_black_and_white_is_shrunk_to_grey(storage: MemoryFileStorage, image_format: str) -> None:
    picture = Image.new('1', (300, 200), 0)
    picture.paste(1, (150, 0, 300, 200))
    colours = pictures.corner_colours(stored_content(Small(encoded(picture, image_format))))
    assert pictures.are_near(colours, [(0, 0, 0), (255, 255, 255)] * 2)


@pytest.mark.parametrize('image_format', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'AVIF'])
def test_the_colours_of_a_profile_are_converted_to_srgb(storage: MemoryFileStorage, image_format: str) -> None:
    uploaded = Small(encoded(cornered(), image_format, icc_profile=pictures.swapping_profile()))
    for content in (stored_content(uploaded), thumbnail(uploaded)):
        assert pictures.are_near(pictures.corner_colours(content), (BLUE, GREEN, RED, (0, 255, 255)), 25)
        assert not opened(content).info.get('icc_profile')


def test_a_profile_that_is_none_is_passed_over(storage: MemoryFileStorage) -> None:
    uploaded = Small(encoded(cornered(), icc_profile=b'no profile'))
    assert pictures.are_near(pictures.corner_colours(thumbnail(uploaded)), pictures.CORNERS, 20)


@pytest.mark.parametrize('mode', ['L', 'LA'])
def test_a_profile_of_colours_does_not_fit_a_grey_image(storage: MemoryFileStorage, mode: str) -> None:
    uploaded = Small(encoded(Image.new(mode, (300, 200), 'white'), icc_profile=pictures.swapping_profile()))
    assert pictures.are_near(pictures.corner_colours(thumbnail(uploaded)), [(255, 255, 255)] * 4)


def test_nothing_tells_where_a_photo_was_taken(storage: MemoryFileStorage) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif[0x010E] = 'our garden'
    uploaded = Small(encoded(cornered(), 'JPEG', exif=exif, comment=b'our garden'))
    for content in (stored_content(uploaded), thumbnail(uploaded)):
        assert b'our garden' not in content
        assert not opened(content).getexif()


# What moves

MOVING = [RED, GREEN, BLUE, YELLOW]
OPAQUE = [(*each, 255) for each in MOVING]


@pytest.mark.parametrize('image_format', ['GIF', 'WEBP', 'PNG', 'AVIF'])
def test_an_animation_that_is_shrunk_keeps_its_frames_in_order(storage: MemoryFileStorage, image_format: str) -> None:
    content = stored_content(Small(animated(MOVING, image_format)))
    assert opened(content).size == (120, 80)
    assert pictures.are_near(pictures.frame_colours(content), OPAQUE)


@pytest.mark.parametrize('kind', [Small, SmallInGif, SmallInWebp])
@pytest.mark.parametrize('image_format', ['GIF', 'WEBP'])
def test_the_thumbnail_of_an_animation_is_one_where_its_format_can(
    storage: MemoryFileStorage, image_format: str, kind: Any
) -> None:
    content = thumbnail(kind(animated(MOVING, image_format)))
    assert pictures.are_near(pictures.frame_colours(content), OPAQUE)


def test_an_animation_plays_as_fast_and_as_often(storage: MemoryFileStorage) -> None:
    picture = opened(stored_content(Small(animated(MOVING, loop=3))))
    durations = []
    for at in range(4):
        picture.seek(at)
        durations.append(picture.info['duration'])
    assert durations == [100, 200, 300, 400]
    assert picture.info['loop'] == 3


@pytest.mark.parametrize('kind', [Small, SmallInGif, SmallInWebp])
def test_an_animation_that_plays_once_does_so_in_every_format(storage: MemoryFileStorage, kind: Any) -> None:
    once = animated(MOVING, 'GIF', loop=None)
    assert 'loop' not in opened(once).info
    assert opened(thumbnail(kind(once))).info.get('loop', 1) == 1


@pytest.mark.parametrize(('kind', 'loop'), [(Small, 2), (SmallInGif, 1), (SmallInWebp, 2)])
def test_an_animation_plays_as_often_in_every_format(storage: MemoryFileStorage, kind: Any, loop: int) -> None:
    """A GIF says how often it is repeated, others how often they play."""
    twice = animated(MOVING, 'GIF', loop=1)
    assert opened(stored_content(kind(twice))).info['loop'] == 1
    assert opened(thumbnail(kind(twice))).info['loop'] == loop
    assert opened(thumbnail(kind(animated(MOVING, 'WEBP', loop=2)))).info['loop'] == loop


@pytest.mark.parametrize('image_format', ['GIF', 'WEBP', 'PNG'])
def test_what_is_transparent_in_a_frame_does_not_show_the_one_before(
    storage: MemoryFileStorage, image_format: str
) -> None:
    red, clear = (255, 0, 0, 255), (0, 0, 0, 0)
    frames = [cornered(colours=each) for each in ((red, clear, clear, red), (clear, red, red, clear)) * 2]
    options = {'disposal': 2} if image_format == 'GIF' else {}
    content = encoded(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, **options)
    for shrunk in (stored_content(Small(content)), thumbnail(Small(content))):
        opacities = [(each[0][3], each[1][3]) for each in pictures.corners_of_frames(shrunk)]
        assert opacities == [(255, 0), (0, 255)] * 2


def test_a_format_that_cannot_move_has_the_first_frame(storage: MemoryFileStorage) -> None:
    content = thumbnail(SmallInJpeg(animated(MOVING)))
    assert pictures.are_near(pictures.frame_colours(content), OPAQUE[:1])


def test_the_pages_of_a_document_stay_in_a_document_only(storage: MemoryFileStorage) -> None:
    uploaded = Small(animated(MOVING, 'TIFF'))
    assert pictures.frame_colours(stored_content(uploaded)) == OPAQUE
    assert pictures.frame_colours(thumbnail(uploaded)) == OPAQUE[:1]


# What is refused


@pytest.mark.parametrize('tenth', range(10))
@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_a_truncated_image_is_refused_and_leaves_nothing(
    storage: MemoryFileStorage, image_format: str, tenth: int
) -> None:
    content = encoded(cornered(), image_format)
    with pytest.raises(InvalidImage):
        Small(content[: len(content) * tenth // 10])
    assert storage.list() == []


@pytest.mark.parametrize('content', [b'', b'%PDF-1.7', b'<svg xmlns="http://www.w3.org/2000/svg"/>', b'no image'])
def test_what_is_no_image_is_refused_and_leaves_nothing(storage: MemoryFileStorage, content: bytes) -> None:
    with pytest.raises(
        InvalidImage, match='is not an image, or of an unknown format; the formats that are read are jpeg, png'
    ):
        Small(content)
    assert storage.list() == []


def test_an_image_of_too_many_pixels_is_refused_and_leaves_nothing(storage: MemoryFileStorage) -> None:
    configure_images(pixels=10_000)
    with pytest.raises(ImageTooLarge, match='300 x 200 pixels, 10000 are allowed'):
        Small(PHOTO)
    assert storage.list() == []


def test_a_stream_of_too_many_bytes_is_not_read_to_its_end(storage: MemoryFileStorage) -> None:
    configure_images(bytes=10_000_000)
    with pytest.raises(ImageTooLarge, match='10000000 are allowed'):
        Small(iter(lambda: b'\0' * 1_000_000, b''))
    assert storage.list() == []


def test_a_thumbnail_that_cannot_be_stored_leaves_no_image(
    storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = storage.create

    def failing(content: Any, *args: Any) -> str:
        if getattr(content, '_filename', None) == 'thumb.png':
            raise OSError('disk full')
        return create(content, *args)

    monkeypatch.setattr(storage, 'create', failing)
    with pytest.raises(OSError, match='disk full'):
        Small(PHOTO)
    assert storage.list() == []


@pytest.mark.parametrize(
    'use',
    [
        'from depot.fields.filters.thumbnails import WithThumbnailFilter',
        'from depot.images.pillow import render',
        """
            from depot.fields.specialized.image import UploadedImageWithThumb
            from depot.manager import DepotManager
            DepotManager.configure('default', 'memory://')
            UploadedImageWithThumb(b'')
        """,
    ],
)
def test_where_pillow_is_missing_it_is_said_how_to_get_it(use: str) -> None:
    program = "import sys; sys.modules['PIL'] = None\n" + textwrap.dedent(use)
    run = subprocess.run([sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert 'depot.errors.BackendMissing: images need the package Pillow' in run.stderr
    assert "pip install 'filedepot[images]'" in run.stderr


# Where it is decoded


@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_a_worker_process_makes_the_same(storage: MemoryFileStorage, image_format: str) -> None:
    content = encoded(cornered(), image_format)
    here = SmallInJpeg(content)
    configure_images(worker='true')
    there = SmallInJpeg(content)
    assert (stored_content(there), thumbnail(there)) == (stored_content(here), thumbnail(here))


# URLs


def test_no_middleware_is_needed_until_a_url_is_asked_for(storage: MemoryFileStorage) -> None:
    uploaded = Small(PHOTO)
    with pytest.raises(RuntimeError, match='middleware'):
        uploaded.thumb_url  # noqa: B018
    DepotManager.make_middleware(None)
    assert uploaded.thumb_url == f'/depot/{uploaded.thumb_path}'


def test_the_thumbnail_of_a_public_storage_has_its_own_url(
    storage: MemoryFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(storage.get(storage.create(b''))), 'public_url', 'https://files.example/1')
    assert Small(PHOTO).thumb_url == 'https://files.example/1'


# Rows


@pytest.fixture
def person(base: Any, storage: Any) -> Any:
    class Person(base):  # type: ignore[misc]
        __tablename__ = 'person'

        id: Mapped[int] = mapped_column(primary_key=True)
        photo: Mapped[Any] = mapped_column(UploadedFileField(upload_type=Small), nullable=True)

    return Person


def test_a_committed_image_comes_back_with_its_thumbnail(
    person: Any, session: Session, saved: Callable[..., Any]
) -> None:
    someone = saved(person(photo=PHOTO))
    session.expire_all()
    assert isinstance(someone.photo, Small)
    assert opened(thumbnail(someone.photo)).size == (30, 20)


def test_image_and_thumbnail_go_together(
    person: Any, storage: MemoryFileStorage, session: Session, saved: Callable[..., Any]
) -> None:
    someone = saved(person(photo=PHOTO))
    assert len(storage.list()) == 2
    someone.photo = PHOTO
    session.rollback()
    assert len(storage.list()) == 2
    session.delete(someone)
    session.commit()
    assert storage.list() == []


def test_a_list_can_have_images(base: Any, storage: MemoryFileStorage, saved: Callable[..., Any]) -> None:
    class Album(base):  # type: ignore[misc]
        __tablename__ = 'album'

        id: Mapped[int] = mapped_column(primary_key=True)
        photos: Mapped[Any] = mapped_column(UploadedFileField(upload_type=Small, multiple=True))

    album = saved(Album(photos=[PHOTO, PHOTO]))
    with pytest.raises(InvalidImage):
        album.photos.append(b'no image')
    assert [opened(thumbnail(each)).size for each in album.photos] == [(30, 20)] * 2
    assert len(storage.list()) == 4


def test_a_refused_image_leaves_the_row_as_it_was(
    person: Any, storage: MemoryFileStorage, session: Session, saved: Callable[..., Any]
) -> None:
    someone = saved(person(photo=PHOTO))
    with pytest.raises(InvalidImage):
        someone.photo = PHOTO[:500]
    session.commit()
    assert opened(thumbnail(someone.photo)).size == (30, 20)
    assert len(storage.list()) == 2
