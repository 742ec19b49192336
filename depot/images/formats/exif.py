"""EXIF that leads in circles: a decoder follows each pointer of a directory, to the same directory if need be."""

from __future__ import annotations

import struct

from ...errors import ImageTooLarge

#: What stands before it, in most formats.
MARKER = b'Exif\0\0'

# Of all that is in one file. A camera writes five directories, with a hundred entries in the longest one.
_MAX_DIRECTORIES = 64
_MAX_ENTRIES = 5_000

# Exif 3.0, section 4.6.3: the tags whose values are the places of other directories.
_POINTERS = frozenset({0x8769, 0x8825, 0xA005})


class ExifCost:
    """What the EXIF of one file costs whoever reads it.

    There may be several, of which only one is legal: decoders read them all.
    """

    def __init__(self) -> None:
        self._directories = 0
        self._entries = 0

    def add(self, exif: bytes) -> None:
        """Follows all pointers, as decoders do.

        Raises :class:`~depot.errors.ImageTooLarge` for more directories or entries than any camera writes.
        """
        exif = exif.removeprefix(MARKER)
        order = {b'II': '<', b'MM': '>'}.get(exif[:2])
        if order is None or len(exif) < 8:
            return
        places: list[int] = [*struct.unpack_from(f'{order}I', exif, 4)]
        while places:
            places += self._pointers(exif, places.pop(), order)

    def _pointers(self, exif: bytes, at: int, order: str) -> list[int]:
        """Where the directory at this place leads to."""
        if at + 2 > len(exif):
            return []
        (count,) = struct.unpack_from(f'{order}H', exif, at)
        count = min(count, (len(exif) - at - 2) // 12)
        self._directories += 1
        self._entries += count
        if self._directories > _MAX_DIRECTORIES or self._entries > _MAX_ENTRIES:
            raise ImageTooLarge(
                f'The EXIF of the image has more than {_MAX_DIRECTORIES} directories, or {_MAX_ENTRIES} entries'
            )
        entries = struct.iter_unpack(f'{order}HHII', exif[at + 2 : at + 2 + 12 * count])
        return [place for tag, _, _, place in entries if tag in _POINTERS]
