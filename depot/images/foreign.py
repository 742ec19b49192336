"""What libvips does not read, at least not that of the wheel: decoded by Pillow, and handed on."""

from __future__ import annotations

import os
from typing import IO

from . import pillow
from .limits import Limits
from .pillow_colours import in_srgb, orientation_of, plain, upright
from .pillow_files import opened
from .sizes import Size
from .vips import Image, in_memory

# Bytes for a pixel: the decoder's planes, Pillow's image, and the copy of it, measured with 48 million of a HEIC.
_PIXEL = 11


def decoded(file: IO[bytes], name: str, limits: Limits) -> Image:
    """The image in a BMP or HEIC file, upright and in sRGB.

    Raises :class:`~depot.errors.InvalidImage` and :class:`~depot.errors.ImageTooLarge`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with pillow.refusing(), opened(file, name) as image:
        limits.check_size(*image.size)
        limits.check_density(image.width * image.height, size)
        limits.check_memory(image.width * image.height * _PIXEL)
        image.load()
        frame = upright(in_srgb(plain(image), image.info.get('icc_profile')), orientation_of(image))
        return in_memory(frame.tobytes(), Size(*frame.size), len(frame.getbands()))
