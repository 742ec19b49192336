"""What a recipe costs is up to the image that it is for: it must not be much for a small file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .recipe_costs import CASES, SECONDS


def test_no_recipe_makes_a_bomb_of_a_small_file() -> None:
    """Seconds are those of the processor, which other tests do not slow down; memory is the most at any time."""
    command = [sys.executable, '-W', 'error', '-m', 'tests.images.recipe_costs']
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    costs = json.loads(run.stdout)
    assert costs.keys() == CASES.keys()
    too_much = {
        name: cost for name, cost in costs.items() if cost['mib'] >= CASES[name].mib or cost['seconds'] >= SECONDS
    }
    assert not too_much
