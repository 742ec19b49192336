"""Renditions: derived files that are made of images by a recipe, on first demand, and once."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from ..errors import FileMissing, InvalidImage, InvalidPath, Unsupported
from ..io.interfaces import StoredFile
from ..io.ranges import replaced
from ..manager import DepotManager
from .making import Fresh, made_of
from .originals import content_of, original_of
from .recipe import Variant
from .settings import limits_in_force
from .turns import turn_for
from .unkept import UnkeptRendition

log = logging.getLogger('depot.images')

# An original that is replaced each time while a rendition of it is made is left alone after so many.
_ATTEMPTS = 5

# The storages, by name, of which it was said that they keep no renditions.
_warned: set[str] = set()


def rendition(path: str, variant: Variant) -> StoredFile:
    """The rendition of the file at ``storage/id``: made now, unless it was made before.

    However many threads and processes of a machine ask at once, one makes it and the others wait. A storage that
    keeps no derived files has it made anew each time, which is logged once.

    Raises :class:`~depot.errors.FileMissing` and what else the storage raises, :class:`~depot.errors.InvalidImage`
    for a file of which there is no rendition, :class:`~depot.errors.ImageTooLarge` for one beyond the limits,
    and :class:`~depot.errors.ConfigurationError` where the image library is not installed. Then nothing is kept.
    """
    storage, file_id = _place(path)
    if not keeps(storage):
        _warn(path)
        return _unkept(storage, file_id, variant)
    found = find(storage, file_id, variant)
    if found is not None:
        return found
    # Who has the turn for longer than an image may take hangs; then it is made twice.
    with turn_for(f'{path}\n{variant.key}', 2 * limits_in_force().seconds):
        return _kept(storage, file_id, variant)


def find(storage: Any, file_id: str, variant: Variant) -> StoredFile | None:
    """The rendition, if it was made already and its original is there; None if not."""
    if not keeps(storage):
        return None
    try:
        found: StoredFile = storage.get_derived(file_id, variant.key)
    except FileMissing:
        return None
    return found


def has_still(path: str, content: tuple[object, ...] | None) -> bool:
    """Whether the file at ``storage/id`` has the content still that an :class:`~depot.errors.InvalidImage` was about.

    Raises :class:`~depot.errors.FileMissing`, and what else the storage raises.
    """
    return _has_still(*_place(path), content)


def make(path: str, variant: Variant) -> bool:
    """Makes a rendition ahead of the first demand; returns False if it was made before.

    Raises :class:`~depot.errors.Unsupported` if the storage keeps no derived files, and what :func:`rendition` raises.
    """
    storage, file_id = _place(path)
    if not keeps(storage):
        raise Unsupported(f'the storage of {path} keeps no derived files: nothing can be made ahead')
    found = find(storage, file_id, variant)
    (found or rendition(path, variant)).close()
    return found is None


def make_variant(path: str, recipe: str) -> None:
    """Makes a rendition ahead of the first demand, given the text of its recipe: a job for any queue of tasks.

    Does nothing if the file is gone, or its storage keeps no derived files. Raises what :func:`rendition` raises else.
    """
    with contextlib.suppress(FileMissing, Unsupported):
        make(path, Variant.from_text(recipe))


def clear(path: str, variant: Variant | None = None) -> None:
    """Removes the renditions of the file at ``storage/id``, or the one by this recipe; those asked for are made anew.

    URLs of them go on to work; what clients keep of them they do not ask for again.
    """
    storage, file_id = _place(path)
    if keeps(storage):
        storage.delete_derived(file_id, None if variant is None else variant.key)


def keeps(storage: Any) -> bool:
    """Whether the storage keeps derived files. One of somebody else's may not even say what it can do."""
    return 'derived' in getattr(storage, 'capabilities', ())


def _place(path: str) -> tuple[Any, str]:
    name, slash, file_id = path.partition('/')
    if not slash:
        raise InvalidPath(f'{path!r} is no path of a file; one looks like storage/id')
    return DepotManager.require(name), file_id


def _kept(storage: Any, file_id: str, variant: Variant) -> StoredFile:
    for _ in range(_ATTEMPTS):
        found = find(storage, file_id, variant)
        if found is not None:
            return found
        with original_of(storage, file_id) as original, contextlib.suppress(FileMissing):
            # The file, not its id: what is made of a content that was replaced meanwhile is not for the new one.
            storage.put_derived(original, variant.key, *_made(storage, original, variant))
    raise FileMissing(f'File {file_id} was replaced again and again while a rendition of it was made', file_id)


def _made(storage: Any, original: StoredFile, variant: Variant) -> Fresh:
    try:
        return made_of(original, variant)
    except InvalidImage as error:
        if _has_still(storage, original.file_id, error.content):
            raise
        raise replaced(original.file_id) from error  # meanwhile, so that parts of both were read, maybe


def _unkept(storage: Any, file_id: str, variant: Variant) -> StoredFile:
    with original_of(storage, file_id) as original:
        return UnkeptRendition(original, made_of(original, variant))


def _has_still(storage: Any, file_id: str, content: tuple[object, ...] | None) -> bool:
    with original_of(storage, file_id) as original:
        return content == content_of(original)


def _warn(path: str) -> None:
    name = path.partition('/')[0]
    if name not in _warned:
        _warned.add(name)
        log.warning('the storage %r keeps no derived files: each rendition is made anew when it is asked for', name)
