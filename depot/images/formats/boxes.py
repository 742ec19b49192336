"""AVIF and HEIC: boxes, ISO/IEC 14496-12."""

from __future__ import annotations

import struct
from typing import IO

from ..limits import Limits
from .exif import MARKER, ExifCost
from .reading import MAX_CHUNKS, PIECE, broken, in_pieces, places


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Boxes up to the end of the file: section 4.2."""
    exif = ExifCost()
    for at in places(file, MARKER):
        file.seek(at)
        exif.add(file.read(PIECE))
    file.seek(0)
    for _ in range(MAX_CHUNKS):
        if file.tell() == size:
            return
        start = file.tell()
        length, _ = struct.unpack('>I4s', file.read(8))
        if length == 0:  # up to the end
            return
        if length == 1:
            (length,) = struct.unpack('>Q', file.read(8))
        if length < 8 or start + length > size:
            raise broken('avif or heic')
        file.seek(start + length)
    raise in_pieces('avif or heic')
