"""Every storage keeps the storage contract."""

from __future__ import annotations

import pathlib
import tempfile
import unittest

import pytest

from depot.io.contract import StorageContract
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage

from ..services.storages import KINDS
from .simple import SimpleStorage


class TestMemory(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        return MemoryFileStorage()


class TestLocal(StorageContract, unittest.TestCase):
    durable = True

    def make_storage(self) -> FileStorage:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name, 'files')
        return LocalFileStorage(self.root, durable=self.durable)

    def tearDown(self) -> None:
        hidden = [each.name for each in self.root.glob('.*')]
        assert not hidden, 'something was left behind'


class TestLocalThatIsNotDurable(TestLocal):
    durable = False


class TestGCS(StorageContract, unittest.TestCase):
    @pytest.fixture(autouse=True)
    def server(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def make_storage(self) -> FileStorage:
        return KINDS['fakegcs'](self.request)


class TestAStorageWithJustTheSixMethods(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        return SimpleStorage()
