"""Writers that are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from . import kill
from .counts import Counts

KILLS = 150


def test_writers_that_are_killed_break_no_law(url: str | None, rounds: int, tell: Callable[[object], None]) -> None:
    result = kill.run(KILLS * rounds, url)
    tell(result)
    assert result.kills >= KILLS
    assert result.mid_operation > result.kills / 2
    assert result.commits > result.kills / 2
    assert not result.counts


def test_writers_that_are_killed_break_no_law_where_the_database_counts(
    url: str | None, rounds: int, tell: Callable[[object], None]
) -> None:
    command = [sys.executable, '-m', 'tests.crash.kill', '--kills', str(48 * rounds), *(['--url', url] if url else [])]
    # Another process, because the metadata has the one ledger or the other.
    result = subprocess.run(
        command, env={**os.environ, 'DEPOT_CRASH_TRIGGERS': '1'}, check=True, stdout=subprocess.PIPE
    )
    line = result.stdout.decode().strip()
    tell(line)
    assert line.startswith(f'{Counts()} | kills=')
