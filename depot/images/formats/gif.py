"""GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt."""

from __future__ import annotations

import struct
from typing import IO

from ..limits import Limits
from .reading import broken, in_pieces, skip

_MAX_PIECES = 1_000_000


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Blocks up to the trailer: appendix A.

    Decoders differ in what they take for the size of the image, so neither that of the screen may be too large nor
    that of any frame.
    """
    file.seek(6)
    width, height, flags = struct.unpack('<HHB', file.read(5))
    limits.check_size(width, height)
    file.seek(13 + _colours(flags))
    frames = pieces = 0
    while (introducer := file.read(1)) != b';':
        if introducer == b',':
            frames += 1
            limits.check_frames(frames)
            left, top, width, height, flags = struct.unpack('<HHHHB', file.read(9))
            limits.check_size(left + width, top + height)
            skip(file, _colours(flags) + 1, size, 'gif')
        elif introducer == b'!':
            skip(file, 1, size, 'gif')
        else:
            raise broken('gif', 'there is no block where one should be' if introducer else 'it ends too early')
        pieces = _sub_blocks(file, size, pieces)
    if not frames:
        raise broken('gif', 'there is no picture in it')


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _sub_blocks(file: IO[bytes], size: int, pieces: int) -> int:
    while length := file.read(1)[0]:
        skip(file, length, size, 'gif')
        pieces += 1
        if pieces > _MAX_PIECES:
            raise in_pieces('gif')
    return pieces + 1
