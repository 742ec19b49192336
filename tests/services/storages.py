"""An empty storage of each kind, on a real server where it needs one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage

from .seaweedfs import remove_bucket
from .secantusdb import fresh_database

#: Makes an empty storage that goes with the test that asks.
MakeStorage = Callable[[str], FileStorage]


def _memory(_request: pytest.FixtureRequest) -> FileStorage:
    return MemoryFileStorage()


def _local(request: pytest.FixtureRequest) -> FileStorage:
    folder: Path = request.getfixturevalue('tmp_path')
    return LocalFileStorage(folder / f'files-{uuid.uuid4()}')  # which is made when the first file is


def _moto(request: pytest.FixtureRequest) -> FileStorage:
    from depot.io.boto3 import S3Storage

    request.getfixturevalue('moto')
    return S3Storage('test', 'test', f'test-{uuid.uuid4()}', policy='private')


def _seaweedfs(request: pytest.FixtureRequest) -> FileStorage:
    from depot.io.boto3 import S3Storage

    storage = S3Storage(bucket=f'test-{uuid.uuid4()}', policy='private', **request.getfixturevalue('seaweedfs').options)
    request.addfinalizer(lambda: remove_bucket(storage))
    return storage


def _secantusdb(request: pytest.FixtureRequest) -> FileStorage:
    from depot.io.gridfs import GridFSStorage

    storage = GridFSStorage(fresh_database(request.getfixturevalue('mongo_url')))
    request.addfinalizer(storage.close)
    return storage


def _fakegcs(request: pytest.FixtureRequest) -> FileStorage:
    from depot.io.gcs import GCSStorage

    storage = GCSStorage(
        'test', 'anonymous', f'test-{uuid.uuid4()}', 'private', endpoint_url=request.getfixturevalue('fakegcs')
    )
    request.addfinalizer(storage.close)
    return storage


#: By the name of the server, or of the kind where there is none.
KINDS: dict[str, Callable[[Any], FileStorage]] = {
    'memory': _memory,
    'local': _local,
    'moto': _moto,
    'seaweedfs': _seaweedfs,
    'fakegcs': _fakegcs,
    'secantusdb': _secantusdb,
}


@pytest.fixture
def make_storage(request: pytest.FixtureRequest) -> MakeStorage:
    """Makes storages of the kinds of :data:`KINDS`, each empty, as many as are asked for."""
    return lambda kind: KINDS[kind](request)
