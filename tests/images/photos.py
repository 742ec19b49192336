"""Photos to be made small, and what they became."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from depot.images import decoding
from depot.images.recipe import Variant

from ..cli.samples import png

#: The recipe that most tests use, and the size of what it makes of a photo.
THUMB = Variant(resize_to_fill=(20, 20))


def photo(width: int = 40, height: int = 30, blue: float = 0) -> bytes:
    """A PNG picture of 40 × 30 pixels."""
    return png(lambda x, y: (x, y, blue), width, height)


def size_of(content: bytes) -> tuple[int, int]:
    """The width and the height of a picture."""
    with Image.open(io.BytesIO(content)) as image:
        return image.size


class Counted:
    """Counts the renditions that this process makes."""

    def __init__(self) -> None:
        self.made: list[Variant] = []

    def __call__(self, source: Any, variant: Variant) -> Any:
        self.made.append(variant)
        return _transformed(source, variant)

    def __len__(self) -> int:
        return len(self.made)


_transformed = decoding.transformed


@pytest.fixture
def makings(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The renditions that were made."""
    counted = Counted()
    monkeypatch.setattr(decoding, 'transformed', counted)
    return counted
