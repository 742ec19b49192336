"""The operations of a recipe that say how large the result is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .colours import with_background
from .sizes import Size, box, covering, fitting, limited, placed
from .steps import Step
from .vips import Image, on_frames, page_size

# Which part of an image is worth to be kept, libvips finds out.
_FOUND = {'attention', 'entropy'}

#: To what size each operation brings an image of a size, before it cuts something off or adds to it.
SIZES: Mapping[str, Callable[[Size, int | None, int | None], Size]] = {
    'resize_to_fit': fitting,
    'resize_to_limit': limited,
    'resize_to_fill': covering,
    'resize_and_pad': fitting,
}


def needs_all(step: Step) -> bool:
    """Whether a step has to see the whole image before it knows the first row of its result."""
    return step.arguments.get('crop') in _FOUND


def cropped(image: Image, width: int | None, height: int | None, crop: str) -> Image:
    """The part of each frame that ``crop`` says; in an animation it is in one place."""
    size = page_size(image)
    wanted = box(size, width, height)
    left, top = _found(image, wanted, crop) if crop in _FOUND else placed(wanted, size, crop)
    return image if wanted == size else on_frames(image, lambda frame: frame.crop(left, top, *wanted))


def _found(image: Image, wanted: Size, crop: str) -> tuple[int, int]:
    """Where the most interesting part of the first frame is."""
    part = image.crop(0, 0, *page_size(image)).smartcrop(*wanted, interesting=crop)
    return -part.xoffset, -part.yoffset


def padded(image: Image, width: int | None, height: int | None, gravity: str, background: str | None) -> Image:
    """Each frame inside a box, the rest of which is the background, or transparent."""
    size = page_size(image)
    outer = box(size, width, height)
    left, top = placed(size, outer, gravity)

    def pad(frame: Image) -> Image:
        frame, values = with_background(frame, background)
        return frame.embed(left, top, *outer, extend='background', background=values)

    return image if outer == size else on_frames(image, pad)


#: What is done to an image in its size.
FINISHES: Mapping[str, Callable[..., Image]] = {'resize_to_fill': cropped, 'resize_and_pad': padded}
