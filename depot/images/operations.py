"""The operations of a recipe but the resizing ones, each on one upright frame of eight bits in sRGB or grey."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import ImageTooLarge
from .colours import in_rgb, with_alpha, with_background
from .limits import HARMLESS
from .sizes import Size, placed
from .vips import Image, matrix

_TURNS = {90: 'd90', 180: 'd180', 270: 'd270'}

# By how much an image may grow that is turned askew, beyond what does no harm; one of 6:1 does by so much.
_GROWTH = 4

# What old photographs are made to look like in every program that has the effect; Filter Effects Module Level 1,
# section "sepiaEquivalent".
_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


def rotate(frame: Image, angle: float, background: str | None) -> Image:
    """Clockwise; what is then outside of the frame has the background, or is transparent."""
    if angle in _TURNS:
        return frame.rot(_TURNS[int(angle)])
    frame, values = with_background(frame, background)
    turned = frame.rotate(angle, background=values)
    if turned.width * turned.height > max(HARMLESS, frame.width * frame.height * _GROWTH):
        size = f'{turned.width} x {turned.height} pixels'
        raise ImageTooLarge(f'The image is so narrow that it has {size}, turned by {angle:g} degrees; resize it before')
    return turned


def fliphor(frame: Image) -> Image:
    """Left becomes right."""
    return frame.fliphor()


def flipver(frame: Image) -> Image:
    """Top becomes bottom."""
    return frame.flipver()


def grayscale(frame: Image) -> Image:
    """Grey, as light as the colours are."""
    return frame.colourspace('b-w')


def sepia(frame: Image) -> Image:
    """Brown, as old photographs are."""
    frame = in_rgb(frame)
    tinted = frame.extract_band(0, n=3).recomb(matrix(_SEPIA)).cast('uchar').copy(interpretation='srgb')
    return tinted.bandjoin(frame.extract_band(3)) if frame.hasalpha() else tinted


def blur(frame: Image, sigma: float) -> Image:
    """A Gaussian blur; what is transparent does not shine into what is not."""
    if not frame.hasalpha():
        return frame.gaussblur(sigma)
    return frame.premultiply().gaussblur(sigma).unpremultiply().cast('uchar').copy(interpretation=frame.interpretation)


def sharpen(frame: Image, sigma: float) -> Image:
    """Clearer edges, by their lightness only."""
    return frame.sharpen(sigma=sigma)


def composite(frame: Image, overlay: Image, gravity: str, x: int, y: int, opacity: float) -> Image:
    """The overlay over the frame; what of it is outside of the frame is cut off."""
    overlay = with_alpha(in_rgb(overlay))
    faded = overlay.extract_band(0, n=3).bandjoin((overlay.extract_band(3) * opacity).cast('uchar'))
    left, top = placed(Size(overlay.width, overlay.height), Size(frame.width, frame.height), gravity, x, y)
    together = in_rgb(frame).composite2(faded, 'over', x=left, y=top).cast('uchar')
    return together if frame.hasalpha() else together.extract_band(0, n=3)


OPERATIONS: Mapping[str, Callable[..., Image]] = {
    each.__name__: each for each in (rotate, fliphor, flipver, grayscale, sepia, blur, sharpen, composite)
}
