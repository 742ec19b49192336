"""Writers that are killed."""

from __future__ import annotations

from collections.abc import Callable

from . import kill

KILLS = 150


def test_writers_that_are_killed_break_no_law(url: str | None, rounds: int, tell: Callable[[object], None]) -> None:
    result = kill.run(KILLS * rounds, url)
    tell(result)
    assert result.kills >= KILLS
    assert result.mid_operation > result.kills / 2
    assert result.commits > result.kills / 10
    assert not result.counts
