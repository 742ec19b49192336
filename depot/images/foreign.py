"""What libvips does not read, at least not that of the wheel: decoded by Pillow, and handed on."""

from __future__ import annotations

import os
from typing import IO

from . import pillow
from .held import FOREIGN
from .limits import Limits
from .pillow_colours import in_srgb, orientation_of, plain, upright
from .pillow_files import opened
from .sizes import Size
from .vips import Image, in_memory

# How many rows are handed on at a time: all at once would be there three times.
_ROWS = 256


def decoded(file: IO[bytes], name: str, limits: Limits) -> Image:
    """The image in a BMP or HEIC file, upright and in sRGB.

    Raises :class:`~depot.errors.InvalidImage` and :class:`~depot.errors.ImageTooLarge`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with pillow.refusing(), opened(file, name) as image:
        limits.check_header(image.width, image.height, 1, size)
        limits.check_memory(image.width * image.height * FOREIGN)
        image.load()
        whole = upright(image, orientation_of(image))
        pixels = bytearray()
        for top in range(0, whole.height, _ROWS):
            rows = whole.crop((0, top, whole.width, min(top + _ROWS, whole.height)))
            rows = in_srgb(plain(rows), image.info.get('icc_profile'))
            pixels += rows.tobytes()
        return in_memory(pixels, Size(*whole.size), len(rows.getbands()))
