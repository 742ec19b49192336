"""JPEG: ITU-T T.81, annex B."""

from __future__ import annotations

import struct
from typing import IO

from ...errors import ImageTooLarge
from ..limits import Limits
from .exif import MARKER, ExifCost
from .reading import PIECE, places

# Of what a picture has a few, and a hostile file has many: each costs a decoder far more time than bytes.
_MAX_SCANS = 100

# Table B.1: the frames that may be read in one go, the scan, and what may stand before it: tables, a restart interval,
# comments, and what applications add.
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_SCAN = 0xDA
_APP1 = 0xE1
_SEGMENTS = _SEQUENTIAL | {0xC4, _SCAN, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE}
_MAX_SEGMENTS = 1_000
_MAX_SEGMENT = 64 * 1024


def check(file: IO[bytes], size: int, limits: Limits) -> None:
    """Each scan of an image in several makes the decoder go over all pixels."""
    exif = ExifCost()
    if is_in_one_scan(file, exif):
        return
    for at in places(file, MARKER):
        file.seek(at)
        exif.add(file.read(_MAX_SEGMENT))
    file.seek(0)
    scans, last = 0, b''
    while piece := file.read(PIECE):
        scans += piece.count(b'\xff\xda') + (last + piece[:1]).count(b'\xff\xda')
        last = piece[-1:]
    if scans > _MAX_SCANS:
        raise ImageTooLarge(f'The jpeg file has {scans} scans; {_MAX_SCANS} are read')


def is_in_one_scan(file: IO[bytes], exif: ExifCost | None = None) -> bool:
    """Whether the first scan has all of a sequential image, after which no other is read: section B.2.

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
