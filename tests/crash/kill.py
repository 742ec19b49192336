"""Four writers in a random mix, killed at random instants, again and again, on the same database and folder.

Long: ``python -m tests.crash.kill --kills 3000``.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .application import Application
from .counts import Counts
from .crew import Crew
from .expected import IDLE
from .notes import Notes
from .writers import SLOTS, sweep_forever, write_forever, write_once

WRITERS = 4

#: The same database and folder go through so many kills.
COMPOUND = 50

#: A writer is killed within so many seconds after it noted one of its first steps, no matter how fast the machine is;
#: after so many seconds in any case, because it may wait for another one.
STEPS, STEP, LIFE = 20, 0.03, 3.0

#: Longer than any writer lives.
GRACE = datetime.timedelta(minutes=1)


@dataclass
class Killed:
    """What came of it."""

    counts: Counts = field(default_factory=Counts)
    #: By the last step that the victim had noted.
    hits: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    #: Transactions that were killed between PREPARE and COMMIT.
    undecided: int = 0

    @property
    def kills(self) -> int:
        return sum(self.hits.values())

    @property
    def mid_operation(self) -> int:
        """How many were killed in the middle of a transaction."""
        return sum(number for step, number in self.hits.items() if step not in IDLE)

    def __str__(self) -> str:
        hits = ' '.join(f'{step}={number}' for step, number in sorted(self.hits.items()))
        kills = f'kills={self.kills} mid_operation={self.mid_operation} ({hits}) undecided={self.undecided}'
        return f'{self.counts} | {kills} commits={self.commits}'

    def __iadd__(self, other: Killed) -> Killed:
        self.counts += other.counts
        self.hits += other.hits
        self.commits += other.commits
        self.undecided += other.undecided
        return self


def run(kills: int, url: str | None = None, seed: int = 0) -> Killed:
    """Kills so many writers, 50 at a time on one database and folder."""
    total, chance = Killed(), random.Random(seed)
    while total.kills < kills:
        with tempfile.TemporaryDirectory(prefix='depot-kill-') as place:
            total += compound(Application(Path(place), url), min(COMPOUND, kills - total.kills), chance)
    return total


def compound(application: Application, kills: int, chance: random.Random) -> Killed:
    """Kills four writers, recovers and checks, and again, without ever beginning anew."""
    application.create(SLOTS)
    warm_up(application, chance)
    application.learn()
    total = Killed()
    while total.kills < kills:
        total.hits += kill_four(application, chance)
        application.recover()
        total.counts += application.check()
    total.commits = application.expected.steps['acknowledged']
    total.undecided = application.undecided
    application.engine.dispose()
    return total


def warm_up(application: Application, chance: random.Random) -> None:
    """Does what the writers will do, so that they are forked with all that is slow the first time."""
    notes = Notes()
    for _ in range(20):
        write_once(application.engine, notes, chance, SLOTS)
    notes.close()


def kill_four(application: Application, chance: random.Random) -> Counter[str]:
    """Starts four writers and a sweeper; kills each writer at an instant of its own, while the others go on."""
    jobs = [functools.partial(write_forever, application.engine, seed=chance.random()) for _ in range(WRITERS)]
    hits: Counter[str] = Counter()
    with Crew(application, [*jobs, functools.partial(sweep_forever, application.engine, grace=GRACE)]) as crew:
        deadline = time.monotonic() + LIFE
        left = {victim: chance.randint(1, STEPS) for victim in range(WRITERS)}
        while left:
            crew.listen()
            for victim in [each for each in left if crew.heard[each] >= left[each] or time.monotonic() > deadline]:
                time.sleep(chance.uniform(0, STEP))
                hits[crew.kill(victim)] += 1
                del left[victim]
    return hits


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=3000)
    parser.add_argument('--url', help='of an empty database; SQLite in a temporary folder without it')
    parser.add_argument('--seed', type=int, default=0)
    print(run(**vars(parser.parse_args())))


if __name__ == '__main__':
    main()
