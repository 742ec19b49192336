"""An image of 1,600 pixels made of a photo of 12 megapixels: by depot, and by the published package's class.

Run it from the repository: ``pip install --no-deps --target FOLDER 'filedepot==0.12.*'``, then
``python tests/benchmarks/bench_classes.py --filedepot FOLDER``. Each side runs in processes of its own, in turns; what
is stored is stored in memory. Both classes make a thumbnail of 128 pixels as well; a rendition is without one.
"""

from __future__ import annotations

import argparse
import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
# The best of some tries counts as the time of a round: see bench_local.py.
TRIES = 5
SIDE = 1600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--filedepot', required=True, help='the folder that the published package is installed in')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--measure', nargs=2, metavar=('WHAT', 'PHOTO'), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(best(options.measure[0], pathlib.Path(options.measure[1]).read_bytes()))
        return
    with tempfile.TemporaryDirectory(prefix='bench-classes-') as folder:
        compare(photo(pathlib.Path(folder)), options)


def photo(folder: pathlib.Path) -> pathlib.Path:
    sys.path.insert(0, str(ROOT))
    from bench_images import photo

    path = folder / 'photo.jpg'
    photo(4000, 3000).jpegsave(str(path), Q=90)
    return path


def compare(path: pathlib.Path, options: argparse.Namespace) -> None:
    sides = {'class': str(ROOT), 'rendition': str(ROOT), 'published': options.filedepot}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, package in sides.items():
            times[name].append(measured(name, package, path, options.filedepot))
    print(
        f'{path.stat().st_size / 1e6:.1f} MB of JPEG, 4000 x 3000, to {SIDE} pixels; medians of {options.rounds} rounds'
    )
    for name, found in times.items():
        ratio = statistics.median(old / new for old, new in zip(times['published'], found, strict=True))
        print(f'{name:10} {statistics.median(found) * 1000:6.0f} ms   {ratio:.2f} times as fast as the published class')


def measured(name: str, package: str, path: pathlib.Path, filedepot: str) -> float:
    what = 'class' if name == 'published' else name
    command = [sys.executable, __file__, '--filedepot', filedepot, '--measure', what, str(path)]
    run = subprocess.run(command, env={**os.environ, 'PYTHONPATH': package}, capture_output=True, check=True)
    return float(run.stdout)


def best(what: str, content: bytes) -> float:
    """Seconds, with whichever ``depot`` is found first."""
    make = by_class() if what == 'class' else by_recipe()
    make(content)
    return min(seconds(lambda: make(content)) for _ in range(TRIES))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_class() -> Callable[[bytes], object]:
    from depot.fields.specialized.image import UploadedImageWithThumb
    from depot.manager import DepotManager

    class Photo(UploadedImageWithThumb):
        max_size = SIDE

    DepotManager.configure('default', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})

    def make(content: bytes) -> Any:
        file = io.BytesIO(content)
        file.name = 'photo.jpg'  # type: ignore[attr-defined]
        return Photo(file)

    return make


def by_recipe() -> Callable[[bytes], object]:
    from depot.images.decoding import transformed
    from depot.images.recipe import Variant

    variant = Variant(resize_to_limit=(SIDE, SIDE))
    return lambda content: transformed(content, variant)


if __name__ == '__main__':
    main()
