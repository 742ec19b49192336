"""A fault at each step."""

from __future__ import annotations

from collections.abc import Callable

from . import enumerated

#: In CI, one of so many cases; a prime, so that each scenario, way, end and fault has its turn.
EVERY = 103


#: The same for a server, which is slower.
EVERY_OF_A_SERVER = 811


def test_a_fault_at_any_step_breaks_no_law(rounds: int, tell: Callable[[object], None]) -> None:
    result = enumerated.run(enumerated.all_cases()[:: max(1, EVERY // rounds)])
    tell(result)
    assert result.faults > 200
    assert not result.counts, result.failed


def test_a_fault_at_any_step_breaks_no_law_with_a_server(
    postgres_url: str, rounds: int, tell: Callable[[object], None]
) -> None:
    cases = enumerated.cases_of_a_server()[:: max(1, EVERY_OF_A_SERVER // rounds)]
    result = enumerated.run(cases, postgres_url)
    tell(result)
    assert result.faults > 30
    assert not result.counts, result.failed
