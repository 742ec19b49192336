"""Power losses: what the disk may hold after each step of some transactions, and the order of these steps.

Long: ``python -m tests.crash.power --commits 40 --losses 12``.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .application import Application
from .counts import Counts
from .disk import Disk, Survivors
from .notes import Note, parsed
from .order import Order
from .trace import Call, trace


def nothing(pending: list[Any]) -> list[Any]:
    return []


def everything(pending: list[Any]) -> list[Any]:
    return pending


def some(chance: random.Random) -> Survivors:
    """Some of the changes, in their order; of a write maybe a part."""

    def survivors(pending: list[Any]) -> list[Any]:
        return [_torn(*each, chance) for each in pending if chance.random() < 0.5]

    return survivors


def _torn(offset: Any, data: Any, chance: random.Random) -> tuple[Any, Any]:
    is_torn = isinstance(data, bytes) and chance.random() < 0.3
    return offset, data[: chance.randrange(len(data) + 1)] if is_torn else data


def ways(chance: random.Random) -> Iterator[tuple[Survivors, Survivors]]:
    """What may be left of the names and of the contents: the extremes, and then anything, again and again."""
    extremes = [(nothing, nothing), (everything, nothing), (nothing, everything), (everything, everything)]
    return itertools.cycle([*extremes, *[(some(chance), some(chance))] * 5])


@dataclass
class Powerless:
    """What came of it."""

    counts: Counts = field(default_factory=Counts)
    order: Order = field(default_factory=Order)
    losses: int = 0

    def __str__(self) -> str:
        return f'{self.counts} {self.order} | losses={self.losses} commits={self.order.commits}'


class Replay:
    """The traced calls, done again on a disk whose power fails."""

    def __init__(self, place: Path, target: Path) -> None:
        self.result = Powerless()
        self._disk = Disk(place)
        self._notes: list[Note] = []
        self._notes_file = place / 'notes'
        self._target = target

    @property
    def is_ready(self) -> bool:
        """Whether the database was set up, and the transactions have begun."""
        return bool(self._notes)

    def do(self, call: Call) -> None:
        """One more call."""
        self._disk.do(call)
        if call.name == 'write' and self._disk.opened(call.arguments[0]) is self._disk.at(self._notes_file):
            self._hear(parsed(call.arguments[1]))
        elif self.is_ready:
            self.result.order.follow(call, self._disk)

    def _hear(self, note: Note) -> None:
        if not self.is_ready:
            self._disk.sync()
        self._notes.append(note)
        self.result.order.hear(note[0], self._disk)

    def lose_power(self, names: Survivors, contents: Survivors, **options: Any) -> None:
        """What if the power failed now."""
        self._disk.lose_power(self._target, names, contents)
        application = Application(self._target, **options)
        application.expected.hear('traced', self._notes)
        application.recover()
        self.result.counts += application.check()
        self.result.losses += 1
        application.engine.dispose()
        shutil.rmtree(self._target)


def run(commits: int, losses: int, journal: str = 'WAL', seed: int = 0, plant: str = '') -> Powerless:
    """Traces so many transactions, and fails the power so often after each of their system calls."""
    chosen = ways(random.Random(seed))
    with tempfile.TemporaryDirectory(prefix='depot-power-') as folder:
        place = Path(folder, 'traced')
        place.mkdir()
        replay = Replay(place, Path(folder, 'left'))
        for call in trace(place, Path(folder, 'log'), str(commits), journal, *filter(None, [plant])):
            replay.do(call)
            for names, contents in itertools.islice(chosen, losses if replay.is_ready else 0):
                replay.lose_power(names, contents, journal=journal)
    return replay.result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--commits', type=int, default=40)
    parser.add_argument('--losses', type=int, default=9, help='after each system call')
    parser.add_argument('--journal', default='WAL', help="SQLite's journal mode: WAL or DELETE")
    parser.add_argument('--seed', type=int, default=0)
    print(run(**vars(parser.parse_args())))


if __name__ == '__main__':
    main()
