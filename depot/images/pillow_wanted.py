"""What is to be made of an image by Pillow, said without it."""

from __future__ import annotations

from typing import NamedTuple


class Wanted(NamedTuple):
    """An image to make: no larger than the size, in the same proportions."""

    width: int
    height: int
    #: Pillow's name of the format; None is the source's own, and then it is only made if the source is larger.
    format: str | None = None
    #: What is behind a transparent image in a format that has no transparency, as CSS writes colours.
    background: str = 'white'

    def fits(self, width: int, height: int) -> tuple[int, int]:
        """The size that an image of this size gets."""
        scale = min(self.width / width, self.height / height, 1)
        return max(1, round(width * scale)), max(1, round(height * scale))
