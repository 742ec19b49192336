"""What is traced: ``python -m tests.crash.traced FOLDER COMMITS JOURNAL [PLANT]`` does so many transactions there."""

from __future__ import annotations

import functools
import os
import random
import sys
from pathlib import Path

import pytest

from .application import Application
from .notes import Notes
from .plants import PLANTS
from .works import CoreWork, RawWork, StatementWork, Work
from .writers import transact

SLOTS = 4


class NotesInFile(Notes):
    """Notes on a file that only the trace reads."""

    def __init__(self, file: Path) -> None:
        self._writer = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def main(folder: str, commits: str, journal: str, plant: str = '') -> None:
    """Does the transactions, and ends without closing anything."""
    if plant:
        PLANTS[plant](pytest.MonkeyPatch())
    place = Path(folder)
    application, notes = Application(place, journal=journal), NotesInFile(place / 'notes')
    application.create(SLOTS)
    notes.write('ready')
    chance = random.Random(1)
    for _ in range(int(commits)):
        # In one thread, so that the order of the system calls is that of the program.
        way = chance.choice([Work, StatementWork, CoreWork, RawWork])
        way.run(application.engine, notes, functools.partial(transact, chance=chance, slots=SLOTS))
    os._exit(0)


if __name__ == '__main__':
    main(*sys.argv[1:])
