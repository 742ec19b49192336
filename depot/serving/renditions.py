"""Renditions over HTTP: made when they are asked for first; a request waits for its own, up to a time."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from ..errors import (
    ConfigurationError,
    FileMissing,
    InvalidFileId,
    InvalidImage,
    InvalidVariant,
    RenditionBusy,
    UnknownStorage,
)
from ..images.recipe import Variant
from ..images.renditions import find
from ..manager import DepotManager
from .delivery import Delivery, said
from .kept import KeptFiles
from .makers import Makers, Making
from .resolver import segments_of
from .response import plain

#: Seconds for which a request waits.
WAIT = 10.0

_LONGEST_WAIT = 600

# Seconds after which a client is told to ask again.
_RETRY_AFTER = 2

# There is no such rendition, and nothing is wrong with the storage.
_NONE = (FileMissing, InvalidFileId, InvalidImage, InvalidVariant, UnknownStorage)

#: Makes the answer that sends a stored file.
Deliver = Callable[[Any], Delivery]


class Pending(NamedTuple):
    """An answer that has to wait for a rendition."""

    making: Making
    #: How long it waits, at most.
    seconds: float
    #: What is answered when that is made, or the time is over.
    answer: Callable[[], Delivery]


class Renditions:
    """Answers with renditions, and has those that are missing made, ``at_once`` of them at the same time.

    A request waits for ``wait`` seconds; then its client is told to come again. What nobody waits for any more is
    made all the same. By default as many are made at once as there are processors.

    Raises :class:`~depot.errors.ConfigurationError` for what are no such numbers.
    """

    def __init__(self, at_once: int | str | None = None, wait: float | str = WAIT) -> None:
        self._makers = Makers(_processors() if at_once is None else _checked_at_once(at_once))
        self._seconds = _checked_wait(wait)

    def answer(
        self, path: str, recipe: str, method: str, deliver: Deliver, kept: KeptFiles | None
    ) -> Delivery | Pending:
        """The answer to a request for the rendition of the file at ``storage/id``, by a recipe that we have signed.

        Small ones are looked for among those that are ``kept``.

        Raises what a storage raises that fails.
        """
        try:
            variant = _variant(recipe)
            if self._makers.failed(path, variant):
                return _missing(method)
            find_it = functools.partial(_found, variant)
            file = find_it(path) if kept is None else kept.find(path, variant.key, find_it)
            if file is not None:
                return deliver(file)
            making = self._makers.begin(path, variant)
        except _NONE:
            return _missing(method)
        except RenditionBusy:
            return _busy(method)
        return Pending(making, self._seconds, functools.partial(_made, making, path, variant, method, deliver))


def _made(making: Making, path: str, variant: Variant, method: str, deliver: Deliver) -> Delivery:
    """The answer when somebody has waited."""
    if not making.done():
        return _busy(method)
    try:
        unkept = making.result().get()
        file = _found(variant, path) if unkept is None else unkept.again()
    except _NONE:
        return _missing(method)
    except RenditionBusy:
        return _busy(method)
    return _missing(method) if file is None else deliver(file)


def _found(variant: Variant, path: str) -> Any:
    name, file_id = segments_of(path) or ('', '')
    return find(DepotManager.require(name), file_id, variant)


def _missing(method: str) -> Delivery:
    return said(plain(HTTPStatus.NOT_FOUND), method)


def _busy(method: str) -> Delivery:
    return said(plain(HTTPStatus.SERVICE_UNAVAILABLE, headers=[('Retry-After', str(_RETRY_AFTER))]), method)


# The texts in URLs are few, and it takes longer to read one than to find the rendition.
_variant = functools.lru_cache(1024)(Variant.from_text)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _checked_at_once(value: int | str) -> int:
    try:
        at_once = int(value)
    except (TypeError, ValueError):
        at_once = 0
    if at_once < 1:
        raise ConfigurationError(f'renditions_at_once = {value!r} is no whole number above 0')
    return at_once


def _checked_wait(value: float | str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise ConfigurationError(f'renditions_wait = {value!r} is no number of seconds from 0 to {_LONGEST_WAIT}')
    return seconds
