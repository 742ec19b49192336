"""The door to libvips, by pyvips: nothing else of ``depot`` imports it.

Nothing of what libvips keeps for the whole process is changed here: neither its cache, nor its threads, nor which
operations it has. An application may use pyvips as well, and both go on as if they were alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from ..errors import BackendMissing, InvalidImage
from .sizes import Size

try:
    from pyvips import Error, ForeignKeep, GValue, Image, Source
except (ImportError, OSError) as error:  # OSError: the Python package is there, the library is not
    raise BackendMissing("images need pyvips and libvips: pip install 'filedepot[images]'") from error

__all__ = ['KEPT', 'Image', 'Source', 'failures', 'in_memory', 'matrix', 'on_frames', 'page_size']

#: What of an original's metadata is written: nothing, or all but what is another image.
KEPT = {False: ForeignKeep.NONE, True: ForeignKeep.EXIF | ForeignKeep.XMP | ForeignKeep.IPTC | ForeignKeep.ICC}

_PAGE_HEIGHT = 'page-height'


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What libvips cannot read becomes :class:`~depot.errors.InvalidImage`."""
    try:
        yield
    except Error as error:
        reason = ' '.join(str(error.detail or error.message).split())
        raise InvalidImage(f'The image cannot be read, or not wholly: {reason[:300]}') from error


def page_size(image: Image) -> Size:
    """The size of each frame; those of an animation stand one below the other in one image."""
    return Size(image.width, image.get_page_height())


def on_frames(image: Image, operation: Callable[[Image], Image]) -> Image:
    """Does the same to every frame; an animation has to be in memory.

    Frames are made one after the other: libvips takes minutes and gigabytes for
    an image that is put together of some hundred others which are not made yet.
    """
    if page_size(image).height == image.height:
        return operation(image)
    pixels = []
    for each in image.pagesplit():
        frame = operation(_alone(each))
        pixels.append(frame.write_to_memory())
    joined = in_memory(b''.join(pixels), Size(frame.width, frame.height * len(pixels)), frame.bands)
    joined.set_type(GValue.gint_type, _PAGE_HEIGHT, frame.height)
    for field in ('delay', 'loop'):
        if image.get_typeof(field):
            joined.set_type(image.get_typeof(field), field, image.get(field))
    return joined


def _alone(frame: Image) -> Image:
    alone = frame.copy()
    alone.remove(_PAGE_HEIGHT)
    return alone


def matrix(rows: Sequence[Sequence[float]]) -> Image:
    """Numbers that operations take as an image."""
    return Image.new_from_list([list(each) for each in rows])


def in_memory(pixels: bytes, size: Size, bands: int) -> Image:
    """An image of pixels that another library has decoded, a byte for each band."""
    interpretation = 'b-w' if bands < 3 else 'srgb'
    return Image.new_from_memory(pixels, *size, bands, 'uchar').copy(interpretation=interpretation)
