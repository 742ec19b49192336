"""The servers of the tests, each with the same files in three storages."""

from __future__ import annotations

import pytest

from ..services.seaweedfs import SeaweedFS
from .servers.asking import Asking
from .servers.running import KINDS, running, stored_at


@pytest.fixture(scope='session')
def stored(tmp_path_factory, seaweedfs: SeaweedFS):
    """The files, on disk and on an S3 server."""
    folder = tmp_path_factory.mktemp('serving') / 'files'
    folder.mkdir()
    return stored_at(folder, {**seaweedfs.options, 'bucket': 'serving', 'prefix': 'files/'})


@pytest.fixture(scope='session', params=KINDS)
def asking(request: pytest.FixtureRequest, stored):
    """Each of the servers, to be asked."""
    with running(request.param, stored) as server:
        yield Asking(server)
