"""Processes that work at the same time, and what they note while they live."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from . import processes
from .application import Application
from .notes import Notes

#: Seconds between two looks at the notes.
PAUSE = 0.002


class Crew:
    """One process a job; a context manager that kills all at its end."""

    def __init__(self, application: Application, jobs: Sequence[Callable[[Notes], None]]) -> None:
        self._application = application
        self._jobs = jobs
        self._notes = [Notes() for _ in jobs]
        self._processes: dict[int, int] = {}
        #: How many notes each has written.
        self.heard: Counter[int] = Counter()

    def __enter__(self) -> Crew:
        self._application.engine.dispose()  # a child must not use its parent's connections
        for number in range(len(self._jobs)):
            self.start(number)
        return self

    def __exit__(self, *error: object) -> None:
        victims = [*self._processes.values()]
        self._processes.clear()
        processes.kill(*victims)
        for number, each in enumerate(self._notes):
            self._hear(number)
            each.close()

    @property
    def members(self) -> list[int]:
        """The numbers of those that live."""
        return [*self._processes]

    def start(self, number: int) -> None:
        self._application.expected.hear(number, [('forked', {})])
        self._processes[number] = processes.fork(self._jobs[number], self._notes[number])

    def kill(self, number: int) -> str:
        """Kills one; returns the last step that it noted."""
        processes.kill(self._processes.pop(number))
        self._hear(number)
        return self._application.expected.last[number]

    def listen(self, until: float = 0) -> None:
        """Takes in what they note, for some time or until an instant of the monotonic clock.

        They would wait if nobody read.
        """
        while True:
            time.sleep(PAUSE)
            for number in self._processes:
                self._hear(number)
            if time.monotonic() >= until:
                return

    def _hear(self, number: int) -> None:
        notes = [*self._notes[number].read()]
        self.heard[number] += len(notes)
        self._application.expected.hear(number, notes)
