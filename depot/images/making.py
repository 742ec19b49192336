"""From a stored file to the content of a rendition, by the transformation in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InvalidImage
from ..io.ranges import replaced
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
    from .decoding import transformed  # here, because few who import this will have images decoded

    limits = limits_in_force()
    check_overlays(variant, limits.overlays)
    try:
        with source_of(original, limits) as source:
            made = transformed(source, variant)
    except FileNotFoundError as error:
        raise replaced(original.file_id) from error
    except InvalidImage as error:
        error.content = content_of(original)
        raise
    return Fresh(made.content, _filename(original, made.format), made.content_type)


def _filename(original: Any, image_format: str) -> str:
    """The original's name, with the ending of the format."""
    name = getattr(original, 'filename', None)
    stem = Path(name).stem if isinstance(name, str) else ''
    return f'{stem or "unnamed"}.{_ENDINGS.get(image_format, image_format)}'
