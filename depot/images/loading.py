"""An image file, read as far and as small as the recipe needs it: upright, in sRGB, of eight bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any

from .formats import tiff
from .held import by_libvips, left_by_libvips
from .limits import FOREIGN, Limits
from .profiles import is_srgb
from .sizes import Size
from .structure import is_held_whole
from .vips import Image, Source, frames_of, page_size

#: The formats whose frames are an animation, which libvips reads and writes.
ANIMATED = frozenset({'gif', 'webp'})

# libvips's names of loaders that differ from the format's. Each is called by its name: what libvips would make of a
# file by looking at it itself does not matter.
_LOADERS = {'avif': 'heif'}

# What a decoder can leave out while it reads, which is most of what a large photo costs. The filter that does the rest
# has this many times the size to begin with; in libvips's own thumbnails twice, which takes up to twice as long.
# What it costs is less than what the encoder loses afterwards: 35 dB (PSNR) to 30 with the finest patterns there are,
# and 41 to 37 with a photo, from 4,000 pixels to 1,600.
_SHRINKS = (8, 4, 2)
_FOR_THE_FILTER = 1.2

# Bytes for a pixel of the result that has to be turned.
_TURNED = 10
# And for one of a frame: what it was drawn on, itself, and what is begun of the next one.
_FRAME = 12

# Exif 2.32, tag 274: from here on, the first row is a side.
_SIDEWAYS = 5

# Bytes of a sample, where it is not one.
_SAMPLES = {'ushort': 2, 'short': 2, 'uint': 4, 'int': 4, 'float': 4, 'double': 8, 'complex': 8, 'dpcomplex': 16}


class Original:
    """An image whose header was read and found within the limits; the rest of it is not read yet.

    ``image_format`` is what the file was found to be, and ``frames`` how many
    of an animation are wanted, None for all.

    Raises :class:`~depot.errors.ImageTooLarge`.
    """

    def __init__(self, file: IO[bytes], source: Source, image_format: str, limits: Limits, frames: int | None) -> None:
        self._source = _readable(file, limits) or source if image_format == 'tiff' else source
        self._format = image_format
        self._decoded = self._by_pillow(file, limits) if image_format in FOREIGN else None
        header = self._read()
        #: How many frames of it are read.
        self.frames = _wanted(header, frames) if image_format in ANIMATED else 1
        #: What it measures when it is upright.
        self.size = _upright(header)
        self._turned = _orientation(header) != 1
        self._limits = limits
        self._profile: dict[str, Any] = {'output_profile': 'srgb'} if _has_own_colours(header) else {}
        self._bytes = file.seek(0, os.SEEK_END)
        self.check(self.size)
        limits.check_memory(
            self.size.width * self.size.height * self._bytes_of_a_pixel(header, is_held_whole(file, image_format))
        )

    def check(self, size: Size) -> None:
        """Raises :class:`ImageTooLarge` if it must not have this size, nor anything that is made of it."""
        self._limits.check_header(*size, self.frames, self._bytes)

    def resized(self, size: Size) -> Iterator[Image]:
        """The image in this size, which the decoder does a part of where it can: each frame when it is its turn."""
        if self._turned:  # which needs all of the result at once
            self._limits.check_memory(size.width * size.height * _TURNED)
        image = self._read(**self._while_reading(size))
        self._limits.check_memory(image.width * page_size(image).height * left_by_libvips(self._format))
        for frame in frames_of(image) if self.frames > 1 else [image]:
            yield frame.thumbnail_image(size.width, height=size.height, size='force', **self._profile)

    def _read(self, **options: Any) -> Image:
        if self._decoded:
            return self._decoded
        load = getattr(Image, f'{_LOADERS.get(self._format, self._format)}load_source')
        image: Image = load(self._source, access='sequential', fail_on='error', **options)
        return image

    def _by_pillow(self, file: IO[bytes], limits: Limits) -> Image:
        from .foreign import decoded  # here, because it loads Pillow

        return decoded(file, self._format, limits)

    def _while_reading(self, size: Size) -> dict[str, float]:
        frames = {'n': self.frames} if self.frames > 1 else {}
        most = min(self.size.width / size.width, self.size.height / size.height) / _FOR_THE_FILTER
        shrink = next((each for each in _SHRINKS if each <= most), 1)
        if self._format == 'jpeg':
            return {'shrink': shrink}
        return frames | ({'scale': 1 / shrink} if self._format == 'webp' else {})

    def _bytes_of_a_pixel(self, header: Image, is_whole: bool) -> int:
        if self.frames > 1:
            return _FRAME
        return by_libvips(self._format, header.bands, _SAMPLES.get(str(header.format), 1), is_whole)


def _readable(file: IO[bytes], limits: Limits) -> Source | None:
    """A TIFF that libvips would not read, as one that it reads; None for any other."""
    content = tiff.with_orientations(file)
    if content is None:
        return None
    limits.check_memory(len(content))
    return Source.new_from_memory(content)


def _wanted(header: Image, frames: int | None) -> int:
    there: int = header.get_n_pages()
    return there if frames is None else min(frames, there)


def _has_own_colours(header: Image) -> bool:
    profile = header.get('icc-profile-data') if header.get_typeof('icc-profile-data') else None
    return isinstance(profile, bytes) and not is_srgb(profile)


def _upright(header: Image) -> Size:
    size = Size(header.width, header.get_page_height())
    return Size(size.height, size.width) if _orientation(header) >= _SIDEWAYS else size


def _orientation(header: Image) -> int:
    found = header.get('orientation') if header.get_typeof('orientation') else 1
    return found if isinstance(found, int) else 1
