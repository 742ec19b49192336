"""How fast the GridFS storage is, as ratios to pymongo's own GridFS on the same server, medians of rounds.

Run it from the repository: ``python tests/benchmarks/bench_gridfs.py [--size MIB] [--rounds N]``. It starts a
SecantusDB, which has wheels for Python 3.11.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

from depot.fields.sqlalchemy import UploadedFileField
from depot.io.gridfs import GridFSStorage
from depot.manager import DepotManager
from tests.services.secantusdb import mongo_server

BLOCK = 256 * 1024
MIB = 1024 * 1024
SMALL, MANY = os.urandom(10 * 1024), 1000


class Stream:
    """So many bytes, which come as fast as they can, and cannot be sought in."""

    _block = os.urandom(BLOCK)

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        block = self._block[: min(len(self._block), self._left, size if size >= 0 else self._left)]
        self._left -= len(block)
        return block


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--size', type=int, default=1024, help='of the large file, in MiB')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--peak', nargs=2, metavar=('URL', 'SIZE'), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak[0], int(options.peak[1])))
        return
    with mongo_server() as url:
        large(f'{url}/large', options.size * MIB, options.rounds)
        memory(f'{url}/memory', options.size * MIB)
        with closing(GridFSStorage(f'{url}/many')) as storage:
            many(storage, options.rounds)
            commit(storage, options.rounds)


def large(url: str, size: int, rounds: int) -> None:
    """One large file goes in and out; each is removed again, else the later ones would find a slower server."""
    with closing(GridFSStorage(url)) as storage:
        plain = storage._gridfs
        times: dict[str, list[float]] = {}
        for round_ in range(rounds):
            for ours in (True, False) if round_ % 2 else (False, True):
                who = 'ours' if ours else 'plain'
                put: Callable[..., Any] = storage.create if ours else plain.put
                ids: list[Any] = []
                times.setdefault(f'in {who}', []).append(seconds(lambda: ids.append(put(Stream(size)))))  # noqa: B023
                get: Callable[..., Any] = storage.get if ours else plain.get
                for _ in range(2):
                    times.setdefault(f'out {who}', []).append(seconds(lambda: drain(get(ids[0]), size)))  # noqa: B023
                storage.delete(ids[0])
        for way in ('in', 'out'):
            told(f'{size // MIB} MiB {way}', times[f'{way} plain'], times[f'{way} ours'], size / MIB)


def drain(file: Any, size: int) -> None:
    with file:
        while block := file.read(BLOCK):
            size -= len(block)
    assert size == 0


def memory(url: str, size: int) -> None:
    """What a process grows by that stores and reads a large file, after a small one."""
    command = [sys.executable, __file__, '--peak', url, str(size)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f'memory grows by {grown / MIB:.0f} MiB')


def peak(url: str, size: int) -> int:
    with closing(GridFSStorage(url)) as storage:
        for each in (MIB, size):
            before = _peak_so_far()
            file_id = storage.create(Stream(each))
            drain(storage.get(file_id), each)
            storage.delete(file_id)
        return _peak_so_far() - before


def _peak_so_far() -> int:
    """Bytes; not by ``getrusage``, where a process begins with the peak of the one that started it."""
    status = pathlib.Path('/proc/self/status').read_text()
    found = re.search(r'VmHWM:\s+(\d+) kB', status)
    assert found
    return int(found[1]) * 1024


def many(storage: GridFSStorage, rounds: int) -> None:
    """Many small files go in, are read, and go: one by one with pymongo, which has no other way."""
    plain = storage._gridfs
    works: dict[str, dict[str, Callable[[list[Any]], object]]] = {
        'in': {
            'plain': lambda ids: ids.extend(plain.put(SMALL) for _ in range(MANY)),
            'ours': lambda ids: ids.extend(storage.create(SMALL) for _ in range(MANY)),
        },
        'out': {
            'plain': lambda ids: [drain(plain.get(each), len(SMALL)) for each in ids],
            'ours': lambda ids: [drain(storage.get(each), len(SMALL)) for each in ids],
        },
        'removed': {
            'plain': lambda ids: [plain.delete(each) for each in ids],
            'ours': storage.delete_many,
        },
    }
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for who in ('plain', 'ours'):
            ids: list[Any] = []
            for way, work in works.items():
                times.setdefault((way, who), []).append(seconds(lambda: work[who](ids)))  # noqa: B023
    for way in works:
        told(f'{MANY} x 10 KiB {way}', times[way, 'plain'], times[way, 'ours'])


def commit(storage: GridFSStorage, rounds: int) -> None:
    """The rows of many files are deleted; what their commit takes, beside a loop of pymongo's deletes."""
    DepotManager._clear()
    DepotManager._depots['gridfs'] = storage
    DepotManager.set_default('gridfs')
    model = declarative_base()
    document = type(
        'Document',
        (model,),
        {
            '__tablename__': 'document',
            'id': Column(Integer, primary_key=True),
            'content': Column(UploadedFileField),
        },
    )
    engine = create_engine('sqlite://')
    model.metadata.create_all(engine)
    times: dict[str, list[float]] = {'plain': [], 'ours': []}
    for _ in range(rounds):
        ids = [storage._gridfs.put(SMALL) for _ in range(MANY)]
        times['plain'].append(seconds(lambda: [storage._gridfs.delete(each) for each in ids]))  # noqa: B023
        with Session(engine) as session:
            session.add_all([document(content=SMALL) for _ in range(MANY)])
            session.commit()
            for each in session.query(document).all():
                session.delete(each)
            session.flush()
            times['ours'].append(seconds(session.commit))
    engine.dispose()
    assert storage.list() == []
    told(f'{MANY} files removed at a commit', times['plain'], times['ours'])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def told(what: str, plain: list[float], ours: list[float], size: float | None = None) -> None:
    """Speeds as a ratio: above 1, ours is the faster one."""
    theirs, mine = statistics.median(plain), statistics.median(ours)
    speeds = f' ({size / theirs:.0f} and {size / mine:.0f} MiB/s)' if size else f' ({theirs:.2f} s and {mine:.2f} s)'
    print(f'{what}: {theirs / mine:.2f} of the speed of pymongo{speeds}', flush=True)


if __name__ == '__main__':
    main()
