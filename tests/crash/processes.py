"""Processes that are forked from this one, warm, and killed."""

from __future__ import annotations

import gc
import os
import signal
import traceback
import warnings
from collections.abc import Callable


def fork(work: Callable[..., object], *args: object) -> int:
    """Starts a child that does some work and ends; returns its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # Python 3.12, where the test run has threads
        process = os.fork()
    if process == 0:
        _work_and_exit(work, args)
    return process


def _work_and_exit(work: Callable[..., object], args: tuple[object, ...]) -> None:
    """Nothing of the parent's runs in the child: no handlers, no pytest."""
    try:
        work(*args)
        gc.collect()
        leave(0)
    except BaseException:
        traceback.print_exc(limit=-3, chain=False)
        leave(1)


def leave(status: int) -> None:
    """Ends this process at once."""
    os._exit(status)


def kill(*victims: int) -> None:
    """Kills children, which must not have ended by themselves: then the harness would measure nothing."""
    for each in victims:
        os.kill(each, signal.SIGKILL)
    found = [wait(each) for each in victims]
    assert found == [-signal.SIGKILL] * len(victims), f'some had ended by themselves: {found}'


def wait(process: int) -> int:
    """Waits until a child has ended; returns its exit status, which is minus the signal if one killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
