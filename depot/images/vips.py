"""The door to libvips, by pyvips: nothing else of ``depot`` imports it.

Nothing of what libvips keeps for the whole process is changed here: neither its cache, nor its threads, nor which
operations it has. An application may use pyvips as well, and both go on as if they were alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from ..errors import BackendMissing, InvalidImage
from .hiccups import in_text
from .sizes import Size

try:
    from pyvips import Error, ForeignKeep, GValue, Image, Source  # type: ignore[import-untyped, unused-ignore]
except (ImportError, OSError) as error:  # OSError: the Python package is there, the library is not
    raise BackendMissing("images need pyvips and libvips: pip install 'filedepot[images]'") from error

__all__ = ['KEPT', 'Image', 'Source', 'failures', 'frames_of', 'in_memory', 'joined', 'matrix', 'page_size']

#: What of an original's metadata is written: nothing, or all but what is another image.
KEPT = {False: ForeignKeep.NONE, True: ForeignKeep.EXIF | ForeignKeep.XMP | ForeignKeep.IPTC | ForeignKeep.ICC}

_PAGE_HEIGHT = 'page-height'


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What libvips cannot read becomes :class:`~depot.errors.InvalidImage`; what the machine cannot do, OSError."""
    try:
        yield
    except Error as error:
        reason = ' '.join(str(error.detail or error.message).split())
        failure = in_text(reason)
        if failure is not None:
            raise failure from error
        raise InvalidImage(f'The image cannot be read, or not wholly: {reason[:300]}') from error


def page_size(image: Image) -> Size:
    """The size of each frame; those of an animation stand one below the other in one image."""
    return Size(image.width, image.get_page_height())


def frames_of(strip: Image) -> Iterator[Image]:
    """The frames that stand one below the other, to be made in this order: that in which a file is read."""
    size = page_size(strip)
    for top in range(0, strip.height, size.height):
        frame = strip.crop(0, top, *size).copy()
        frame.remove(_PAGE_HEIGHT)
        yield frame


def joined(frames: Iterator[Image]) -> Image:
    """An animation in memory, with the metadata of its first frame.

    The frames are made one after the other: libvips takes minutes and gigabytes
    for an image that is put together of some hundred others which are not made yet.
    """
    first = next(frames)
    pixels = bytearray(first.write_to_memory())
    for frame in frames:
        pixels += frame.write_to_memory()
    strip = in_memory(pixels, Size(first.width, len(pixels) // (first.width * first.bands)), first.bands)
    _describe(strip, first)
    strip.set_type(GValue.gint_type, _PAGE_HEIGHT, first.height)
    return strip


def _describe(image: Image, other: Image) -> None:
    """Gives an image all metadata of another."""
    for field in other.get_fields():
        if not image.get_typeof(field):
            image.set_type(other.get_typeof(field), field, other.get(field))
    for field in set(image.get_fields()) - set(other.get_fields()):
        image.remove(field)  # that libvips has found in the Exif data, where an orientation stays that is done


def matrix(rows: Sequence[Sequence[float]]) -> Image:
    """Numbers that operations take as an image."""
    return Image.new_from_list([list(each) for each in rows])


def in_memory(pixels: bytes | bytearray, size: Size, bands: int) -> Image:
    """An image of pixels that another library has decoded, a byte for each band."""
    interpretation = 'b-w' if bands < 3 else 'srgb'
    return Image.new_from_memory(pixels, *size, bands, 'uchar').copy(interpretation=interpretation)
