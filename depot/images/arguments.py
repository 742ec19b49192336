"""What the operations and options of a recipe take, and the one form in which each argument is kept.

Every check takes what the application wrote and returns its canonical form, made of what JSON has, or raises
:class:`ValueError` with what it would have taken; :mod:`~depot.images.recipe` says whose argument it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import NamedTuple

#: A checked argument: what JSON has.
Plain = str | int | float | bool | None

Check = Callable[[object], Plain]

#: The largest side, in pixels, that each of the formats can have; WebP's is the smallest.
MAX_SIDE = 16_383

#: The largest blur, in pixels; it costs time and memory by its square.
MAX_SIGMA = 250

#: The largest angle, in degrees, either way.
MAX_ANGLE = 36_000

#: The formats that renditions are made in.
FORMATS = ('jpeg', 'png', 'gif', 'webp', 'avif')

#: Where in a larger area something is put.
GRAVITIES = (
    'centre',
    'north',
    'north-east',
    'east',
    'south-east',
    'south',
    'south-west',
    'west',
    'north-west',
)

#: Which part of an image is kept: the given side, what catches the eye, or where most happens.
CROPS = (*GRAVITIES, 'attention', 'entropy')

WHITE = '#ffffff'

# Those with a name in CSS 2.1, section 4.3.6, and what is none of them.
_COLOURS = {
    'white': WHITE,
    'black': '#000000',
    'transparent': '#00000000',
    'aqua': '#00ffff',
    'blue': '#0000ff',
    'fuchsia': '#ff00ff',
    'gray': '#808080',
    'grey': '#808080',
    'green': '#008000',
    'lime': '#00ff00',
    'maroon': '#800000',
    'navy': '#000080',
    'olive': '#808000',
    'orange': '#ffa500',
    'purple': '#800080',
    'red': '#ff0000',
    'silver': '#c0c0c0',
    'teal': '#008080',
    'yellow': '#ffff00',
}
_HEX = re.compile(r'#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})', re.ASCII)
_HYPHENS = re.compile('[-_ ]')
_OVERLAY = re.compile(r'[\w-][\w.-]*(/[\w-][\w.-]*)*')


def side(value: object) -> Plain:
    """A width or height in pixels; None leaves it to the other."""
    return None if value is None else whole(1, MAX_SIDE)(value)


def whole(least: int, most: int) -> Check:
    """A whole number in a range, both ends included."""

    def check(value: object) -> Plain:
        if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
            raise ValueError(f'a whole number from {least} to {most}')
        return int(value)

    return check


def number(least: float, most: float) -> Check:
    """A number in a range, both ends included; one without a fraction is kept as a whole one."""

    def check(value: object) -> Plain:
        found = _real(value)
        if not least <= found <= most:
            raise ValueError(f'a number from {least} to {most}')
        return _shortest(found)

    return check


def angle(value: object) -> Plain:
    """Degrees, clockwise, from 0 up to, not including, 360."""
    found = _real(value)
    if not abs(found) <= MAX_ANGLE:
        raise ValueError(f'a number of degrees from -{MAX_ANGLE} to {MAX_ANGLE}')
    return _shortest(found % 360 % 360)  # twice, because that of a tiny one below 0 is 360


def sharpness(value: object) -> Plain:
    """The width, in pixels, of the edges that are made clearer; True is 1."""
    return 1 if value is True else number(0.1, 10)(value)


def flag(value: object) -> Plain:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError('True or False')
    return value


def one_of(*words: str, **others: str) -> Check:
    """One of some words, however they are cased and hyphenated; ``others`` are more names for them."""
    known = {_bare(each): each for each in words} | others

    def check(value: object) -> Plain:
        word = known.get(_bare(str(value)))
        if word is None:
            raise ValueError(f'one of {", ".join(words)}')
        return word

    return check


def colour(value: object) -> Plain:
    """A colour as ``#rrggbb``, or ``#rrggbbaa`` where it is not opaque."""
    if isinstance(value, list | tuple) and len(value) in {3, 4}:
        value = '#' + ''.join(f'{whole(0, 255)(each):02x}' for each in value)
    text = _COLOURS.get(str(value).lower(), str(value).lower())
    found = _HEX.fullmatch(text)
    if not found:
        raise ValueError(f"'#rrggbb', '#rrggbbaa', three or four numbers from 0 to 255, or {', '.join(_COLOURS)}")
    digits = found[1] if len(found[1]) > 4 else ''.join(2 * each for each in found[1])
    return f'#{digits.removesuffix("ff") if len(digits) == 8 else digits}'


def overlay(value: object) -> Plain:
    """The name of an image in one of the configured places: never a path that leads out of them."""
    if not isinstance(value, str) or not _OVERLAY.fullmatch(value):
        raise ValueError("the name of an overlay, such as 'logo.png' or 'marks/draft.png'")
    return value


def _real(value: object) -> float:
    """The number, which may be one of another library's; not a number for what is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    return value if isinstance(value, int) else float(value)  # because a large one is no float


def _shortest(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _bare(word: str) -> str:
    return _HYPHENS.sub('', word.lower())


class Option(NamedTuple):
    """An argument that is given by its name, and what it is if it is not given."""

    check: Check
    default: Plain = None


class Signature(NamedTuple):
    """What an operation takes: values in their order, and options by their name."""

    values: dict[str, Check] = {}
    options: dict[str, Option] = {}


gravity = one_of(*GRAVITIES, center='centre')
crop = one_of(*CROPS, center='centre')

_SIZE: dict[str, Check] = {'width': side, 'height': side}
_OFFSET = whole(-MAX_SIDE, MAX_SIDE)

#: What each operation takes. A flag takes nothing: it is asked for by True.
OPERATIONS: Mapping[str, Signature] = {
    'resize_to_fit': Signature(_SIZE),
    'resize_to_limit': Signature(_SIZE),
    'resize_to_fill': Signature(_SIZE, {'crop': Option(crop, 'centre')}),
    'resize_and_pad': Signature(_SIZE, {'gravity': Option(gravity, 'centre'), 'background': Option(colour)}),
    'rotate': Signature({'angle': angle}, {'background': Option(colour)}),
    'fliphor': Signature(),
    'flipver': Signature(),
    'grayscale': Signature(),
    'sepia': Signature(),
    'blur': Signature({'sigma': number(0.1, MAX_SIGMA)}),
    'sharpen': Signature({'sigma': sharpness}),
    'composite': Signature(
        {'overlay': overlay},
        {
            'gravity': Option(gravity, 'centre'),
            'x': Option(_OFFSET, 0),
            'y': Option(_OFFSET, 0),
            'opacity': Option(number(0, 1), 1),
        },
    ),
}

#: More names for operations.
ALIASES: Mapping[str, str] = {'resize': 'resize_to_limit'}

#: How the result is written. What its format has no use for changes nothing.
OPTIONS: Mapping[str, Option] = {
    'format': Option(one_of(*FORMATS, jpg='jpeg')),
    'quality': Option(whole(1, 100)),
    'lossless': Option(flag, False),
    'progressive': Option(flag, False),
    'effort': Option(whole(1, 10)),
    'colours': Option(whole(2, 256)),
    'subsampling': Option(flag),
    'frames': Option(whole(1, 65_535)),
    'background': Option(colour, WHITE),
    'keep_metadata': Option(flag, False),
}

#: Words that later recipes will have, for previews of other media than images.
RESERVED = ('source', 'page')
