"""The threads of a process that make renditions for its requests."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from ..errors import InvalidImage, InvalidVariant, RenditionBusy
from ..images.recipe import Variant
from ..images.renditions import rendition
from ..images.unkept import UnkeptRendition
from ..threads import Outcome, attempt

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


class Makers:
    """Makes renditions, ``at_once`` of them at the same time, and each once however many ask.

    A child that was forked has none of its parent's threads, and so begins anew.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._makings: dict[_Name, Making] = {}
        self._failures: dict[_Name, float] = {}
        self._threads = ThreadPoolExecutor(self._at_once, 'depot-renditions')  # which starts one when it needs it

    def failed(self, path: str, variant: Variant) -> bool:
        """Whether the rendition could not be made, not long ago."""
        return self._failures.get((path, variant.to_text()), 0.0) > time.monotonic()

    def begin(self, path: str, variant: Variant) -> Making:
        """Has the rendition of the file at ``storage/id`` made, unless it is being made already.

        Raises :class:`~depot.errors.RenditionBusy` if too many wait.
        """
        if self._process != os.getpid():
            self._begin_anew()
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
        try:
            file = rendition(name[0], variant)
        except (InvalidImage, InvalidVariant) as error:
            log.warning('no rendition of %s by %s: %s', *name, error)
            self._remember(name)
            raise
        finally:
            with self._lock:
                del self._makings[name]
        if isinstance(file, UnkeptRendition):
            return file
        file.close()
        return None

    def _remember(self, name: _Name) -> None:
        if len(self._failures) >= _MOST_FAILURES:
            self._failures.clear()
        self._failures[name] = time.monotonic() + _FAILURES_LAST
