"""What recipes cost that make much of little, measured in this process, and written as JSON: see test_frames.py."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

from depot.errors import ImageTooLarge
from depot.images.recipe import Variant
from depot.images.transform import transform

from .costs import cost
from .pictures import animated, encoded, oriented

#: Of a slow processor; ours takes less than 2.
SECONDS = 10


class Case(NamedTuple):
    """A file, a recipe, and the MiB that making the rendition may take, or refusing it."""

    content: Callable[[], bytes]
    variant: Variant
    mib: int = 64


def _moving(frames: int, image_format: str = 'GIF', side: int = 350) -> bytes:
    return animated([(each % 256, each // 256, 0) for each in range(frames)], image_format, (side, side))


def _narrow(width: int, height: int, mode: str = 'P') -> bytes:
    return encoded(Image.new(mode, (width, height)))


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
    'a narrow image, filling': Case(lambda: _narrow(60, 10_000), Variant(resize_to_fill=(800, 800), sharpen=True)),
    'a narrow image, by what is in it': Case(
        lambda: _narrow(60, 10_000, 'RGBA'), Variant(resize_to_fill=(800, 800, {'crop': 'attention'}), blur=1)
    ),
    'a flat image, changed and filling': Case(
        lambda: _narrow(10_000, 60), Variant(fliphor=True, resize_to_fill=(800, 800, {'crop': 'entropy'}))
    ),
    'a narrow image on its side, filling': Case(_narrow_and_turned, Variant(resize_to_fill=(800, 800), sharpen=True)),
    'a narrow image, larger': Case(lambda: _narrow(60, 10_000), Variant(resize_to_fit=(800, None))),
    'a narrow image, askew': Case(lambda: _narrow(60, 15_000), Variant(rotate=30, resize=(200, 200))),
    'a narrower image, askew': Case(lambda: _narrow(60, 50_000), Variant(rotate=30, resize=(200, 200))),
}


def main() -> None:
    recipes = (Variant(sharpen=True, blur=1, rotate=30), Variant(resize_to_fill=(20, 20, {'crop': 'attention'})))
    for each in (encoded(Image.new('P', (64, 64))), oriented(6), _moving(2), _moving(2, 'WEBP')):
        for variant in recipes:  # so that no library is loaded while it is measured
            transform(each, variant)
    print(json.dumps({name: cost(_way(case), case.content()) for name, case in CASES.items()}))


def _way(case: Case) -> Callable[[bytes], Any]:
    def make(content: bytes) -> None:
        with contextlib.suppress(ImageTooLarge):
            transform(content, case.variant)

    return make


if __name__ == '__main__':
    main()
