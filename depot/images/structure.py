"""What a file is by its first bytes, and whether its outer structure is whole: looked at before any library sees it.

Nothing is decoded here, and nothing is kept. It finds what would cost a decoder much before it notices: more frames
than are allowed, in files where a frame takes a few bytes; scans, chunks or tags without end; and the file that ends
before its structure does, which some decoders take for whole. How many pixels there are the libraries say themselves,
from the header.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from os import SEEK_END
from typing import IO

from ..errors import InvalidImage
from .formats import boxes, gif, jpeg, png, tiff, webp
from .formats.reading import broken
from .limits import Limits

#: So many bytes, the first ones, say what a file is.
HEAD = 64


_SIGNATURES = {
    b'\xff\xd8\xff': 'jpeg',
    b'\x89PNG\r\n\x1a\n': 'png',
    b'GIF87a': 'gif',
    b'GIF89a': 'gif',
    b'II*\0': 'tiff',
    b'MM\0*': 'tiff',
    b'BM': 'bmp',
}

# ISO/IEC 14496-12, section 4.3: the brands of a file, the major one first.
_BRANDS = {
    **dict.fromkeys((b'avif', b'avis'), 'avif'),
    **dict.fromkeys((b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1'), 'heic'),
}


def format_of(head: bytes) -> str | None:
    """The format of a file that begins with these bytes, :data:`HEAD` at most; None if it is none that can be read."""
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return 'webp'
    if head[4:8] == b'ftyp':
        return _format_of_brands(head)
    return next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)


def _format_of_brands(head: bytes) -> str | None:
    end = min(int.from_bytes(head[:4], 'big'), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    if _BRANDS.get(brands[0]) == 'heic' and b'avif' in brands:  # "mif1" is the frame that both stand in
        return 'avif'
    return _BRANDS.get(brands[0])


def checked_format(head: bytes, limits: Limits) -> str:
    """The format of a file that begins so; raises :class:`~depot.errors.InvalidImage` if it is none of the loaders."""
    found = format_of(head)
    if found not in limits.loaders:
        what = f'is a {found} file' if found else 'is not an image, or of an unknown format'
        others = '; configure_images(loaders=...) allows others' if found else ''
        raise InvalidImage(f'The file {what}; the formats that are read are {", ".join(limits.loaders)}{others}')
    return found


def examined(file: IO[bytes], limits: Limits) -> str:
    """The format of the file, one of the loaders; leaves the file at its beginning.

    Raises :class:`~depot.errors.InvalidImage` for another one and for a file
    whose structure is not whole, and :class:`~depot.errors.ImageTooLarge`.
    """
    size = file.seek(0, SEEK_END)
    limits.check_bytes(size)
    file.seek(0)
    found = checked_format(file.read(HEAD), limits)
    file.seek(0)
    try:
        _EXAMINERS.get(found, _take)(file, size, limits)
    except (struct.error, IndexError) as error:
        raise broken(found) from error
    file.seek(0)
    return found


def is_held_whole(file: IO[bytes], name: str) -> bool:
    """Whether a decoder holds more than some rows of this file until it knows the first: it was examined before.

    So it does where the rows, or what is fine in them, come in several turns: a JPEG in more than one scan, and an
    interlaced PNG. A lossless WebP it decodes wholly, before it makes it smaller, and the strips and tiles of a TIFF.
    """
    file.seek(0)
    try:
        return name in _HELD_WHOLE and _HELD_WHOLE[name](file)
    finally:
        file.seek(0)


def _take(file: IO[bytes], size: int, limits: Limits) -> None:
    """Of some formats the decoders find all that is wrong, and soon."""


_HELD_WHOLE: dict[str, Callable[[IO[bytes]], bool]] = {
    'jpeg': lambda file: not jpeg.is_in_one_scan(file),
    'png': png.is_interlaced,
    'webp': webp.is_lossless,
    'tiff': tiff.is_in_large_pieces,
}

_EXAMINERS: dict[str, Callable[[IO[bytes], int, Limits], None]] = {
    'jpeg': jpeg.check,
    'png': png.check,
    'gif': gif.check,
    'webp': webp.check,
    'avif': boxes.check,
    'heic': boxes.check,
    'tiff': tiff.check,
}
