"""What the machine or the storage fails at is not the image's fault, and is not remembered of it."""

from __future__ import annotations

import errno
import io
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageFile

from depot.errors import InvalidImage, StorageFailure
from depot.images import decoding, transform
from depot.images.limits import Limits
from depot.images.pillow_wanted import Wanted
from depot.images.recipe import Variant
from depot.images.settings import configure_images

from .pictures import cornered, encoded

SMALL = Variant(resize=(30, 30))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'photo'
    path.write_bytes(encoded(cornered(3000, 2000), 'JPEG'))
    return path


@pytest.fixture
def starved() -> Iterator[Callable[[], None]]:
    """From when it is called on, no file can be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def when_looked_at(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Has something happen between the look at a file and its pixels."""
    examined = transform.examined

    def examine(file: Any, limits: Limits) -> str:
        found = examined(file, limits)
        happens()
        return found

    monkeypatch.setattr(transform, 'examined', examine)


def test_a_file_that_is_deleted_while_it_is_read_is_read(monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    when_looked_at(monkeypatch, photo.unlink)
    assert decoding.transformed(photo, SMALL).width == 30


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(
    monkeypatch: pytest.MonkeyPatch, photo: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'other'
    other.write_bytes(encoded(cornered(300, 300), 'PNG'))
    opened = transform.Source.new_from_file

    def open_source(name: str) -> Any:
        other.replace(photo)
        return opened(name)

    monkeypatch.setattr(transform.Source, 'new_from_file', open_source)
    made = decoding.transformed(photo, SMALL)
    assert (made.format, made.width, made.height) == ('jpeg', 30, 20)


@pytest.mark.parametrize('is_worker', [False, True])
def test_too_many_open_files_are_not_the_fault_of_an_image(
    starved: Callable[[], None], photo: Path, is_worker: bool
) -> None:
    configure_images(worker=is_worker)
    decoding.transformed(photo, SMALL)  # so that all code is loaded
    starved()
    with pytest.raises(StorageFailure, match='Too many open files') as caught:
        decoding.transformed(photo, SMALL)
    assert caught.value.errno == errno.EMFILE
    configure_images()


def test_too_many_open_files_between_the_look_at_a_file_and_its_pixels(
    monkeypatch: pytest.MonkeyPatch, starved: Callable[[], None], photo: Path
) -> None:
    when_looked_at(monkeypatch, starved)
    with pytest.raises(StorageFailure, match='Too many open files'):
        decoding.transformed(photo, SMALL)


@pytest.mark.parametrize(
    ('said', 'number'),
    [
        ('vips_tracked: out of memory -- size == 512MB', errno.ENOMEM),
        ('vips_g_thread_new: unable to create thread', errno.EAGAIN),
        (f'read: {os.strerror(errno.EIO)}', errno.EIO),
    ],
)
def test_what_libvips_says_of_the_machine_is_no_broken_image(
    monkeypatch: pytest.MonkeyPatch, photo: Path, said: str, number: int
) -> None:
    import pyvips

    def fail() -> None:
        raise pyvips.Error(said)

    when_looked_at(monkeypatch, fail)
    with pytest.raises(StorageFailure) as caught:
        decoding.transformed(photo, SMALL)
    assert caught.value.errno == number


@pytest.mark.parametrize('error', [OSError(errno.EIO, 'broken disk'), MemoryError()])
def test_what_pillow_says_of_the_machine_is_no_broken_image(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def load(_: object) -> None:
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, 'load', load)
    content = encoded(cornered(), 'BMP')
    with pytest.raises(StorageFailure):
        decoding.shrunk(io.BytesIO(content), [Wanted(30, 30)])
    with pytest.raises(StorageFailure):
        decoding.transformed(content, SMALL)


def test_a_broken_image_is_one_still() -> None:
    content = encoded(cornered(), 'JPEG')[:-500]
    with pytest.raises(InvalidImage):
        decoding.shrunk(io.BytesIO(content), [Wanted(30, 30)])
    with pytest.raises(InvalidImage):
        decoding.transformed(content, SMALL)
