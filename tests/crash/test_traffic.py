"""Readers, writers and sweepers beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from . import traffic

SECONDS = 6


def test_readers_writers_and_sweepers_beside_each_other_break_no_law(
    url: str | None, rounds: int, tell: Callable[[object], None]
) -> None:
    promised, done = traffic.GRACE, Counter[str]()
    for _ in range(40):  # a busy machine gets less done
        result = traffic.run(SECONDS * rounds, url, promised)
        tell(result)
        if result.late:  # nor can it promise as much
            promised *= 2
            continue
        assert not result
        done.update(result.steps)
        if all(done[each] > 10 for each in ('read', 'acknowledged', 'sweep')):
            return
    pytest.fail(f'too little was done to show anything: {done}')
