"""What is traced: ``python -m tests.crash.traced FOLDER COMMITS JOURNAL [PLANT]`` does so many transactions there."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from .application import Application
from .notes import Notes
from .plants import PLANTS
from .writers import write_once

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
        write_once(application.engine, notes, chance, SLOTS)
    os._exit(0)


if __name__ == '__main__':
    main(*sys.argv[1:])
