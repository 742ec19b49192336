"""Renditions in children that were forked when their parent had made some: libvips's threads are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from depot.images.recipe import Variant
from depot.images.renditions import find
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager

from .forking import SIZES
from .photos import photo, size_of

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='impossible here: nothing forks')


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[LocalFileStorage]:
    DepotManager._clear()
    yield LocalFileStorage(tmp_path / 'files')
    DepotManager._clear()


def fork(storage: LocalFileStorage, path: str, how: str) -> str:
    """Has the renditions made; returns what is logged."""
    run = subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'tests.images.forking', storage.storage_path, path, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stderr


@pytest.mark.parametrize('how', ['by_fork', 'by_grandchildren', 'by_multiprocessing', 'by_an_application_of_its_own'])
def test_children_of_one_that_has_used_libvips_make_renditions(storage: LocalFileStorage, how: str) -> None:
    file_id = storage.create(photo(200, 100), 'photo.png')
    logged = fork(storage, f'default/{file_id}', how)
    for size in SIZES:
        with find(storage, file_id, Variant(resize_to_fill=(size, size))) as file:
            assert size_of(file.read()) == (size, size)
    assert 0 < logged.count('before this process was forked') <= len(SIZES)  # each child says it once
