"""Eight processes that read, replace and delete on twenty rows, two sweepers beside them; one is killed each second.

Long: ``python -m tests.crash.traffic --seconds 300``.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from depot.errors import FileMissing

from .application import Application
from .counts import Counts
from .crew import Crew
from .models import Document, Slot, digest_of
from .notes import Notes
from .works import Work
from .writers import GRACE, SMALL, patiently, sweep_forever, write_once

WORKERS, SWEEPERS, UPLOADERS = 8, 2, 2

SLOTS = 20

#: Seconds that an upload may take until its row is committed.
UPLOAD = 1.0


def read_and_write(engine: Engine, notes: Notes, seed: object) -> None:
    """Reads two rows for each that it writes."""
    chance = random.Random(f'{seed} {os.getpid()}')
    while True:
        patiently(write_once, engine, notes, chance, SLOTS)
        for _ in range(2):
            patiently(read, engine, notes, chance.randint(1, SLOTS))


def read(engine: Engine, notes: Notes, slot: int) -> None:
    """A reader sees the content that its row speaks of, or nothing if the row has changed meanwhile."""
    row = select(Document.content, Slot.digest).join(Slot, Slot.id == Document.slot_id).where(Slot.id == slot)
    with Session(engine) as session:
        found = session.execute(row).one_or_none()
        if found is None:
            return
        try:
            with found.content.file as file:
                notes.write('read' if digest_of(file.read()) == found.digest else 'torn')
        except FileMissing:
            session.rollback()
            again = session.execute(row).one_or_none()
            notes.write('dangling' if again and again.content.path == found.content.path else 'overtaken')


def upload_slowly(engine: Engine, notes: Notes, seed: object) -> None:
    """Stores files well ahead of their transactions, as an application does that takes them in one request."""
    chance = random.Random(f'{seed} {os.getpid()}')
    while True:
        content = chance.randbytes(SMALL)
        upload = Document.__table__.c.content.type.upload(content)
        time.sleep(chance.uniform(0, UPLOAD))
        try:
            patiently(put, engine, notes, chance.randint(1, SLOTS), upload, digest_of(content))
        except FileMissing:
            notes.write('swept')


def put(engine: Engine, notes: Notes, slot: int, upload: Any, digest: str) -> None:
    def body(work: Work) -> None:
        work.put(slot, upload, digest)
        work.commit()

    Work.run(engine, notes, body)


@dataclass
class Traffic:
    """What came of it."""

    counts: Counts = field(default_factory=Counts)
    #: Uploads that a sweeper took while their transaction went on.
    swept: int = 0
    #: How often each other thing happened.
    steps: dict[str, int] = field(default_factory=dict)
    kills: int = 0

    def __str__(self) -> str:
        steps = ' '.join(f'{each}={number}' for each, number in sorted(self.steps.items()))
        return f'{self.counts} swept_live={self.swept} | kills={self.kills} {steps}'

    def __bool__(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.counts or self.swept)


def run(seconds: float, url: str | None = None, grace: datetime.timedelta = GRACE, seed: int = 0) -> Traffic:
    """Lets them work for some seconds, kills one each second and starts it again, then all; recovers and checks."""
    with tempfile.TemporaryDirectory(prefix='depot-traffic-') as place:
        application = Application(Path(place), url)
        application.create(SLOTS)
        application.learn()
        kills = _work(application, _jobs(application.engine, grace), seconds, random.Random(seed))
        application.recover()
        steps = application.expected.steps
        counts = application.check()
        application.engine.dispose()
        counts += Counts(torn=steps.pop('torn', 0), dangling=steps.pop('dangling', 0))
        return Traffic(counts, steps.pop('swept', 0), dict(steps), kills)


def _work(application: Application, jobs: list[Callable[[Notes], None]], seconds: float, chance: random.Random) -> int:
    """Has them work, and kills one each second; returns how many were killed."""
    start = time.monotonic()
    with Crew(application, jobs) as crew:
        for second in range(1, int(seconds)):
            crew.listen(until=start + second)
            victim = chance.randrange(len(jobs))
            crew.kill(victim)
            crew.start(victim)
        crew.listen(until=start + seconds)
    return int(seconds) - 1 + len(jobs)


def _jobs(engine: Engine, grace: datetime.timedelta) -> list[Callable[[Notes], None]]:
    workers = [functools.partial(read_and_write, engine, seed=each) for each in range(WORKERS)]
    sweepers = [functools.partial(sweep_forever, engine, grace=grace) for _ in range(SWEEPERS)]
    uploaders = [functools.partial(upload_slowly, engine, seed=f'slow {each}') for each in range(UPLOADERS)]
    return [*workers, *sweepers, *uploaders]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=300)
    parser.add_argument('--url', help='of an empty database; SQLite in a temporary folder without it')
    parser.add_argument('--seed', type=int, default=0)
    print(run(**vars(parser.parse_args())))


if __name__ == '__main__':
    main()
