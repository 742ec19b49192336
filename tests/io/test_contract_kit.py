"""The storage contract finds every broken promise."""

from __future__ import annotations

import unittest

import pytest

from depot.io.contract import StorageContract
from depot.io.interfaces import FileStorage
from depot.io.memory import MemoryFileStorage

from .broken import BROKEN, Broken

PROMISES = unittest.defaultTestLoader.getTestCaseNames(StorageContract)  # type: ignore[arg-type]


def _run(storage: Broken, promise: str) -> unittest.TestResult:
    class Case(StorageContract, unittest.TestCase):
        large_size = 1024 * 1024

        def make_storage(self) -> FileStorage:
            return storage()

    result = unittest.TestResult()
    Case(promise).run(result)
    return result


@pytest.mark.parametrize('promise', PROMISES)
def test_a_broken_promise_is_found(promise: str) -> None:
    result = _run(BROKEN[promise], promise)
    assert result.failures or result.errors
    assert not result.skipped


def test_every_broken_storage_breaks_a_promise_that_there_is() -> None:
    assert set(BROKEN) <= set(PROMISES)


@pytest.mark.parametrize('promise', PROMISES)
def test_a_storage_that_is_not_broken_keeps_it(promise: str) -> None:
    assert _run(MemoryFileStorage, promise).wasSuccessful()


def test_an_author_who_forgets_to_make_a_storage_is_told() -> None:
    with pytest.raises(NotImplementedError, match='make_storage'):
        StorageContract().make_storage()
