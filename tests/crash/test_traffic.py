"""Readers, writers and sweepers beside each other."""

from __future__ import annotations

from collections.abc import Callable

from . import traffic

SECONDS = 6


def test_readers_writers_and_sweepers_beside_each_other_break_no_law(
    url: str | None, rounds: int, tell: Callable[[object], None]
) -> None:
    result = traffic.run(SECONDS * rounds, url)
    tell(result)
    for each in 'read', 'acknowledged', 'sweep':
        assert result.steps[each] > 10
    assert not result
