"""One frame, as everybody shows it: eight bits, sRGB, upright, and with nothing but its pixels."""

from __future__ import annotations

import io
from typing import cast

from ..errors import ConfigurationError
from .pil import Image, ImageCms, ImageColor

# TIFF 6.0 and Exif 2.32, tag 274: what puts upright what is stored in each of the other orientations.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: The orientations in which width and height have changed places.
SIDEWAYS = frozenset({5, 6, 7, 8})

_SRGB = ImageCms.createProfile('sRGB')

# Modes that can be shrunk as they are; the others become one of them first.
_SHRUNK_AS_THEY_ARE = frozenset({'L', 'LA', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'LAB'})


def orientation_of(image: Image.Image) -> int:
    """The orientation that the image says it is stored in: 1, upright, to 8."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # metadata that cannot be read are none; what Pillow raises for them is anything
        return 1
    return found if found in _UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as it was seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def plain(frame: Image.Image) -> Image.Image:
    """The frame in a mode of eight bits that can be shrunk; its transparency is an alpha channel."""
    if 'transparency' in frame.info and frame.mode in {'1', 'L', 'RGB', 'P'}:
        return frame.convert('RGBA')
    if frame.mode in {'P', 'PA'}:
        return frame.convert('RGBA' if frame.has_transparency_data else 'RGB')
    if frame.mode.startswith(('I', 'F')):
        return _eight_bits(frame)
    return frame if frame.mode in _SHRUNK_AS_THEY_ARE else frame.convert('L' if frame.mode == '1' else 'RGBA')


def _eight_bits(frame: Image.Image) -> Image.Image:
    """Grey of 16 bits; where there are more, or none, from the least to the most that there is."""
    if frame.mode.startswith('I;16'):
        return frame.convert('I').point(lambda value: value * (1 / 257)).convert('L')
    least, most = cast('tuple[float, float]', frame.getextrema())
    scale = 255 / (most - least) if most > least else 0.0
    return frame.convert('F').point(lambda value: value * scale - least * scale).convert('L')


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in grey or RGB, with its alpha channel if it has one; a profile that does not fit it is none."""
    if profile:
        image = _converted(image, profile)
    if image.mode in {'L', 'LA', 'RGB', 'RGBA'}:
        return image
    return image.convert('RGB')


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith('sRGB'):
            return image
        mode = 'RGBA' if image.mode in {'RGBA', 'LA'} else 'RGB'
        if image.mode == 'LA':
            return _converted_grey(image, source)
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted.convert('L') if image.mode == 'L' and converted else converted or image


def _converted_grey(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    """The colour engine knows no grey with alpha."""
    grey = ImageCms.profileToProfile(image.getchannel('L'), source, _SRGB, outputMode='RGB')
    return Image.merge('LA', (grey.convert('L'), image.getchannel('A'))) if grey else image


def flattened(image: Image.Image, background: str) -> Image.Image:
    """The image without its alpha channel, on a background."""
    if image.mode not in {'LA', 'RGBA'}:
        return image
    below = Image.new('RGB', image.size, colour(background))
    below.paste(image.convert('RGB'), mask=image.getchannel('A'))
    return below


def colour(name: str) -> tuple[int, int, int]:
    """The red, green and blue of a colour as CSS writes it.

    Raises :class:`~depot.errors.ConfigurationError` for one that is none.
    """
    try:
        return ImageColor.getrgb(name)[:3]
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(f"background = {name!r} is no colour; one looks like 'white' or '#ffffff'") from None
