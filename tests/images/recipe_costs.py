"""What recipes cost that make much of little, measured in this process, and written as JSON: see test_frames.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

from depot.images.recipe import Variant
from depot.images.transform import transform

from .costs import cost
from .pictures import animated, encoded, oriented

SECONDS = 4


class Case(NamedTuple):
    """A file, a recipe, and the MiB that making the rendition may take, or refusing it."""

    content: Callable[[], bytes]
    variant: Variant
    mib: int = 64


def _moving(frames: int, image_format: str = 'GIF', side: int = 350) -> bytes:
    return animated([(each % 256, each // 256, 0) for each in range(frames)], image_format, (side, side))


def _narrow(width: int, height: int, image_format: str = 'PNG', mode: str = 'P') -> bytes:
    return encoded(Image.new(mode, (width, height)), image_format)


def _narrow_and_turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.new('L', (60, 10_000)), 'PNG', exif=exif)


CASES: dict[str, Case] = {
    'an animation, sharper': Case(lambda: _moving(40), Variant(resize=(200, 200), sharpen=True), 128),
    'an animation, grey': Case(lambda: _moving(150), Variant(resize=(200, 200), grayscale=True)),
    'an animation, turned': Case(lambda: _moving(100), Variant(rotate=30, resize=(100, 100))),
    'an animation, blurred': Case(lambda: _moving(60, 'WEBP'), Variant(resize=(200, 200), blur=2)),
    'an animation of many pixels': Case(lambda: _moving(12, side=2000), Variant(resize=(100, 100), format='webp')),
}


def main() -> None:
    recipes = (Variant(sharpen=True, blur=1, rotate=30), Variant(resize_to_fill=(20, 20, {'crop': 'attention'})))
    for each in (encoded(Image.new('P', (64, 64))), oriented(6), _moving(2), _moving(2, 'WEBP')):
        for variant in recipes:  # so that no library is loaded while it is measured
            transform(each, variant)
    print(json.dumps({name: cost(_way(case), case.content()) for name, case in CASES.items()}))


def _way(case: Case) -> Callable[[bytes], Any]:
    return lambda content: transform(content, case.variant)


if __name__ == '__main__':
    main()
