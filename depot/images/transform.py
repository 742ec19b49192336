"""From an original and a recipe to a rendition."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from ..errors import InvalidImage, InvalidVariant
from .arguments import Plain
from .encoders import CONTENT_TYPES, bytes_of_a_pixel, check_sides, encoded, format_for
from .limits import LOADERS, Limits
from .loading import ANIMATED, Original
from .made import Made
from .operations import OPERATIONS
from .overlays import read_overlays
from .recipe import Variant
from .resizing import SIZES, Resizing
from .sizes import Size
from .steps import Step
from .structure import examined
from .vips import Image, Source, failures, joined, page_size

_Work = Callable[[Image], Image]


def transform(
    source: Path | bytes,
    variant: Variant,
    limits: Limits = Limits(),  # noqa: B008 - it does not change
    overlays: Mapping[str, bytes] | None = None,
) -> Made:
    """Makes the rendition of an image file, or of its bytes.

    The result is upright, in sRGB or grey, of eight bits, and has no
    metadata. All frames of an animation are kept if its format can, else
    the first. ``overlays`` are the files that the recipe lays over the
    image, by name; they are read from ``limits.overlays`` if there are none.

    Raises :class:`~depot.errors.InvalidImage` for what is not an image, not
    one of ``limits.loaders``, or not whole, :class:`~depot.errors.ImageTooLarge`,
    and :class:`~depot.errors.InvalidVariant` for an overlay that there is not,
    or that is no such image.
    """
    layers = read_overlays(variant, limits.overlays) if overlays is None else overlays
    with failures(), _opened(source) as (file, vips_source):
        source_format = examined(file, limits)
        image_format = format_for(source_format, variant.options)
        frames = cast('int | None', variant.options['frames']) if image_format in ANIMATED else 1
        original = Original(file, vips_source, source_format, limits, frames)
        image = _Making(original, image_format, limits, layers).made(variant.steps)
        size = page_size(image)
        limits.check_memory(size.width * size.height * bytes_of_a_pixel(image_format, variant.options))
        content = encoded(image, image_format, variant.options)
        return Made(content, image_format, CONTENT_TYPES[image_format], *size)


@contextlib.contextmanager
def _opened(source: Path | bytes) -> Iterator[tuple[IO[bytes], Source]]:
    """The file twice: for looking at it, and for libvips."""
    if isinstance(source, bytes):
        yield io.BytesIO(source), Source.new_from_memory(source)
    else:
        with open(source, 'rb') as file:
            # By a name: one that is given to libvips open stays so for as long as anything of it is in the cache. This
            # one is of the file that was opened, even if there is another one, or none, under its own name meanwhile.
            name = f'/proc/self/fd/{file.fileno()}'
            yield file, Source.new_from_file(name if os.path.exists(name) else str(source))


class _Making:
    """One image on its way through the steps of a recipe."""

    def __init__(self, original: Original, image_format: str, limits: Limits, layers: Mapping[str, bytes]) -> None:
        self._original = original
        self._format = image_format
        self._limits = limits
        self._layers = layers

    def made(self, steps: Sequence[Step]) -> Image:
        """A resizing that comes first is done while the file is read; what follows has its pixels in memory."""
        works = [*self._works(steps)]
        size = self._original.size
        first = works[0] if works else None
        frames = self._original.resized(first.shrunk(size) if isinstance(first, Resizing) else size)
        made = (self._through(works, frame) for frame in frames)
        return joined(made) if self._original.frames > 1 else next(made)

    def _works(self, steps: Sequence[Step]) -> Iterator[_Work]:
        """What is done to a frame, and where it is put into memory: not before each, as most go row by row."""
        for at, step in enumerate(steps):
            if step.operation not in SIZES:
                yield from () if at else (self._held,)
                yield self._operation(step)
            else:
                yield Resizing(step, self._check_size, self._held)
                yield from (self._held,) if steps[at + 1 :] else ()

    def _operation(self, step: Step) -> _Work:
        arguments: dict[str, object] = dict(step.arguments)
        if step.operation == 'composite':
            arguments['overlay'] = self._layer(step.arguments['overlay'])
        return functools.partial(OPERATIONS[step.operation], **arguments)

    def _through(self, works: Sequence[_Work], frame: Image) -> Image:
        for work in works:
            frame = work(frame)
            self._original.check(page_size(frame))  # before a pixel of it is made
        check_sides(page_size(frame), self._format)
        if self._original.frames > 1:
            self._check_memory(frame, self._original.frames)
        return frame

    def _check_size(self, size: Size) -> None:
        self._limits.check_size(*size, self._original.frames)

    def _held(self, frame: Image) -> Image:
        self._check_memory(frame)
        return frame.copy_memory()

    def _check_memory(self, frame: Image, frames: int = 1) -> None:
        self._limits.check_memory(frame.width * frame.height * frame.bands * frames)

    def _layer(self, name: Plain) -> Image:
        """An overlay, which is an image like any other; only, it is the application's, and may be of any format.

        If it is broken or too large, the original is not to blame.
        """
        content = self._layers[str(name)]
        file, source = io.BytesIO(content), Source.new_from_memory(content)
        limits = self._limits._replace(loaders=LOADERS)
        try:
            with failures():
                layer = Original(file, source, examined(file, limits), limits, 1)
                return next(layer.resized(layer.size)).copy_memory()
        except InvalidImage as error:
            raise InvalidVariant(f'The overlay {name!r} is of no use: {error}') from error
