"""From a stored file to the content of a rendition, by the transformation in force."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DepotError, FileMissing, InvalidImage
from ..io.ranges import replaced
from ..io.utils import copy_content
from .recipe import Variant

# Up to so many bytes an original that is on no disk of this machine is held in memory; above, on a disk.
_IN_MEMORY = 8 * 1024 * 1024

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

    try:
        with _source(original) as source:
            made = transformed(source, variant)
    except FileNotFoundError as error:
        raise replaced(original.file_id) from error
    except InvalidImage as error:
        error.content = content_of(original)
        raise
    return Fresh(made.content, _filename(original, made.format), made.content_type)


def content_of(original: Any) -> tuple[object, ...]:
    """What tells the content that a stored file describes from another one, as far as its storage knows."""
    return tuple(getattr(original, each, None) for each in ('checksum', 'content_length', 'last_modified'))


@contextlib.contextmanager
def original_of(storage: Any, file_id: str) -> Iterator[Any]:
    """The stored file, closed at the end; :class:`~depot.errors.FileMissing` if there is none, whatever the storage."""
    try:
        file = storage.get(file_id)
    except DepotError:
        raise
    except (OSError, ValueError) as error:  # what storages written for the published package raise
        raise FileMissing(f'File {file_id} not existing', file_id) from error
    try:
        yield file
    finally:
        getattr(file, 'close', bool)()  # those of other storages may have nothing to close


@contextlib.contextmanager
def _source(original: Any) -> Iterator[bytes | Path]:
    """The content: where it is on a disk, or all of its bytes if they are few."""
    path = getattr(original, 'local_path', None)
    length = getattr(original, 'content_length', None)
    if isinstance(path, str):
        yield Path(path)
    elif isinstance(length, int) and length <= _IN_MEMORY:
        yield original.read()
    else:
        with tempfile.NamedTemporaryFile(prefix='depot-original-') as copy:
            copy_content(original, copy.write)
            copy.flush()
            yield Path(copy.name)


def _filename(original: Any, image_format: str) -> str:
    """The original's name, with the ending of the format."""
    name = getattr(original, 'filename', None)
    stem = Path(name).stem if isinstance(name, str) else ''
    return f'{stem or "unnamed"}.{_ENDINGS.get(image_format, image_format)}'
