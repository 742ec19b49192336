"""A fault at each step."""

from __future__ import annotations

from collections.abc import Callable

from . import enumerated

#: In CI, one of so many cases; a prime, so that each scenario, way, end and fault has its turn.
EVERY = 59


def test_a_fault_at_any_step_breaks_no_law(rounds: int, tell: Callable[[object], None]) -> None:
    result = enumerated.run(enumerated.all_cases()[:: max(1, EVERY // rounds)])
    tell(result)
    assert result.faults > 300
    assert not result.counts, result.failed
