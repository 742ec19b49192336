"""Smaller images made by Pillow: for the two classes that applications know from the published package.

The file is looked at before it is decoded, and decoded once, however many images are made of it. Each is upright, in
sRGB, of eight bits, and without metadata, which may tell where it was taken. Frames are read one at a time.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import IO

from ..errors import DepotError, ImageTooLarge, InvalidImage
from .held import COEFFICIENTS, MADE, by_pillow
from .hiccups import is_of_machine
from .limits import Limits
from .made import Made
from .pil import Image, ImageFile
from .pillow_colours import SIDEWAYS, flattened, in_srgb, orientation_of, plain, upright
from .pillow_files import ANIMATED, WITH_ALPHA, Timing, opened, pillow_name, sample, saved
from .pillow_wanted import Wanted
from .structure import examined, format_of, is_held_whole

# A JPEG can be decoded at a half, a quarter or an eighth of its size, which costs as much less; what is then shrunk
# further is to be so much larger than the result, or the result is not as sharp.
_SPARE = 1.2


def render(file: IO[bytes], wanted: Sequence[Wanted], limits: Limits) -> list[Made | None]:
    """The images that are wanted of the one in the file; None for one that is not made.

    Raises :class:`~depot.errors.InvalidImage` for a file that is none of
    ``limits.loaders`` or is not whole, :class:`~depot.errors.ImageTooLarge`, and
    :class:`~depot.errors.ConfigurationError` for a format or a colour that is none.
    """
    targets = [each._replace(format=each.format and pillow_name(each.format)) for each in wanted]
    with refusing():
        name = examined(file, limits)
        is_whole = is_held_whole(file, name)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with opened(file, name) as image:
            limits.check_header(image.width, image.height, 1, size)
            return _Rendering(image, pillow_name(name), is_whole, limits).made(targets)


def load(file: IO[bytes], wanted: Sequence[Wanted]) -> None:
    """Loads all code that :func:`render` needs for this, so that it opens no file: by the same with a sample."""
    name = format_of(file.read(64)) or 'png'
    file.seek(0)
    render(io.BytesIO(sample(name)), wanted, Limits())


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Whatever Pillow raises for a file says that it is broken: there is no list of what that can be.

    Only what the machine cannot do is left as it is: MemoryError, and OSError.
    """
    try:
        yield
    except (DepotError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f'The image is larger than Pillow allows: {error}') from error
    except Exception as error:
        if isinstance(error, OSError) and is_of_machine(error):
            raise
        raise InvalidImage(f'The image cannot be read: {error}') from error


class _Rendering:
    """An opened image on its way to all that is wanted of it."""

    def __init__(self, image: ImageFile.ImageFile, name: str, is_whole: bool, limits: Limits) -> None:
        self._image = image
        self._name = name
        self._is_whole = is_whole
        self._limits = limits
        if name != 'JPEG':
            limits.check_memory(self._decoded())  # first, because Pillow decodes a PNG to know its orientation
        # Pillow puts a TIFF upright by itself.
        self._orientation = 1 if name == 'TIFF' else orientation_of(image)
        self._size = self._turned(image.size)

    def made(self, wanted: Sequence[Wanted]) -> list[Made | None]:
        targets = [self._target(each) for each in wanted]
        wished = [each for each in targets if each]
        count = self._frame_count(wished)
        self._limits.check_memory(self._held(wished) + self._kept(wished, count))
        frames: list[list[Image.Image]] = [[] for _ in targets]
        durations: list[float] = []
        for frame in self._frames(count):
            durations.append(self._image.info.get('duration', 0))
            for kept, target in zip(frames, targets, strict=True):
                if target and (not kept or self._keeps_frames(target)):
                    kept.append(self._shrunk(frame, target))
        timing = self._timing(durations)
        return [
            saved(kept, target.format or self._name, timing) if target else None
            for kept, target in zip(frames, targets, strict=True)
        ]

    def _target(self, wanted: Wanted) -> Wanted | None:
        """What is wanted, with its format; None if there is nothing to do."""
        if wanted.format is None and wanted.fits(*self._size) == self._size:
            return None
        return wanted._replace(format=wanted.format or self._name)

    def _keeps_frames(self, target: Wanted) -> bool:
        """An animation stays one where the format can; the pages of a document stay in a document only."""
        if self._name == 'TIFF':
            return target.format == 'TIFF'
        return target.format in ANIMATED

    def _frame_count(self, targets: Sequence[Wanted]) -> int:
        """How many frames are decoded; raises :class:`ImageTooLarge` if they are too many."""
        count = 1
        if any(map(self._keeps_frames, targets)):
            count = getattr(self._image, 'n_frames', 1)
        self._limits.check_size(*self._image.size, count)
        return count

    def _held(self, targets: Sequence[Wanted]) -> int:
        """The bytes that decoding takes; has a JPEG decoded at the smallest size that will do."""
        coefficients = self._image.width * self._image.height * len(self._image.getbands()) * COEFFICIENTS
        if self._name != 'JPEG':
            return self._decoded()
        self._draft(targets)
        return self._decoded() + (coefficients if self._is_whole else 0)

    def _decoded(self) -> int:
        return self._image.width * self._image.height * by_pillow(self._name, self._image.mode)

    def _draft(self, targets: Sequence[Wanted]) -> None:
        if targets:
            sizes = [self._turned(each.fits(*self._size)) for each in targets]
            self._image.draft(None, tuple(round(max(sides) * _SPARE) for sides in zip(*sizes, strict=True)))

    def _kept(self, targets: Sequence[Wanted], count: int) -> int:
        """The bytes of all frames that are made of it."""
        frames = ((each.fits(*self._size), count if self._keeps_frames(each) else 1) for each in targets)
        return sum(width * height * number for (width, height), number in frames) * MADE

    def _frames(self, count: int) -> Iterator[Image.Image]:
        for index in range(count):
            self._image.seek(index)
            self._limits.check_size(*self._image.size)  # those of a GIF, and pages, can have sizes of their own
            self._image.load()
            yield plain(self._image)

    def _shrunk(self, frame: Image.Image, target: Wanted) -> Image.Image:
        width, height = self._turned(frame.size)
        size = self._turned(target.fits(width, height))
        small = frame.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
        small = upright(in_srgb(small, self._image.info.get('icc_profile')), self._orientation)
        if target.format not in WITH_ALPHA:
            small = flattened(small, target.background)
        small.info = {}  # formats would write a profile, a comment, or a place from it
        return small

    def _timing(self, durations: Sequence[float]) -> Timing | None:
        if self._name == 'TIFF':
            return None
        loop = self._image.info.get('loop')
        if loop is None:
            return Timing(durations, 1)
        return Timing(durations, loop + 1 if self._name == 'GIF' and loop else loop)

    def _turned(self, size: tuple[int, int]) -> tuple[int, int]:
        return (size[1], size[0]) if self._orientation in SIDEWAYS else size
