"""WebP: RFC 9649."""

from __future__ import annotations

import struct
from os import SEEK_CUR
from typing import IO

from ..limits import Limits
from .exif import ExifCost
from .reading import MAX_CHUNKS, broken, in_pieces, looked_at, skip


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Chunks inside one: section 2."""
    _, length = struct.unpack('<4sI', file.read(8))
    end = length + 8
    if end > size:
        raise broken('webp')
    file.seek(12)
    exif = ExifCost()
    frames = 0
    for _ in range(MAX_CHUNKS):
        if file.tell() + 8 > end:
            return
        kind, length = struct.unpack('<4sI', file.read(8))
        if kind == b'EXIF':
            exif.add(looked_at(file, length))
        frames += kind == b'ANMF'
        limits.check_frames(frames)
        skip(file, length, end, 'webp')
        file.seek(length & 1, SEEK_CUR)
    raise in_pieces('webp')


def is_lossless(file: IO[bytes]) -> bool:
    """Whether any picture in a WebP is; those of an animation are inside of other chunks."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        kind, length = struct.unpack('<4sI', header)
        if kind in {b'VP8L', b'ANMF'}:
            return True
        file.seek(length + (length & 1), SEEK_CUR)
    return False
