"""The threads of a process that make renditions for its requests."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from ..errors import InvalidImage, InvalidVariant, RenditionBusy
from ..images.limits import Limits
from ..images.recipe import Variant
from ..images.renditions import has_still, rendition
from ..images.settings import limits_in_force
from ..images.unkept import UnkeptRendition
from ..threads import Outcome, attempt
from .remembered import Remembered

log = logging.getLogger('depot.images')

#: What becomes of a rendition: one that its storage does not keep, or None where it does.
Making = Future[Outcome[UnkeptRendition | None]]

# Beyond so many, of which some are being made and the others wait, none is begun.
_MOST = 256

# For so many seconds what could not be made is not tried again, and so many of them are remembered.
_FAILURES_LAST = 60.0
_MOST_FAILURES = 1000

# The path of the file, and the text of the recipe.
_Name = tuple[str, str]


class _Failure(NamedTuple):
    """What could not be made, until that is worth another try."""

    until: float
    #: That of the file, and the limits that held: with others it may not fail.
    content: tuple[object, ...] | None
    limits: Limits


class Makers:
    """Makes renditions, ``at_once`` of them at the same time, and each once however many ask.

    A child that was forked has none of its parent's threads, and so begins anew.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._begin_anew()
        if hasattr(os, 'register_at_fork'):  # not at the first request of a child, when several threads may find out
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._makings: dict[_Name, Making] = {}
        self._failures: Remembered[_Name, _Failure] = Remembered(_MOST_FAILURES)
        self._threads = ThreadPoolExecutor(self._at_once, 'depot-renditions')  # which starts one when it needs it

    def failed(self, path: str, variant: Variant) -> bool:
        """Whether the rendition could not be made, not long ago, and nothing has changed since.

        Raises what the storage raises, such as :class:`~depot.errors.FileMissing`.
        """
        failure = self._failures.get((path, variant.to_text()))
        if failure is None or failure.until <= time.monotonic() or failure.limits is not limits_in_force():
            return False
        return has_still(path, failure.content)

    def begin(self, path: str, variant: Variant) -> Making:
        """Has the rendition of the file at ``storage/id`` made, unless it is being made already.

        Raises :class:`~depot.errors.RenditionBusy` if too many wait.
        """
        name = path, variant.to_text()
        with self._lock:
            making = self._makings.get(name)
            if making is None:
                making = self._makings[name] = self._submitted(name, variant)
            return making

    def _submitted(self, name: _Name, variant: Variant) -> Making:
        if len(self._makings) >= _MOST:
            raise RenditionBusy(f'{_MOST} renditions are being made, or wait for it')
        try:
            return self._threads.submit(attempt, self._make, name, variant)
        except RuntimeError as error:  # the interpreter is about to exit
            raise RenditionBusy(str(error)) from error

    def _make(self, name: _Name, variant: Variant) -> UnkeptRendition | None:
        limits = limits_in_force()
        try:
            file = rendition(name[0], variant)
        except (InvalidImage, InvalidVariant) as error:
            log.warning('no rendition of %s by %s: %s', *name, error)
            if isinstance(error, InvalidImage):  # not an overlay, which may be there soon
                self._failures[name] = _Failure(time.monotonic() + _FAILURES_LAST, error.content, limits)
            raise
        finally:
            with self._lock:
                del self._makings[name]
        if isinstance(file, UnkeptRendition):
            return file
        file.close()
        return None
