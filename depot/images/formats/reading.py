"""What the formats have in common: pieces of a file that are looked at or passed over, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from os import SEEK_CUR
from typing import IO

from ...errors import ImageTooLarge, InvalidImage

#: Bytes that are read at a time.
PIECE = 1024 * 1024

#: More pieces no picture has.
MAX_CHUNKS = 250_000


def broken(name: str, reason: str = 'it ends too early') -> InvalidImage:
    """The error for a file that does not keep to its format."""
    return InvalidImage(f'The {name} file is broken: {reason}')


def in_pieces(name: str) -> ImageTooLarge:
    return ImageTooLarge(f'The {name} file is in too many pieces')


def skip(file: IO[bytes], length: int, end: int, name: str) -> None:
    if file.seek(length, SEEK_CUR) > end:
        raise broken(name)


def looked_at(file: IO[bytes], length: int) -> bytes:
    """The next bytes; the file stays where it is."""
    if length > PIECE:
        raise ImageTooLarge(f'The EXIF of the image has {length} bytes; {PIECE} are read')
    found = file.read(length)
    file.seek(-len(found), SEEK_CUR)
    return found


def places(file: IO[bytes], wanted: bytes) -> Iterator[int]:
    """Where these bytes are in the file, which may be sought meanwhile."""
    start, last = 0, b''
    while True:
        file.seek(start)
        piece = file.read(PIECE)
        found = (last + piece).find(wanted)
        while found >= 0:
            yield start - len(last) + found
            found = (last + piece).find(wanted, found + 1)
        if len(piece) < PIECE:
            return
        start, last = start + PIECE, piece[1 - len(wanted) :]
