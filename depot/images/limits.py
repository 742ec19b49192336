"""How much an image may cost: checked on its header, before anything is decoded."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import ImageTooLarge

#: The formats that are read; everything else is refused, whatever a library could make of it.
LOADERS = ('jpeg', 'png', 'gif', 'webp', 'avif', 'heic', 'tiff', 'bmp')

#: Those of them that the libvips of the wheel does not read, and Pillow does.
FOREIGN = frozenset({'bmp', 'heic'})

MIB = 1024 * 1024

#: Pixels that are made anyway, whatever they are of.
HARMLESS = 16_000_000


class Limits(NamedTuple):
    """What is too large, and where images are decoded; the defaults are those of an application that says nothing."""

    #: Pixels, those of all frames that are decoded together.
    pixels: int = 128_000_000
    #: Pixels for each byte of the file. Pictures have up to 300, what is of one colour up to 1,000, and bombs more.
    density: int = 2_000
    #: Frames, or pages.
    frames: int = 1_000
    #: Bytes of the file.
    bytes: int = 256 * MIB
    #: How long a worker process may take.
    seconds: float = 20.0
    #: Bytes that decoding may take: those that a worker process gets, beyond what it needs before it begins.
    memory: int = 256 * MIB
    #: Whether images are decoded in a process of their own.
    worker: bool = False
    #: The formats that are read.
    loaders: tuple[str, ...] = LOADERS
    #: The folders that overlays are taken from, by their name in one of them.
    overlays: tuple[str, ...] = ()

    def check_header(self, width: int, height: int, frames: int, size: int) -> None:
        """What the header of a file of so many bytes says; raises :class:`~depot.errors.ImageTooLarge`."""
        self.check_size(width, height, frames)
        self.check_density(width * height * frames, size)

    def check_size(self, width: int, height: int, frames: int = 1) -> None:
        """Raises :class:`~depot.errors.ImageTooLarge` for more pixels or frames than are allowed."""
        self.check_frames(frames)
        if width * height * frames > self.pixels:
            what = f'{width} x {height} pixels' + (f' in {frames} frames' if frames > 1 else '')
            raise ImageTooLarge(f'The image has {what}, {self._allowed(self.pixels, "pixels")}')

    def check_density(self, pixels: int, size: int) -> None:
        """Raises :class:`~depot.errors.ImageTooLarge` for many more pixels than a file of so many bytes should have.

        An image of up to 16 million may be of as few bytes as can be.
        """
        if pixels > max(HARMLESS, size * self.density):
            what = f'{pixels // max(size, 1)} pixels for each of its bytes'
            raise ImageTooLarge(f'The image has {what}, {self._allowed(self.density, "density")}')

    def check_frames(self, frames: int) -> None:
        """Raises :class:`~depot.errors.ImageTooLarge` for more frames than are allowed."""
        if frames > self.frames:
            raise ImageTooLarge(f'The image has {frames} frames or more, {self._allowed(self.frames, "frames")}')

    def check_bytes(self, size: int) -> None:
        """Raises :class:`~depot.errors.ImageTooLarge` for a file of more bytes than are allowed."""
        if size > self.bytes:
            raise ImageTooLarge(f'The image has {size} bytes, {self._allowed(self.bytes, "bytes")}')

    def check_memory(self, size: int) -> None:
        """Raises :class:`~depot.errors.ImageTooLarge` if decoding takes that many bytes, and that is too many."""
        if size > self.memory:
            raise ImageTooLarge(f'Decoding the image takes {size} bytes, {self._allowed(self.memory, "memory")}')

    @staticmethod
    def _allowed(limit: int, option: str) -> str:
        return f'{limit} are allowed; configure_images({option}=...) allows more'
