"""The power fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from . import power

COMMITS = 7

pytestmark = pytest.mark.skipif(shutil.which('strace') is None, reason='apt-get install strace')


@pytest.mark.parametrize('journal', ['WAL', 'DELETE'])
def test_a_power_loss_after_any_system_call_breaks_no_law(
    journal: str, rounds: int, tell: Callable[[object], None]
) -> None:
    result = power.run(COMMITS, losses=rounds, journal=journal)
    tell(result)
    assert result.losses > 200
    assert result.order.commits > COMMITS / 2
    assert not result.counts


def test_new_files_are_safe_before_the_commit_and_old_ones_go_after_it(tell: Callable[[object], None]) -> None:
    order = power.run(40, losses=0).order
    tell(order)
    assert order.commits > 20
    assert not order
