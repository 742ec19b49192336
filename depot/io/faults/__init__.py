"""Storages that fail, are slow, or kill the process, at a step of your choice: for testing what depends on them.

::

    faulty = FaultyStorage(MemoryFileStorage(), Fault('create', nth=2, does=OSError('no route to host')))

    for fault in every_step():
        scenario(FaultyStorage(MemoryFileStorage(), fault))
"""

from __future__ import annotations

from .fault import Fault, Step, delay, every_step, kill
from .storage import FaultyStorage

__all__ = ['Fault', 'FaultyStorage', 'Step', 'delay', 'every_step', 'kill']
