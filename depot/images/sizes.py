"""How large a result is, and where something is in it: exact, in whole pixels, before anything is drawn."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """A width and a height, in pixels."""

    width: int
    height: int


def fitting(size: Size, width: int | None, height: int | None) -> Size:
    """The largest size of the same shape inside a box; a side of it that is None is as long as it needs to be."""
    if height is None or (width is not None and width * size.height <= height * size.width):
        assert width is not None
        return Size(width, max(1, _rounded(size.height * width, size.width)))
    return Size(max(1, _rounded(size.width * height, size.height)), height)


def limited(size: Size, width: int | None, height: int | None) -> Size:
    """Like :func:`fitting`, but never larger than it is."""
    found = fitting(size, width, height)
    return found if found.width < size.width or found.height < size.height else size


def covering(size: Size, width: int | None, height: int | None) -> Size:
    """The smallest size of the same shape that has no gap in the box."""
    if width is None or height is None:
        return fitting(size, width, height)
    if width * size.height >= height * size.width:
        return Size(width, max(height, _rounded(size.height * width, size.width)))
    return Size(max(width, _rounded(size.width * height, size.height)), height)


def box(size: Size, width: int | None, height: int | None) -> Size:
    """The box itself: a side that is None is as long as that of ``size``."""
    return Size(width or size.width, height or size.height)


def placed(inner: Size, outer: Size, gravity: str, x: int = 0, y: int = 0) -> tuple[int, int]:
    """Where the left top corner of ``inner`` is in ``outer``, or outside of it.

    ``x`` and ``y`` lead away from the sides that ``gravity`` names, to the
    right and down where it names none. Half a pixel goes to the right and
    to the bottom.
    """
    return (
        _along(outer.width - inner.width, 'west' in gravity, 'east' in gravity, x),
        _along(outer.height - inner.height, 'north' in gravity, 'south' in gravity, y),
    )


def _along(space: int, at_start: bool, at_end: bool, offset: int) -> int:
    if at_end:
        return space - offset
    return (0 if at_start else space // 2) + offset


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient, half rounded up, as floating point numbers would not always do it."""
    return (2 * numerator + denominator) // (2 * denominator)
