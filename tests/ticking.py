"""Tells whether an event loop goes on while others work.

That is not told by the clock: each step of a storage waits until the loop has ticked some more.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

# So long that only a test that fails waits for it, in seconds.
FOREVER = 120


class Ticker:
    """Counts how often the loop came round, and notes who kept it from that."""

    def __init__(self) -> None:
        self.ticks = 0
        self.blocked: list[str] = []
        self.steps = 0
        self._thread = threading.get_ident()
        self._is_on = False

    def step(self) -> None:
        """A storage calls this at each of its steps; it returns when the loop has ticked three times more."""
        if not self._is_on:
            return
        self.steps += 1
        if threading.get_ident() == self._thread:
            self.blocked.append('a storage works on the thread of the loop')
        else:
            self._wait_for(self.ticks + 3)

    def _wait_for(self, ticks: int) -> None:
        pause = threading.Event()
        for _ in range(FOREVER * 1000):
            if self.ticks >= ticks:
                return
            pause.wait(0.001)
        self.blocked.append('the loop stands still')

    @contextlib.asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self._tick())
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False
            task.cancel()

    async def _tick(self) -> None:
        while True:
            self.ticks += 1
            await asyncio.sleep(0.001)
