"""TIFF 6.0."""

from __future__ import annotations

import struct
from typing import IO, Literal

from ...errors import ImageTooLarge
from ..limits import Limits
from .reading import broken

_MAX_TAG_BYTES = 16 * 1024 * 1024

# Section 2: bytes of a value by its type.
_TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Directories, each with the place of the next one: section 2.

    The values of tags are read as soon as a directory is, and many tags can have the same ones.
    """
    order: Literal['<', '>'] = '<' if file.read(2) == b'II' else '>'
    file.seek(4)
    (at,) = struct.unpack(f'{order}I', file.read(4))
    seen: set[int] = set()
    taken = 0
    while at and at not in seen:
        seen.add(at)
        limits.check_frames(len(seen))
        file.seek(at)
        (count,) = struct.unpack(f'{order}H', file.read(2))
        entries = file.read(12 * count)
        (at,) = struct.unpack(f'{order}I', file.read(4))
        for _, kind, length, place in struct.iter_unpack(f'{order}HHII', entries):
            taken += _tag_bytes(kind, length, place, size)
        if taken > _MAX_TAG_BYTES:
            raise ImageTooLarge(f'The tags of the tiff file have more than {_MAX_TAG_BYTES} bytes')


def _tag_bytes(kind: int, count: int, place: int, size: int) -> int:
    length = _TAG_SIZES.get(kind, 1) * count
    if length > 4 and place + length > size:
        raise broken('tiff', 'the value of a tag is outside of it')
    return length
