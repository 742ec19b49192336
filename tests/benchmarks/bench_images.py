"""Thumbnails beside plain calls of pyvips, medians of rounds; and how much memory a very large image takes.

Run it from the repository: ``python tests/benchmarks/bench_images.py [--rounds N]``. Both sides make the same JPEG file
of the same photo, in one process and in turns.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import pyvips

from depot.images.recipe import Variant
from depot.images.transform import transform

# The best of some tries counts as the time of a round: see bench_local.py.
TRIES = 5
SIZES = (200, 400, 1600)
QUALITY = 80
MIB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--peak', metavar='FILE', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak_of_this_process(pathlib.Path(options.peak)))
        return
    with tempfile.TemporaryDirectory(prefix='bench-images-') as folder:
        thumbnails(pathlib.Path(folder), options.rounds)
        memory(pathlib.Path(folder))


def photo(width: int, height: int) -> pyvips.Image:
    """Soft colours with the noise of a sensor, which JPEG takes about as many bytes for as for a photo."""
    x, y = pyvips.Image.xyz(width, height).bandsplit()
    bands = [x * (200 / width), y * (200 / height), (x + y) * (200 / (width + height))]
    noise = pyvips.Image.gaussnoise(1000, 1000, sigma=12).replicate(width // 1000 + 1, height // 1000 + 1)
    noisy = [band + noise.crop(0, 0, width, height) + 25 for band in bands]
    return noisy[0].bandjoin(noisy[1:]).cast('uchar').copy(interpretation='srgb')


def thumbnails(folder: pathlib.Path, rounds: int) -> None:
    plain = photo(4000, 3000)
    turned = plain.copy()
    turned.set_type(pyvips.GValue.gint_type, 'orientation', 6)
    wide = plain.icc_transform('p3', input_profile='srgb')
    print('12 megapixels, JPEG: thumbnails of depot to those of pyvips.Image.thumbnail, per second')
    for name, image in (('upright', plain), ('on its side', turned), ('of more colours', wide)):
        path = folder / f'{name}.jpg'
        image.jpegsave(str(path), Q=88)
        for size in SIZES:
            compare(path, name, size, rounds, **({'output_profile': 'srgb'} if image is wide else {}))


def compare(path: pathlib.Path, name: str, size: int, rounds: int, **colours: str) -> None:
    variant = Variant(resize_to_limit=(size, size), quality=QUALITY)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(best(lambda: transform(path, variant)))
        theirs.append(best(lambda: plain_calls(path, size, **colours)))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    ms, plain_ms = (statistics.median(each) * 1000 for each in (ours, theirs))
    print(f'  {name:15}{size:5} px  {ratio:5.2f}   ({ms:.1f} ms, pyvips {plain_ms:.1f} ms)')


def plain_calls(path: pathlib.Path, size: int, **colours: str) -> bytes:
    thumbnail = pyvips.Image.thumbnail(str(path), size, height=size, size='down', **colours)
    content: bytes = thumbnail.jpegsave_buffer(Q=QUALITY, optimize_coding=True)
    return content


def best(work: Callable[[], object]) -> float:
    return min(seconds(work) for _ in range(TRIES))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(folder: pathlib.Path) -> None:
    """Each in a process of its own, whose whole memory counts."""
    image = photo(10_000, 10_000).copy_memory()
    turned = image.copy()
    turned.set_type(pyvips.GValue.gint_type, 'orientation', 6)
    image.jpegsave(str(folder / 'a.jpg'), Q=85)
    turned.jpegsave(str(folder / 'on its side.jpg'), Q=85)
    image.pngsave(str(folder / 'a.png'), compression=1)
    del image, turned
    print('100 megapixels, to 400 px: peak of the whole process')
    for name in ('a.jpg', 'on its side.jpg', 'a.png'):
        asked = [sys.executable, __file__, '--peak', str(folder / name)]
        peak = int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
        print(f'  {name:15}  {peak / MIB:5.0f} MiB')


def peak_of_this_process(path: pathlib.Path) -> int:
    transform(path, Variant(resize_to_limit=(400, 400), format='jpeg'))
    status = pathlib.Path('/proc/self/status').read_text()
    return int(status.partition('VmHWM:')[2].split()[0]) * 1024


if __name__ == '__main__':
    main()
