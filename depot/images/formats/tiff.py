"""TIFF 6.0."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import IO, Literal, NamedTuple

from ...errors import ImageTooLarge, InvalidImage
from ..limits import Limits
from .reading import broken

_MAX_TAG_BYTES = 16 * 1024 * 1024

# Section 2: bytes of a value by its type, and how those are read that whole numbers have.
_TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS = {1: 'B', 3: 'H', 4: 'I'}

# Sections 8 and 15: what says how large the pixels of a picture are, and how they lie in the file.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANES = 256, 257, 258, 259, 277, 278, 284
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_LAYOUT = frozenset({_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANES, _TILE_WIDTH, _TILE_HEIGHT})

# CMYK has four, and there may be some beside the colours; each costs as much as a colour.
_MAX_SAMPLES = 6

# A byte of a file becomes at most so many. Only faxes can be white by next to nothing.
_MOST_OF_A_BYTE = 3_000
_FAXES = frozenset({2, 3, 4})

# What is packed in these ways is unpacked row by row: nothing, faxes, LZW, deflate, PackBits.
_BY_ROWS = _FAXES | {1, 5, 8, 32_773, 32_946}

# Pixels of a strip or a tile that is not small.
_LARGE = 1_200_000

# Section 8 has eight of them.
_ORIENTATION = 274
_ORIENTATIONS = range(1, 9)

_Layout = Mapping[int, int]


class _Directory(NamedTuple):
    """The entries of a directory, which are at a place of the file."""

    order: Literal['<', '>']
    place: int
    entries: bytes


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Directories, each of which says what the decoder makes room for before it looks at the pixels.

    The values of tags are read as soon as a directory is, and many tags can have the same ones.
    """
    taken = 0
    for index, directory in enumerate(_directories(file)):
        limits.check_frames(index + 1)
        for _, kind, length, place in struct.iter_unpack(f'{directory.order}HHII', directory.entries):
            taken += _tag_bytes(kind, length, place, size)
        if taken > _MAX_TAG_BYTES:
            raise ImageTooLarge(f'The tags of the tiff file have more than {_MAX_TAG_BYTES} bytes')
        _check_layout(_layout(directory), size, limits)


def is_in_large_pieces(file: IO[bytes]) -> bool:
    """Whether the first picture is in strips or tiles of many pixels that are unpacked as a whole."""
    layout = _layout(next(_directories(file)))
    if _TILE_WIDTH in layout:
        return layout[_TILE_WIDTH] * layout.get(_TILE_HEIGHT, 0) > _LARGE
    height = layout.get(_HEIGHT, 0)
    is_by_rows = layout.get(_COMPRESSION, 1) in _BY_ROWS and layout.get(_PLANES, 1) == 1
    return not is_by_rows and layout.get(_WIDTH, 0) * min(height, layout.get(_ROWS, height)) > _LARGE


def with_orientations(file: IO[bytes]) -> bytearray | None:
    """The file with upright pictures for those in an orientation that there is not; None if there are none.

    libvips takes such a file for a broken one.
    """
    content = None
    for directory in _directories(file):
        for place, tag, number in _numbers(directory):
            if tag == _ORIENTATION and number not in _ORIENTATIONS:
                content = content or _content(file)
                struct.pack_into(f'{directory.order}HHIHH', content, place, tag, 3, 1, _ORIENTATIONS[0], 0)
    return content


def _content(file: IO[bytes]) -> bytearray:
    file.seek(0)
    return bytearray(file.read())


def _directories(file: IO[bytes]) -> Iterator[_Directory]:
    """Each has the place of the next one: section 2."""
    file.seek(0)
    order: Literal['<', '>'] = '<' if file.read(2) == b'II' else '>'
    file.seek(4)
    (at,) = struct.unpack(f'{order}I', file.read(4))
    seen: set[int] = set()
    while at and at not in seen:
        seen.add(at)
        file.seek(at)
        (count,) = struct.unpack(f'{order}H', file.read(2))
        start = file.tell()
        entries = file.read(12 * count)
        (at,) = struct.unpack(f'{order}I', file.read(4))
        yield _Directory(order, start, entries)


def _numbers(directory: _Directory) -> Iterator[tuple[int, int, int]]:
    """The places of the entries with one whole number, which is in the entry itself; their tags, and the numbers."""
    order, start, entries = directory
    for index, (tag, kind, count, value) in enumerate(struct.iter_unpack(f'{order}HHI4s', entries)):
        if kind in _NUMBERS and count == 1:
            (number,) = struct.unpack_from(f'{order}{_NUMBERS[kind]}', value)
            yield start + 12 * index, tag, number


def _layout(directory: _Directory) -> _Layout:
    found: dict[int, int] = {}
    for _, tag, number in _numbers(directory):
        if tag in _LAYOUT and tag in found:  # decoders differ in which of them they take
            raise broken('tiff', f'it has the tag {tag} twice')
        if tag in _LAYOUT:
            found[tag] = number
    return found


def _check_layout(layout: _Layout, size: int, limits: Limits) -> None:
    samples = layout.get(_SAMPLES, 1)
    if samples > _MAX_SAMPLES:
        raise InvalidImage(f'The tiff file has {samples} samples for each pixel; {_MAX_SAMPLES} are read')
    width, height = layout.get(_WIDTH, 0), layout.get(_HEIGHT, 0)
    pixels = width * height
    if layout.get(_TILE_WIDTH, 0) * layout.get(_TILE_HEIGHT, 0) > max(_LARGE, 2 * pixels):
        raise broken('tiff', 'its tiles are larger than itself')
    bits = pixels * samples * layout.get(_BITS, 8)  # there are several numbers if they are not the same
    if bits > size * 8 * _MOST_OF_A_BYTE and layout.get(_COMPRESSION) not in _FAXES:
        limits.check_size(width, height)  # which says more, if it is that
        raise broken('tiff')


def _tag_bytes(kind: int, count: int, place: int, size: int) -> int:
    length = _TAG_SIZES.get(kind, 1) * count
    if length > 4 and place + length > size:
        raise broken('tiff', 'the value of a tag is outside of it')
    return length
