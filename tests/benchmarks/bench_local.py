"""How fast the local storage is, as ratios to the plain work, medians of five rounds.

Run it from the repository: ``python tests/benchmarks/bench_local.py [--size MIB]``. It works in ``/dev/shm`` where
there is one, else in the folder for temporary files; it needs three times the size there.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from depot.io.local import LocalFileStorage
from depot.io.utils import copy_content

ROUNDS = 5
# In a virtual machine, memory that lies free for seconds goes back to the host, and whoever uses it first pays for it:
# as much as the work itself takes, and at random. So the best of some tries counts as the time of a round.
TRIES = 4
BLOCK = 256 * 1024
MIB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--size', type=int, default=1024, help='of the large file, in MiB')
    parser.add_argument('--peak', nargs=2, metavar=('MODE', 'FOLDER'), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak[0], pathlib.Path(options.peak[1])))
        return
    with folder() as root:
        large(root, options.size)
        memory(root)
        many(root)


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='bench-local-', dir=shm) as path:
        yield pathlib.Path(path)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def large(root: pathlib.Path, size: int) -> None:
    """One large file goes in and out, side by side with a plain loop that copies and hashes."""
    source, target = root / 'source', root / 'target'
    with open(source, 'wb') as file:
        block = os.urandom(MIB)
        for _ in range(size):
            file.write(block)
    storage = LocalFileStorage(root / 'large')
    stored = storage.create(source)
    work: dict[str, Callable[[], object]] = {
        'plain': lambda: copy_plainly(source, target),
        'in': lambda: storage.create(source),
        'out': lambda: copy_out(storage, stored, target),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        tries: dict[str, list[float]] = {name: [] for name in work}
        for name in [*work] * TRIES:
            tries[name].append(seconds(work[name]))
            target.unlink(missing_ok=True)
            storage.delete_many(each for each in storage.list() if each != stored)
        for name in work:
            times[name].append(min(tries[name]))
    median = {name: statistics.median(each) for name, each in times.items()}
    print(f'plain loop that copies and hashes {size} MiB: {median["plain"]:.2f} s')
    for name in ('in', 'out'):
        print(f'speed {name}: {median["plain"] / median[name]:.2f} of the plain loop (at least 0.9 is promised)')


def copy_plainly(source: pathlib.Path, target: pathlib.Path) -> None:
    digest = hashlib.sha256()
    with open(source, 'rb') as reader, open(target, 'wb') as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)


def copy_out(storage: LocalFileStorage, file_id: str, target: pathlib.Path) -> None:
    with storage.get(file_id) as reader, open(target, 'wb') as writer:
        copy_content(reader, writer.write)


def memory(root: pathlib.Path) -> None:
    """The peak of a process that moves the large file, less that of one that moves an empty one."""
    (root / 'empty').touch()
    for mode in ('in', 'out'):
        peaks = [measured_peak(mode, root / name) for name in ('empty', 'source')]
        print(f'extra memory {mode}: {(peaks[1] - peaks[0]) / 1024:.1f} MiB (less than 32 is promised)')


def measured_peak(mode: str, source: pathlib.Path) -> int:
    command = [sys.executable, __file__, '--peak', mode, str(source)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak(mode: str, source: pathlib.Path) -> int:
    """KiB of memory that this process has used at most, when it has stored a file, or stored and read it."""
    storage = LocalFileStorage(source.parent / 'peak')
    file_id = storage.create(source)
    if mode == 'out':
        copy_out(storage, file_id, source.parent / 'target')
    storage.delete(file_id)
    # Not getrusage(): that counts what the parent process had used when it started this one.
    status = pathlib.Path('/proc/self/status').read_text()
    return int(status.partition('VmHWM:')[2].split()[0])


def many(root: pathlib.Path) -> None:
    """The time of one operation among few and among many files."""
    times = {count: among(root / str(count), count) for count in (1_000, 100_000)}
    for name in ('create', 'get', 'delete'):
        few, lots = (times[count][name] * 1e6 for count in times)
        print(f'{name}: {few:.0f} µs among 1,000 files, {lots:.0f} µs among 100,000: {lots / few:.2f} times')


def among(root: pathlib.Path, count: int) -> dict[str, float]:
    storage = LocalFileStorage(root)
    ids = [storage.create(b'x') for _ in range(count)]
    more: list[str] = []
    rounds: dict[str, list[float]] = {'create': [], 'get': [], 'delete': []}
    for _ in range(ROUNDS):
        rounds['create'].append(seconds(lambda: more.extend(storage.create(b'x') for _ in range(500))))
        rounds['get'].append(seconds(lambda: [storage.get(each) for each in ids[:: count // 500]]))
        rounds['delete'].append(seconds(lambda: [storage.delete(more.pop()) for _ in range(500)]))
    shutil.rmtree(root)
    return {name: statistics.median(each) / 500 for name, each in rounds.items()}


if __name__ == '__main__':
    main()
