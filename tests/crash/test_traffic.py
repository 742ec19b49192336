"""Readers, writers and sweepers beside each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import traffic

SECONDS = 6


def test_readers_writers_and_sweepers_beside_each_other_break_no_law(
    url: str | None, rounds: int, tell: Callable[[object], None]
) -> None:
    for patience in 1, 2, 4:  # a busy machine gets less done
        result = traffic.run(SECONDS * rounds * patience, url)
        tell(result)
        assert not result
        if all(result.steps.get(each, 0) > 10 for each in ('read', 'acknowledged', 'sweep')):
            return
    pytest.fail(f'too little was done to show anything: {result.steps}')
