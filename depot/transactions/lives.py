"""What is to be done when a thing is gone that nobody closed."""

from __future__ import annotations

import atexit
import functools
import threading
import weakref
from collections.abc import Callable
from typing import Any

_is_exiting = False


def when_gone(thing: Any, function: Callable[..., object], *args: Any) -> weakref.finalize[..., Any]:
    """Calls the function when nothing refers to the thing any more; at the latest when the process exits.

    Not then, if a daemon thread is still at work: it may use the thing. It is cut
    off somewhere, as by a crash.
    """
    finalizer = weakref.finalize(thing, _call, function, *args)
    _hear_the_exit()
    return finalizer


def _call(function: Callable[..., object], *args: Any) -> None:
    if not (_is_exiting and threading.active_count() > 1):
        function(*args)


@functools.cache
def _hear_the_exit() -> None:
    atexit.register(_exit)  # after the first finalizer, whose own is run after this one then


def _exit() -> None:
    global _is_exiting
    _is_exiting = True
