"""Every storage keeps the storage contract."""

from __future__ import annotations

import pathlib
import tempfile
import unittest
import uuid
from typing import Any

import pytest
from bson import ObjectId

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


class TestMoto(StorageContract, unittest.TestCase):
    kind = 'moto'

    @pytest.fixture(autouse=True)
    def server(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def make_storage(self) -> FileStorage:
        return KINDS[self.kind](self.request)


class TestSeaweedFS(TestMoto):
    kind = 'seaweedfs'


class TestGCS(StorageContract, unittest.TestCase):
    @pytest.fixture(autouse=True)
    def server(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def make_storage(self) -> FileStorage:
        return KINDS['fakegcs'](self.request)


class TestGridFS(StorageContract, unittest.TestCase):
    invalid_ids = (
        *StorageContract.invalid_ids,
        '0' * 23,
        '0' * 25,
        'x' * 24,
        'twelve bytes',
        b'twelve bytes',
        b'0' * 24,
        str(uuid.uuid4()),
        uuid.uuid4(),
        {'$gt': ''},
    )

    @pytest.fixture(autouse=True)
    def server(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def make_storage(self) -> FileStorage:
        return KINDS['secantusdb'](self.request)

    def missing_id(self) -> Any:
        return str(ObjectId())


class TestAStorageWithJustTheSixMethods(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        return SimpleStorage()
