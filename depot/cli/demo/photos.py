"""Sixty photos as cameras write them: wide always, with a note (EXIF) of how the camera was held."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageOps

Colour = tuple[int, int, int]

COUNT = 60
LONG, SHORT = 1600, 1067

#: How the camera was held (TIFF 6.0, tag Orientation), and what that does to an upright image; 5 to 8 are portraits.
ORIENTATIONS = {
    1: None,
    6: Image.Transpose.ROTATE_90,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    8: Image.Transpose.ROTATE_270,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    7: Image.Transpose.TRANSVERSE,
}

#: The sky from its top to the horizon, and the nearest hills.
PALETTES: list[tuple[Colour, Colour, Colour]] = [
    ((58, 46, 110), (255, 160, 92), (38, 24, 58)),
    ((92, 160, 214), (226, 240, 244), (26, 72, 78)),
    ((24, 34, 74), (120, 132, 190), (10, 16, 38)),
    ((238, 150, 128), (255, 226, 188), (92, 48, 62)),
    ((120, 190, 196), (242, 236, 200), (36, 78, 58)),
    ((176, 186, 200), (238, 236, 230), (66, 78, 92)),
    ((240, 178, 84), (255, 236, 170), (112, 60, 30)),
]


class Taken(NamedTuple):
    """A photo."""

    filename: str
    content: bytes
    #: Of the image when it is upright.
    width: int
    height: int


def photos() -> Iterator[Taken]:
    """The same sixty each time."""
    orientations = list(ORIENTATIONS)
    for number in range(COUNT):
        yield _taken(number + 1, orientations[number % len(orientations)])


def _taken(number: int, orientation: int) -> Taken:
    width, height = (LONG, SHORT) if orientation < 5 else (SHORT, LONG)
    image = _painted(Random(number), width, height)
    turn = ORIENTATIONS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    (image if turn is None else image.transpose(turn)).save(content, 'jpeg', quality=85, exif=exif)
    return Taken(f'IMG_{number:04}.jpg', content.getvalue(), width, height)


def _painted(chance: Random, width: int, height: int) -> Image.Image:
    """Hills below a sun that is always on the left: whatever turns or mirrors the image shows."""
    top, horizon, near = (_varied(chance, each) for each in chance.choice(PALETTES))
    image = _sky(top, horizon, width, height)
    draw = ImageDraw.Draw(image)
    sun = chance.uniform(0.12, 0.42) * width, chance.uniform(0.18, 0.36) * height
    draw.circle(sun, chance.uniform(0.04, 0.08) * (width + height) / 2, _mixed(horizon, (255, 252, 236), 0.75))
    ridges = chance.randint(3, 5)
    for share in (each / ridges for each in range(1, ridges + 1)):
        draw.polygon(_ridge(chance, width, height, 0.35 + 0.5 * share), _mixed(horizon, near, 0.2 + 0.8 * share))
    return image


def _sky(top: Colour, horizon: Colour, width: int, height: int) -> Image.Image:
    column = ImageOps.colorize(Image.linear_gradient('L'), top, horizon).resize((1, height))
    return column.resize((width, height), Image.Resampling.NEAREST)


def _ridge(chance: Random, width: int, height: int, level: float) -> list[tuple[float, float]]:
    """The outline of hills: three waves, each smaller and quicker than the last."""
    waves = [
        (chance.uniform(0.05, 0.09) / each, chance.uniform(3, 7) * each, chance.uniform(0, 6)) for each in (1, 2.3, 5)
    ]

    def line(x: float) -> float:
        return level + sum(size * math.sin(pace * x + start) for size, pace, start in waves)

    outline = [(x, height * line(x / LONG)) for x in range(0, width + 8, 8)]
    return [(0, height), *outline, (width + 8, height)]


def _varied(chance: Random, colour: Colour) -> Colour:
    red, green, blue = (max(0, min(255, each + chance.randint(-18, 18))) for each in colour)
    return red, green, blue


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
