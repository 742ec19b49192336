"""Recipes with the pictures that the library makes by them while the manual is built: a directive of Sphinx.

``.. rendition:: rotate=90`` shows the recipe, and below it what it makes of the original; without a recipe it shows
the original.
"""

from __future__ import annotations

import functools
import io
import logging
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image, ImageDraw, ImageFilter
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from depot.images.recipe import Variant
from depot.images.transform import transform

SIZE = (480, 320)

_FOLDER = '_pictures'
_FINE = 4  # edges are drawn so many times larger, and become smooth when it is made smaller


class Rendition(SphinxDirective):
    """A recipe, as an application writes it, and its rendition."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        recipe = ' '.join(self.arguments[0].split()) if self.arguments else ''
        written = f'Variant({recipe})'
        variant = eval(written, {'Variant': Variant})
        made = transform(original(), variant, overlays={'logo.png': logo()})
        path = Path(self.env.srcdir, _FOLDER, f'{variant.key}.{made.format}')
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made.content)
        picture = nodes.image(
            uri=f'/{_FOLDER}/{path.name}', alt=written if recipe else 'The original', width=f'{made.width}px'
        )
        return [nodes.literal_block(written, written, language='python'), picture] if recipe else [picture]


def setup(app: Sphinx) -> dict[str, Any]:
    logging.getLogger('pyvips').setLevel(logging.WARNING)  # it tells of each step
    app.add_directive('rendition', Rendition)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}


@functools.cache
def original() -> bytes:
    """A house at a lake in the evening: somewhere a sun, here an edge, there a soft transition."""
    width, height = (side * _FINE for side in SIZE)
    down = Image.linear_gradient('L').resize((width, height))
    picture = Image.merge(
        'RGB', [down.point(each) for each in (_between(70, 250), _between(110, 190), _between(190, 120))]
    )
    picture = _glow(picture, (0.76, 0.42), 0.3, (255, 214, 120))
    draw = _Drawing(picture)
    draw.ellipse((0.70, 0.33, 0.82, 0.51), (255, 244, 214))
    draw.polygon([(0, 0.62), (0.16, 0.30), (0.27, 0.47), (0.37, 0.34), (0.60, 0.66), (0, 0.66)], (92, 88, 130))
    draw.polygon([(0.10, 0.42), (0.16, 0.30), (0.20, 0.36), (0.17, 0.39), (0.14, 0.37)], (238, 236, 246))
    draw.polygon([(0, 0.64), (1, 0.58), (1, 0.78), (0, 0.78)], (60, 92, 74))
    draw.polygon([(0, 0.74), (1, 0.70), (1, 1), (0, 1)], (70, 118, 158))
    for at in range(9):
        draw.polygon(_wave(0.66 + 0.02 * (at % 3), 0.73 + 0.03 * at, 0.10 + 0.012 * at), (250, 216, 150))
    draw.polygon([(0.17, 0.52), (0.39, 0.52), (0.39, 0.74), (0.17, 0.75)], (176, 62, 50))
    draw.polygon([(0.14, 0.54), (0.28, 0.40), (0.42, 0.54)], (84, 50, 48))
    draw.polygon([(0.34, 0.40), (0.37, 0.40), (0.37, 0.50), (0.34, 0.47)], (84, 50, 48))
    for left in (0.20, 0.32):
        draw.polygon([(left, 0.58), (left + 0.04, 0.58), (left + 0.04, 0.65), (left, 0.65)], (255, 226, 140))
    draw.polygon([(0.26, 0.60), (0.30, 0.60), (0.30, 0.745), (0.26, 0.745)], (70, 40, 40))
    draw.polygon([(0.55, 0.86), (0.80, 0.85), (0.76, 0.93), (0.59, 0.93)], (58, 40, 36))
    draw.polygon([(0.67, 0.855), (0.67, 0.60), (0.79, 0.82)], (246, 240, 228))
    return _file(picture.resize(SIZE, Image.Resampling.LANCZOS))


@functools.cache
def logo() -> bytes:
    """A ring around a point, half transparent: something to lay over a picture."""
    side = 56 * _FINE
    picture = Image.new('RGBA', (side, side), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((0, 0, side - 1, side - 1), fill=(255, 255, 255, 90), outline=(255, 255, 255, 235), width=side // 9)
    draw.ellipse((side * 0.34, side * 0.34, side * 0.66, side * 0.66), fill=(255, 255, 255, 235))
    return _file(picture.resize((56, 56), Image.Resampling.LANCZOS))


class _Drawing:
    """Draws by shares of the width and the height."""

    def __init__(self, picture: Image.Image) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._size = picture.size

    def polygon(self, points: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
        self._draw.polygon([(x * self._size[0], y * self._size[1]) for x, y in points], fill=colour)

    def ellipse(self, box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
        self._draw.ellipse(tuple(share * self._size[at % 2] for at, share in enumerate(box)), fill=colour)


def _between(first: int, last: int) -> Any:
    return lambda value: first + (last - first) * value / 255


def _wave(middle: float, y: float, length: float) -> list[tuple[float, float]]:
    return [(middle, y), (middle + length, y - 0.004), (middle + length * 1.2, y + 0.006), (middle + 0.01, y + 0.008)]


def _glow(picture: Image.Image, at: tuple[float, float], share: float, colour: tuple[int, int, int]) -> Image.Image:
    width, height = picture.size
    mask = Image.new('L', picture.size)
    x, y, radius = at[0] * width, at[1] * height, share * height
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=200)
    small = mask.resize(SIZE).filter(ImageFilter.GaussianBlur(40)).resize(picture.size)
    return Image.composite(Image.new('RGB', picture.size, colour), picture, small)


def _file(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, 'PNG')
    return buffer.getvalue()
