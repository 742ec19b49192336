"""What a file is by its first bytes, and whether its outer structure is whole: looked at before any library sees it.

Nothing is decoded here, and nothing is kept. It finds what would cost a decoder much before it notices: more frames
than are allowed, in files where a frame takes a few bytes; scans, chunks or tags without end; and the file that ends
before its structure does, which some decoders take for whole. How many pixels there are the libraries say themselves,
from the header.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from os import SEEK_CUR, SEEK_END
from typing import IO, Literal

from ..errors import ImageTooLarge, InvalidImage
from .exif import ExifCost
from .limits import Limits

#: So many bytes, the first ones, say what a file is.
HEAD = 64

# Of what a picture has a few, and a hostile file has many: each costs a decoder far more time than bytes.
_MAX_SCANS = 100
_MAX_TEXTS = 32  # compressed ones, of up to 1 MiB each
_MAX_PIECES = 1_000_000
_MAX_CHUNKS = 250_000
_MAX_TAG_BYTES = 16 * 1024 * 1024

_PIECE = 1024 * 1024

# ITU-T T.81, table B.1: the frames that may be read in one go, the scan, and what may stand before it: tables, a
# restart interval, comments, and what applications add.
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_SCAN = 0xDA
_APP1 = 0xE1
_SEGMENTS = _SEQUENTIAL | {0xC4, _SCAN, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE}
_MAX_SEGMENTS = 1_000
_MAX_SEGMENT = 64 * 1024

_EXIF = b'Exif\0\0'

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
        what = f'is a {found} file' if found else 'is not an image, or of another kind'
        raise InvalidImage(f'The file {what}; those that are read are {", ".join(limits.loaders)}')
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
    interlaced PNG. A lossless WebP it decodes wholly, before it makes it smaller.
    """
    file.seek(0)
    try:
        return name in _HELD_WHOLE and _HELD_WHOLE[name](file)
    finally:
        file.seek(0)


def broken(name: str, reason: str = 'it ends too early') -> InvalidImage:
    """The error for a file that does not keep to its format."""
    return InvalidImage(f'The {name} file is broken: {reason}')


def _take(file: IO[bytes], size: int, limits: Limits) -> None:
    """Of some formats the decoders find all that is wrong, and soon."""


def _jpeg(file: IO[bytes], size: int, limits: Limits) -> None:
    """Each scan of an image in several makes the decoder go over all pixels."""
    exif = ExifCost()
    if _in_one_scan(file, exif):
        return
    for at in _places(file, _EXIF):
        file.seek(at)
        exif.add(file.read(_MAX_SEGMENT))
    file.seek(0)
    scans, last = 0, b''
    while piece := file.read(_PIECE):
        scans += piece.count(b'\xff\xda') + (last + piece[:1]).count(b'\xff\xda')
        last = piece[-1:]
    if scans > _MAX_SCANS:
        raise ImageTooLarge(f'The jpeg file has {scans} scans; {_MAX_SCANS} are read')


def _places(file: IO[bytes], wanted: bytes) -> Iterator[int]:
    """Where these bytes are in the file, which may be sought meanwhile."""
    start, last = 0, b''
    while True:
        file.seek(start)
        piece = file.read(_PIECE)
        found = (last + piece).find(wanted)
        while found >= 0:
            yield start - len(last) + found
            found = (last + piece).find(wanted, found + 1)
        if len(piece) < _PIECE:
            return
        start, last = start + _PIECE, piece[1 - len(wanted) :]


def _in_one_scan(file: IO[bytes], exif: ExifCost | None = None) -> bool:
    """Whether the first scan has all of a sequential image, after which no other is read: ITU-T T.81, section B.2.

    So are nearly all photos, and to count in a large one costs as much as to decode a tenth of it.
    """
    file.seek(2)
    components = 0
    for _ in range(_MAX_SEGMENTS):
        marker, kind, length = struct.unpack('>BBH', file.read(4))
        after = file.tell() + length - 2
        if marker != 0xFF or kind not in _SEGMENTS:
            return False
        if kind == _SCAN:
            return file.read(1)[0] == components
        if kind in _SEQUENTIAL:
            components = file.read(6)[5]
        if kind == _APP1 and exif is not None:
            exif.add(file.read(length - 2))
        file.seek(after)
    return False


def _png(file: IO[bytes], size: int, limits: Limits) -> None:
    """Chunks up to the one that says the end: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    file.seek(8)
    exif = ExifCost()
    texts = frames = 0
    for _ in range(_MAX_CHUNKS):
        length, kind = struct.unpack('>I4s', file.read(8))
        if kind == b'IEND':
            return
        texts += kind in {b'zTXt', b'iTXt'}
        frames += kind == b'fcTL'
        limits.check_frames(frames)
        if texts > _MAX_TEXTS:
            raise ImageTooLarge(f'The png file has more than {_MAX_TEXTS} compressed texts')
        if kind == b'eXIf':
            exif.add(_looked_at(file, length))
        _skip(file, length + 4, size, 'png')
    raise _in_pieces('png')


def _gif(file: IO[bytes], size: int, limits: Limits) -> None:
    """Blocks up to the trailer: https://www.w3.org/Graphics/GIF/spec-gif89a.txt, appendix A.

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
            _skip(file, _colours(flags) + 1, size, 'gif')
        elif introducer == b'!':
            _skip(file, 1, size, 'gif')
        else:
            raise broken('gif', 'there is no block where one should be' if introducer else 'it ends too early')
        pieces = _sub_blocks(file, size, pieces)
    if not frames:
        raise broken('gif', 'there is no picture in it')


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _sub_blocks(file: IO[bytes], size: int, pieces: int) -> int:
    while length := file.read(1)[0]:
        _skip(file, length, size, 'gif')
        pieces += 1
        if pieces > _MAX_PIECES:
            raise _in_pieces('gif')
    return pieces + 1


def _webp(file: IO[bytes], size: int, limits: Limits) -> None:
    """Chunks inside one: RFC 9649, section 2."""
    _, length = struct.unpack('<4sI', file.read(8))
    end = length + 8
    if end > size:
        raise broken('webp')
    file.seek(12)
    exif = ExifCost()
    frames = 0
    for _ in range(_MAX_CHUNKS):
        if file.tell() + 8 > end:
            return
        kind, length = struct.unpack('<4sI', file.read(8))
        if kind == b'EXIF':
            exif.add(_looked_at(file, length))
        frames += kind == b'ANMF'
        limits.check_frames(frames)
        _skip(file, length, end, 'webp')
        file.seek(length & 1, SEEK_CUR)
    raise _in_pieces('webp')


def _boxes(file: IO[bytes], size: int, limits: Limits) -> None:
    """Boxes up to the end of the file: ISO/IEC 14496-12, section 4.2."""
    exif = ExifCost()
    for at in _places(file, _EXIF):
        file.seek(at)
        exif.add(file.read(_PIECE))
    file.seek(0)
    for _ in range(_MAX_CHUNKS):
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
    raise _in_pieces('avif or heic')


# TIFF 6.0, section 2: bytes of a value by its type.
_TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def _tiff(file: IO[bytes], size: int, limits: Limits) -> None:
    """Directories, each with the place of the next one: TIFF 6.0, section 2.

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


def _looked_at(file: IO[bytes], length: int) -> bytes:
    """The next bytes; the file stays where it is."""
    if length > _PIECE:
        raise ImageTooLarge(f'The EXIF of the image has {length} bytes; {_PIECE} are read')
    found = file.read(length)
    file.seek(-len(found), SEEK_CUR)
    return found


def _skip(file: IO[bytes], length: int, end: int, name: str) -> None:
    if file.seek(length, SEEK_CUR) > end:
        raise broken(name)


def _in_pieces(name: str) -> ImageTooLarge:
    return ImageTooLarge(f'The {name} file is in too many pieces')


def _is_interlaced(file: IO[bytes]) -> bool:
    """By the last byte of the header: https://www.w3.org/TR/png-3/#11IHDR."""
    return file.read(29)[28:] != b'\0'


def _is_lossless(file: IO[bytes]) -> bool:
    """Whether any picture in a WebP is: RFC 9649, section 2; those of an animation are inside of other chunks."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        kind, length = struct.unpack('<4sI', header)
        if kind in {b'VP8L', b'ANMF'}:
            return True
        file.seek(length + (length & 1), SEEK_CUR)
    return False


_HELD_WHOLE: dict[str, Callable[[IO[bytes]], bool]] = {
    'jpeg': lambda file: not _in_one_scan(file),
    'png': _is_interlaced,
    'webp': _is_lossless,
}

_EXAMINERS: dict[str, Callable[[IO[bytes], int, Limits], None]] = {
    'jpeg': _jpeg,
    'png': _png,
    'gif': _gif,
    'webp': _webp,
    'avif': _boxes,
    'heic': _boxes,
    'tiff': _tiff,
}
