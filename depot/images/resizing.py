"""The operations of a recipe that say how large the result is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from .colours import with_background
from .sizes import Size, box, covering, fitting, limited, placed
from .steps import Step
from .vips import Image, page_size

# Which part of an image is worth to be kept, libvips finds out.
_FOUND = {'attention', 'entropy'}

# The longest side that libvips counts, https://github.com/libvips/libvips: VIPS_MAX_COORD.
_LONGEST = 10_000_000

#: To what size each operation brings an image of a size, before it cuts something off or adds to it.
SIZES: Mapping[str, Callable[[Size, int | None, int | None], Size]] = {
    'resize_to_fit': fitting,
    'resize_to_limit': limited,
    'resize_to_fill': covering,
    'resize_and_pad': fitting,
}


class Resizing:
    """A resizing of a recipe, for one frame after the other; they are all cropped in one place.

    ``check`` refuses a size that is too large, and ``held`` puts a frame into
    memory, or refuses that. What is enlarged and then cropped is never made as
    a whole: a narrow image has a size then that no limit would let pass, so
    only what is kept of it counts.
    """

    def __init__(self, step: Step, check: Callable[[Size], None], held: Callable[[Image], Image]) -> None:
        arguments: Mapping[str, Any] = step.arguments
        self._operation = step.operation
        self._sides: tuple[int | None, int | None] = (arguments['width'], arguments['height'])
        self._arguments = arguments
        self._check = check
        self._held = held
        self._place: tuple[int, int] | None = None

    def shrunk(self, size: Size) -> Size:
        """The size to read an image in that is resized first; its own, if it is to become larger."""
        target = self._target(size)
        return size if target.width > size.width or target.height > size.height else target

    def __call__(self, frame: Image) -> Image:
        """The frame in the size of the recipe; raises :class:`ImageTooLarge`."""
        size = page_size(frame)
        target = self._target(size)
        outer = box(target, *self._sides)
        frame = _scaled(frame, self.shrunk(size))
        if self._operation == 'resize_to_fill' and outer != target:
            frame = self._held(frame) if self._arguments['crop'] in _FOUND else frame
            self._place = self._place or _place(frame, target, outer, self._arguments['crop'])
            return _scaled(frame, target).crop(*self._place, *outer)
        frame = _scaled(frame, target)
        return self._padded(frame, outer) if self._operation == 'resize_and_pad' and outer != target else frame

    def _target(self, size: Size) -> Size:
        target = SIZES[self._operation](size, *self._sides)
        is_cropped = self._operation == 'resize_to_fill' and max(target) <= _LONGEST
        self._check(box(target, *self._sides) if is_cropped else target)
        return target

    def _padded(self, frame: Image, outer: Size) -> Image:
        """The frame inside a box, the rest of which is the background, or transparent."""
        left, top = placed(page_size(frame), outer, self._arguments['gravity'])
        frame, values = with_background(frame, cast('str | None', self._arguments['background']))
        return frame.embed(left, top, *outer, extend='background', background=values)


def _scaled(frame: Image, size: Size) -> Image:
    return frame if size == page_size(frame) else frame.thumbnail_image(size.width, height=size.height, size='force')


def _place(frame: Image, target: Size, outer: Size, crop: str) -> tuple[int, int]:
    """Where the part is that is kept of a frame which will have the size of ``target``."""
    if crop not in _FOUND:
        return placed(outer, target, crop)
    across, down = frame.width / target.width, frame.height / target.height
    part = frame.smartcrop(
        min(frame.width, math.ceil(outer.width * across)),
        min(frame.height, math.ceil(outer.height * down)),
        interesting=crop,
    )
    left, top = round(-part.xoffset / across), round(-part.yoffset / down)
    return min(left, target.width - outer.width), min(top, target.height - outer.height)
