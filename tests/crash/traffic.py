"""Eight processes that read, replace and delete on twenty rows, two sweepers beside them; one is killed each second.

Long: ``python -m tests.crash.traffic --seconds 300``.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
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
from .writers import SMALL, patiently, sweep_forever, write_once

WORKERS, SWEEPERS, UPLOADERS = 8, 2, 2

SLOTS = 20

#: Seconds that pass at most between an upload and the transaction that it is for.
UPLOAD = 1.0

#: No upload and its transaction take so long together, unless the machine is busy.
GRACE = datetime.timedelta(seconds=3)


def read_and_write(engine: Engine, notes: Notes, promised: datetime.timedelta, seed: object) -> None:
    """Reads two rows for each that it writes."""
    chance = random.Random(f'{seed} {os.getpid()}')
    while True:
        with in_time(notes, promised):
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


def upload_slowly(engine: Engine, notes: Notes, promised: datetime.timedelta, seed: object) -> None:
    """Stores files well ahead of their transactions, as an application does that takes them in one request."""
    chance = random.Random(f'{seed} {os.getpid()}')
    while True:
        content = chance.randbytes(SMALL)
        with in_time(notes, promised):
            upload = Document.__table__.c.content.type.upload(content)
            time.sleep(chance.uniform(0, UPLOAD))
            patiently(put, engine, notes, chance.randint(1, SLOTS), upload, digest_of(content))


def put(engine: Engine, notes: Notes, slot: int, upload: Any, digest: str) -> None:
    def body(work: Work) -> None:
        work.put(slot, upload, digest)
        work.commit()

    Work.run(engine, notes, body)


@contextlib.contextmanager
def in_time(notes: Notes, promised: datetime.timedelta) -> Iterator[None]:
    """Notes that files were swept, or that it took so long from their storing to the COMMIT that they may be."""
    begun, is_swept = time.monotonic(), False
    try:
        yield
    except FileMissing:
        is_swept = True
    if time.monotonic() - begun >= promised.total_seconds():
        notes.write('late')
    elif is_swept:
        notes.write('swept')


@dataclass
class Traffic:
    """What came of it."""

    counts: Counts = field(default_factory=Counts)
    #: Uploads that a sweeper took while their transaction went on.
    swept: int = 0
    #: Transactions that took longer than was promised: what went wrong may be their fault.
    late: int = 0
    #: How often each other thing happened.
    steps: dict[str, int] = field(default_factory=dict)
    kills: int = 0

    def __str__(self) -> str:
        steps = ' '.join(f'{each}={number}' for each, number in sorted(self.steps.items()))
        return f'{self.counts} swept_live={self.swept} late={self.late} | kills={self.kills} {steps}'

    def __bool__(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.counts or self.swept)


def run(
    seconds: float,
    url: str | None = None,
    promised: datetime.timedelta = GRACE,
    grace: datetime.timedelta | None = None,
    seed: int = 0,
) -> Traffic:
    """Lets them work for some seconds, kills one each second and starts it again, then all; recovers and checks.

    No transaction takes as long as it is ``promised`` to the sweepers, whose ``grace`` is so long too unless it is
    given.
    """
    with tempfile.TemporaryDirectory(prefix='depot-traffic-') as place:
        application = Application(Path(place), url)
        application.create(SLOTS)
        application.learn()
        jobs = _jobs(application.engine, promised, promised if grace is None else grace)
        kills = _work(application, jobs, seconds, random.Random(seed))
        application.recover()
        steps = application.expected.steps
        counts = application.check()
        application.engine.dispose()
        counts += Counts(torn=steps.pop('torn', 0), dangling=steps.pop('dangling', 0))
        return Traffic(counts, steps.pop('swept', 0), steps.pop('late', 0), dict(steps), kills)


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


def _jobs(engine: Engine, promised: datetime.timedelta, grace: datetime.timedelta) -> list[Callable[[Notes], None]]:
    workers = [functools.partial(read_and_write, engine, promised=promised, seed=each) for each in range(WORKERS)]
    sweepers = [functools.partial(sweep_forever, engine, grace=grace) for _ in range(SWEEPERS)]
    uploading = functools.partial(upload_slowly, engine, promised=promised)
    uploaders = [functools.partial(uploading, seed=f'slow {each}') for each in range(UPLOADERS)]
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
