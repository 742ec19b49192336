"""From a stored file to the content of a rendition, by the transformation in force."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InvalidImage
from ..io.ranges import replaced
from . import decoding  # which has to be there before a fork, whenever the first image is decoded
from .originals import content_of, source_of
from .overlays import check_overlays
from .recipe import Variant
from .settings import limits_in_force

_ENDINGS = {'jpeg': 'jpg'}


class Fresh(NamedTuple):
    """A rendition that was just made, and is kept nowhere yet."""

    content: bytes
    filename: str
    content_type: str


def made_of(original: Any, variant: Variant) -> Fresh:
    """The rendition of a stored file, made now.

    Raises what reading the file raises, such as :class:`~depot.errors.FileMissing` if it is gone meanwhile, and what
    the transformation raises.
    """
    limits = limits_in_force()
    check_overlays(variant, limits.overlays)
    try:
        with source_of(original, limits) as source, _there(original.file_id, source):
            made = decoding.transformed(source, variant)
    except InvalidImage as error:
        error.content = content_of(original)
        raise
    return Fresh(made.content, _filename(original, made.format), made.content_type)


@contextlib.contextmanager
def _there(file_id: str, source: bytes | Path) -> Iterator[None]:
    """Says that the file was replaced or deleted if that is why it is not found."""
    try:
        yield
    except FileNotFoundError as error:
        if isinstance(source, Path) and not source.exists():
            raise replaced(file_id) from error
        raise


def _filename(original: Any, image_format: str) -> str:
    """The original's name, with the ending of the format."""
    name = getattr(original, 'filename', None)
    stem = Path(name).stem if isinstance(name, str) else ''
    return f'{stem or "unnamed"}.{_ENDINGS.get(image_format, image_format)}'
