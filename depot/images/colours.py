"""Colours of a recipe, and what an image needs to have them."""

from __future__ import annotations

from .vips import Image

_TRANSPARENT = '#00000000'
_OPAQUE = 255


def components(colour: str) -> list[float]:
    """Red, green, blue and alpha of ``#rrggbb`` or ``#rrggbbaa``, from 0 to 255."""
    return [*bytes.fromhex(colour[1:].ljust(8, 'f'))]


def in_rgb(frame: Image) -> Image:
    """A frame that may be grey, in colours."""
    return frame.colourspace('srgb') if frame.interpretation == 'b-w' else frame


def with_alpha(frame: Image) -> Image:
    """A frame that may have no transparency, with it."""
    return frame if frame.hasalpha() else frame.bandjoin(_OPAQUE)


def with_background(frame: Image, colour: str | None) -> tuple[Image, list[float]]:
    """The frame on a background, and the colour as a value for each of its bands; None is transparent."""
    *rgb, alpha = components(colour or _TRANSPARENT)
    if alpha == _OPAQUE:
        return _flattened(frame, rgb)
    frame, values = _in_bands_for(with_alpha(frame), rgb)
    return frame, [*values, alpha]


def flattened(image: Image, colour: str) -> Image:
    """The image without transparency, on a background."""
    return _flattened(image, components(colour)[:3])[0] if image.hasalpha() else image


def _flattened(image: Image, rgb: list[float]) -> tuple[Image, list[float]]:
    image, values = _in_bands_for(image, rgb)
    return image.flatten(background=values) if image.hasalpha() else image, values


def _in_bands_for(image: Image, rgb: list[float]) -> tuple[Image, list[float]]:
    """An image that may be grey in a form that can have the colour, and the colour in that form."""
    if image.interpretation == 'b-w' and len(set(rgb)) == 1:
        return image, rgb[:1]
    return in_rgb(image), rgb


def standard(image: Image) -> Image:
    """The image in grey or RGB, with at most one band more, which is its transparency."""
    colours = 1 if image.interpretation == 'b-w' else 3
    return image.extract_band(0, n=colours) if image.bands > colours + 1 else image
