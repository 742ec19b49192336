"""What was found out, and would be found out again if it were forgotten."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar('K')
V = TypeVar('V')


class Remembered(dict[K, V]):
    """At most so many; when it is full, it begins anew. Threads may use it at the same time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(key, value)
