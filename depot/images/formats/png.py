"""PNG: https://www.w3.org/TR/png-3/."""

from __future__ import annotations

import struct
from typing import IO

from ...errors import ImageTooLarge
from ..limits import Limits
from .exif import ExifCost
from .reading import MAX_CHUNKS, in_pieces, looked_at, skip

_MAX_TEXTS = 32  # compressed ones, of up to 1 MiB each


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Chunks up to the one that says the end: section 5."""
    file.seek(8)
    exif = ExifCost()
    texts = frames = 0
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack('>I4s', file.read(8))
        if kind == b'IEND':
            return
        texts += kind in {b'zTXt', b'iTXt'}
        frames += kind == b'fcTL'
        limits.check_frames(frames)
        if texts > _MAX_TEXTS:
            raise ImageTooLarge(f'The png file has more than {_MAX_TEXTS} compressed texts')
        if kind == b'eXIf':
            exif.add(looked_at(file, length))
        skip(file, length + 4, size, 'png')
    raise in_pieces('png')


def is_interlaced(file: IO[bytes]) -> bool:
    """By the last byte of the header: section 11.2.1."""
    return file.read(29)[28:] != b'\0'
