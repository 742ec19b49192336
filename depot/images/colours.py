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
    """The frame, in a form that has the colour, and the colour's value for each of its bands; None is transparent."""
    *rgb, alpha = components(colour or _TRANSPARENT)
    frame = with_alpha(frame) if alpha < _OPAQUE else frame
    frame = in_rgb(frame) if len(set(rgb)) > 1 else frame
    values = rgb[:1] if frame.interpretation == 'b-w' else rgb
    return frame, [*values, alpha] if frame.hasalpha() else values


def flattened(image: Image, colour: str) -> Image:
    """The image without transparency, on a background."""
    if not image.hasalpha():
        return image
    image, values = with_background(image, colour)
    return image.flatten(background=values[:-1])


def standard(image: Image) -> Image:
    """The image in grey or RGB, with at most one band more, which is its transparency."""
    colours = 1 if image.interpretation == 'b-w' else 3
    return image.extract_band(0, n=colours) if image.bands > colours + 1 else image
