"""An empty storage of each kind, on a real server where it needs one."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage

from .secantusdb import fresh_database

#: Makes an empty storage that goes with the test that asks.
MakeStorage = Callable[[str], FileStorage]


def _memory(_request: pytest.FixtureRequest) -> FileStorage:
    return MemoryFileStorage()


def _local(request: pytest.FixtureRequest) -> FileStorage:
    folder: Path = request.getfixturevalue('tmp_path')
    return LocalFileStorage(folder / f'files-{uuid.uuid4()}')  # which is made when the first file is


@functools.cache
def _session(*credentials: str) -> Any:
    """boto3's session, which takes longer to make than most tests."""
    import boto3

    return boto3.Session(*credentials)


def _moto(request: pytest.FixtureRequest) -> FileStorage:
    from depot.io.boto3 import S3Storage

    request.getfixturevalue('moto')
    return S3Storage(bucket=f'test-{uuid.uuid4()}', policy='private', session=_session('test', 'test'))


def _seaweedfs(request: pytest.FixtureRequest) -> FileStorage:
    """A folder in a bucket that the tests share: to make a bucket takes a second."""
    from depot.io.boto3 import S3Storage

    options = request.getfixturevalue('seaweedfs').options
    session = _session(options.pop('access_key_id'), options.pop('secret_access_key'))
    storage = S3Storage(bucket='tests', prefix=f'{uuid.uuid4()}/', policy='private', session=session, **options)
    request.addfinalizer(lambda: storage.delete_many(storage.iter_ids()))
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
