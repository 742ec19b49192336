"""Pictures for the tests, made on the spot: four corners of which each has its colour."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pillow_heif
from PIL import Image, ImageCms

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)

#: Top left, top right, bottom left, bottom right.
CORNERS = (RED, GREEN, BLUE, YELLOW)

FORMATS = ('JPEG', 'PNG', 'GIF', 'WEBP', 'AVIF', 'TIFF', 'BMP', 'HEIF')

_ORIENTATION = 0x0112

# What each orientation does to a picture that is upright: the inverse of what puts it upright again.
_TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def cornered(width: int = 300, height: int = 200, colours: Sequence[tuple[int, ...]] = CORNERS) -> Image.Image:
    """A picture of four parts, each of one colour."""
    picture = Image.new('RGBA' if len(colours[0]) == 4 else 'RGB', (width, height))
    for at, colour in enumerate(colours):
        picture.paste(colour, (at % 2 * width // 2, at // 2 * height // 2, width, height))
    return picture


def encoded(picture: Image.Image, image_format: str = 'PNG', **options: Any) -> bytes:
    """The picture as a file, of the best quality."""
    buffer = io.BytesIO()
    if image_format == 'HEIF':
        pillow_heif.from_pillow(picture).save(buffer, quality=95, **options)
    else:
        quality = {'quality': 95} if image_format in {'JPEG', 'WEBP', 'AVIF'} else {}
        picture.save(buffer, image_format, **{**quality, **options})
    return buffer.getvalue()


def animated(
    colours: Sequence[Any], image_format: str = 'GIF', size: tuple[int, int] = (300, 200), **options: Any
) -> bytes:
    """An animation with a frame of each colour."""
    frames = [Image.new('RGBA' if len(each) == 4 else 'RGB', size, each) for each in colours]
    options = {'duration': [100 * (at + 1) for at in range(len(frames))], 'loop': 0, **options}
    return encoded(frames[0], image_format, save_all=True, append_images=frames[1:], **options)


def oriented(orientation: int, image_format: str = 'JPEG', size: tuple[int, int] = (300, 200)) -> bytes:
    """The four corners, stored in another orientation and marked with it."""
    turn = _TURNED[orientation]
    picture = cornered(*size)
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return encoded(picture if turn is None else picture.transpose(turn), image_format, exif=exif)


def opened(content: bytes) -> Image.Image:
    """The picture in a file; of an animation all frames can be had."""
    if content[4:8] == b'ftyp' and b'heic' in content[:64]:
        return pillow_heif.HeifImageFile(io.BytesIO(content))
    return Image.open(io.BytesIO(content))


def corner_colours(content: bytes) -> tuple[Any, ...]:
    """The colours of the corners, a little inside of them."""
    return _corners(opened(content).convert('RGB'))


def corners_of_frames(content: bytes) -> list[tuple[Any, ...]]:
    """The colours of the corners of each frame, with their opacity."""
    return [_corners(each) for each in _frames(content)]


def frame_colours(content: bytes) -> list[Any]:
    """The colour in the middle of each frame, with its opacity."""
    return [each.getpixel((each.width // 2, each.height // 2)) for each in _frames(content)]


def _frames(content: bytes) -> Iterator[Image.Image]:
    picture = opened(content)
    for at in range(getattr(picture, 'n_frames', 1)):
        picture.seek(at)
        yield picture.convert('RGBA')


def _corners(picture: Image.Image) -> tuple[Any, ...]:
    width, height = picture.width - 1, picture.height - 1
    x, y = width // 8, height // 8
    return tuple(picture.getpixel(each) for each in ((x, y), (width - x, y), (x, height - y), (width - x, height - y)))


def are_near(colours: Any, others: Any, most: int = 12) -> bool:
    """Whether no channel of any colour differs by more than this."""
    pairs = zip(colours, others, strict=True)
    return all(abs(a - b) <= most for one, other in pairs for a, b in zip(one, other, strict=True))


def swapping_profile() -> bytes:
    """An ICC profile (ICC.1:2010) in which red and blue have changed places: it shows whether it was applied."""
    # The colorants of sRGB, adapted to D50, as the profile that everybody uses has them.
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    gamma = b'curv' + struct.pack('>IIH', 0, 1, round(2.2 * 256)) + b'\0\0'
    text = b'desc' + struct.pack('>II', 0, 8) + b'swapped\0' + b'\0' * 79
    tags = {b'desc': text, b'cprt': b'text\0\0\0\0none\0\0\0\0', b'wtpt': _xyz(0.9642, 1.0, 0.8249)}
    tags |= {b'rXYZ': _xyz(*blue), b'gXYZ': _xyz(*green), b'bXYZ': _xyz(*red)}
    tags |= dict.fromkeys((b'rTRC', b'gTRC', b'bTRC'), gamma)
    return _profile({name: value + b'\0' * (-len(value) % 4) for name, value in tags.items()})


def _xyz(*values: float) -> bytes:
    return b'XYZ \0\0\0\0' + struct.pack('>3i', *(round(each * 65536) for each in values))


def _profile(tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack('>I', len(tags)), b''
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack('>II', start + len(body), len(value))
        body += value
    illuminant = struct.pack('>3i', *(round(each * 65536) for each in (0.9642, 1.0, 0.8249)))
    head = b'\0' * 8 + struct.pack('>I', 0x02400000) + b'mntrRGB XYZ ' + struct.pack('>6H', 2026, 1, 1, 0, 0, 0)
    head += b'acsp' + b'\0' * 28 + illuminant
    whole = head + b'\0' * (128 - len(head)) + table + body
    return struct.pack('>I', len(whole)) + whole[4:]


def in_mode(mode: str) -> Image.Image:
    """The four corners, or what grey there is of them, in one of Pillow's modes."""
    if mode == 'LAB':
        srgb, lab = ImageCms.createProfile('sRGB'), ImageCms.createProfile('LAB')
        converted = ImageCms.profileToProfile(cornered(), srgb, lab, outputMode='LAB')
        assert converted
        return converted
    return cornered().convert('L').convert(mode) if mode == 'I;16' else cornered().convert(mode)
