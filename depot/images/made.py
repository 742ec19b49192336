"""What is made of an image."""

from __future__ import annotations

from typing import NamedTuple


class Made(NamedTuple):
    """An encoded image."""

    content: bytes
    #: Of the :data:`~depot.images.limits.LOADERS`, or Pillow's name of another one in lower case.
    format: str
    content_type: str
    width: int
    height: int
