"""Writers that do random transactions until they are killed."""

from __future__ import annotations

import datetime
import functools
import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from depot.transactions.sweeper import sweep

from .models import Base
from .notes import Notes
from .works import Work, ways

SLOTS = 12

#: Bytes; the large ones are there to be killed in the middle of.
SMALL, LARGE = 2_000, 400_000


def write_forever(engine: Engine, notes: Notes, seed: object) -> None:
    """Does one random transaction after the other, until the process is killed."""
    chance = random.Random(str(seed))
    while True:
        patiently(write_once, engine, notes, chance, SLOTS)


def sweep_forever(engine: Engine, notes: Notes, grace: datetime.timedelta) -> None:
    """Sweeps again and again, which nobody should notice."""
    while True:
        patiently(sweep, engine, Base.metadata, grace=grace)
        notes.write('sweep')


def patiently(do: Callable[..., object], *args: Any, **options: Any) -> None:
    """Does something; another process may have the lock for too long, which rolls it back."""
    try:
        do(*args, **options)
    except OperationalError as error:
        if 'lock' not in str(error):
            raise


def write_once(engine: Engine, notes: Notes, chance: random.Random, slots: int) -> None:
    """One transaction, in one of the ways, of one to three changes, each in a savepoint or not, committed or not."""
    way = chance.choice(ways(engine))
    way.run(engine, notes, functools.partial(transact, chance=chance, slots=slots))


def transact(work: Work, chance: random.Random, slots: int) -> None:
    chosen = sorted(chance.sample(range(1, slots + 1), chance.randint(1, 3)))
    for slot in chosen:
        work.take(slot)
    for slot in chosen:
        change_somehow(work, slot, chosen, chance)
    if chance.random() < 0.75:
        work.commit()
    elif chance.random() < 0.5:
        work.rollback()


def change_somehow(work: Work, slot: int, chosen: list[int], chance: random.Random) -> None:
    if chance.random() < 0.3:
        with work.savepoint(released=chance.random() < 0.5):
            change(work, slot, chosen, chance)
    else:
        change(work, slot, chosen, chance)


def change(work: Work, slot: int, chosen: list[int], chance: random.Random) -> None:
    """Creates, replaces, or deletes the document in a slot, or has it refer to the file of another one."""
    filled = [each for each in chosen if work.take(each)]
    if slot in filled and chance.random() < 0.3:
        work.remove(slot)
    elif slot in filled and len(filled) > 1 and chance.random() < 0.3:
        work.share(slot, next(each for each in filled if each != slot))
    else:
        work.put(slot, chance.randbytes(LARGE if chance.random() < 0.1 else chance.randint(1, SMALL)))
