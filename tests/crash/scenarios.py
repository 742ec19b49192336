"""Short transactions, of each kind that the laws speak of."""

from __future__ import annotations

from collections.abc import Callable

from .works import Work

Change = Callable[[Work], None]

#: There are so many slots, and documents in the first so many of them.
SLOTS, FILLED = 6, 3


def old(slot: int) -> bytes:
    """What is in a slot to begin with."""
    return b'old %d ' % slot * 20


def new(slot: int) -> bytes:
    """What a scenario puts into it."""
    return b'new %d ' % slot * 50


def prepare(work: Work) -> None:
    """Fills the slots that are filled to begin with."""
    for slot in range(1, FILLED + 1):
        work.put(slot, old(slot))
    work.commit()


def create(work: Work) -> None:
    work.put(4, new(4))


def replace(work: Work) -> None:
    work.put(1, new(1))


def replace_twice(work: Work) -> None:
    work.put(1, b'not for long')
    work.put(1, new(1))


def delete(work: Work) -> None:
    work.remove(1)


def savepoint(work: Work) -> None:
    work.put(1, new(1))
    with work.savepoint(released=False):
        work.put(2, b'not for long')
        work.put(4, b'not for long')
    with work.savepoint(released=True):
        work.remove(3)
        work.put(5, new(5))


def several(work: Work) -> None:
    work.put(1, new(1))
    work.remove(2)
    work.put(4, new(4))
    work.put(5, new(5))


def share(work: Work) -> None:
    work.share(2, 1)
    work.remove(1)


SCENARIOS: list[Change] = [create, replace, replace_twice, delete, savepoint, several, share]


def commit(work: Work) -> None:
    work.commit()


def roll_back(work: Work) -> None:
    work.rollback()


def leave(work: Work) -> None:
    """Does nothing: leaving a transaction is a rollback."""


ENDS: list[Change] = [commit, roll_back, leave]
