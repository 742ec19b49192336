"""How much memory decoders hold, told from the header: measured with pictures of 36 million pixels.

A decoder that goes row by row holds next to nothing. Those that cannot hold all pixels, and some hold them more than
once: what they take is the same for a photo and for a bomb, which no other number in a header tells from each other.
"""

from __future__ import annotations

#: Bytes for a pixel of each colour of a JPEG in several scans: its coefficients, ITU-T T.81, annex G.
COEFFICIENTS = 2

#: Bytes for a pixel of each frame that Pillow makes, which are all there until the last is written.
MADE = 6

# By libvips, for a pixel of the file, and for one that is left of it where the decoder leaves out some itself.
_GIF = 6
_WEBP = {True: 5, False: 1}
_WEBP_ALPHA = 2
_WEBP_LEFT = 8
_TIFF = 2

# By Pillow, for a pixel in each of its modes, with the modes that it becomes; for a HEIC the decoder's planes, too.
_MODES = {'1': 2, 'L': 2, 'I;16': 10, 'RGB': 6, 'P': 9}
_OTHER_MODES = 10
_WHOLE = {'WEBP': 18, 'AVIF': 15, 'HEIF': 12, 'TIFF': 10}
_WHOLE_RGB = {'AVIF': 10, 'HEIF': 8}

#: Bytes for a pixel of a BMP or HEIC until libvips has it: those of Pillow, and the copy of it.
FOREIGN = 9


def by_libvips(name: str, bands: int, sample: int, is_whole: bool) -> int:
    """Bytes for a pixel of a file in one frame, of so many bands of so many bytes.

    ``is_whole`` is what :func:`depot.images.structure.is_held_whole` says of it.
    """
    if name == 'jpeg':
        return bands * COEFFICIENTS if is_whole else 0
    if name == 'png':
        return bands * sample + 1 if is_whole else 0
    if name == 'tiff':
        return bands * sample * _TIFF if is_whole else 0
    if name == 'avif':
        return bands * 4 + 4
    if name == 'webp':
        return _WEBP[is_whole] + (_WEBP_ALPHA if bands > 3 else 0)
    return _GIF if name == 'gif' else 0


def left_by_libvips(name: str) -> int:
    """Bytes for a pixel that is left when the decoder has left out what it can."""
    return _WEBP_LEFT if name == 'webp' else 0


def by_pillow(name: str, mode: str) -> int:
    """Bytes for a pixel that is decoded by Pillow; the names of the format and of the mode are its own."""
    whole = _WHOLE.get(name, _MODES.get(mode, _OTHER_MODES))
    return _WHOLE_RGB.get(name, whole) if mode == 'RGB' else whole
