"""What refusing each hostile file costs, measured in this process, and written as JSON: see test_hostile.py."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from depot.errors import InvalidImage

from . import pictures
from .hostile import BOMBS, IMPOSTORS
from .test_hostile import WAYS


def main() -> None:
    for each in pictures.FORMATS:  # so that no library is loaded while it is measured
        for way in WAYS.values():
            way(pictures.encoded(pictures.cornered(), each))
    files = {**BOMBS, **IMPOSTORS}
    costs = {f'{name}, {by}': cost(way, files[name]()) for name in files for by, way in WAYS.items()}
    print(json.dumps(costs))


def cost(way: Callable[[bytes], Any], content: bytes) -> dict[str, float]:
    before = _reset_peak()
    start = time.process_time()
    with contextlib.suppress(InvalidImage):
        way(content)
    return {'seconds': time.process_time() - start, 'mib': (_status('VmHWM') - before) / 1024}


def _reset_peak() -> int:
    """Begins to measure the most memory anew (Linux: proc(5), clear_refs); returns what is taken now, in KiB."""
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    return _status('VmRSS')


def _status(name: str) -> int:
    found = re.search(rf'^{name}:\s*(\d+)', Path('/proc/self/status').read_text(encoding='ascii'), re.MULTILINE)
    assert found
    return int(found[1])


if __name__ == '__main__':
    main()
