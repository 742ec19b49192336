"""Bugs, planted into the library: a harness that finds none of them could find nothing."""

from __future__ import annotations

from typing import Any

import pytest

from depot.io.local import LocalFileStorage
from depot.transactions import files
from depot.transactions.drivers.sqlalchemy import endings
from depot.transactions.ledger import Ledger


def remove_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Old files go as soon as it is known that they are to go."""
    write = Ledger.write

    def write_and_remove(*args: Any, **options: Any) -> set[str]:
        marked = write(*args, **options)
        files.remove(marked)
        return marked

    patch.setattr(Ledger, 'write', write_and_remove)


def commit_before_files_are_durable(patch: pytest.MonkeyPatch) -> None:
    """Nothing is synced."""
    patch.setattr(LocalFileStorage, 'sync', lambda *args: None)


def take_an_unknown_outcome_for_a_rollback(patch: pytest.MonkeyPatch) -> None:
    """New files go whenever COMMIT raises."""
    patch.setattr(endings, 'is_known_rollback', lambda *args: True)


#: By the name that the traced process is given.
PLANTS = {each.__name__: each for each in (remove_before_the_commit, commit_before_files_are_durable)}
