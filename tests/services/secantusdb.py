"""A private SecantusDB, which speaks MongoDB's protocol, on a free loopback port."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from .servers import free_port

#: Seconds until a server that does not answer is given up.
_PATIENCE = 120

_numbers = itertools.count()


@pytest.fixture(scope='session')
def mongo_url() -> Iterator[str]:
    """The URL of an empty server, without a database, that ends with the tests."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip('impossible here: SecantusDB has wheels for Python 3.11 only')
    if importlib.util.find_spec('secantus') is None:
        pytest.skip("pip install 'secantusdb==0.7.0b3'")
    with mongo_server() as url:
        yield url


@pytest.fixture
def mongo_database_url(mongo_url: str) -> str:
    """The URL of a database that nobody has used."""
    return fresh_database(mongo_url)


def fresh_database(url: str) -> str:
    """The URL of a database that nobody has used, on the server at this URL."""
    return f'{url}/depot{next(_numbers)}'


@contextlib.contextmanager
def mongo_server(*options: str) -> Iterator[str]:
    """A server of its own, started with these options too; yields its URL."""
    with tempfile.TemporaryDirectory(prefix='depot-secantusdb-') as folder:
        port = free_port()
        log = Path(folder, 'log')
        with log.open('wb') as output, _started(Path(folder, 'data'), port, output, options) as server:
            try:
                _wait_until_ready(server, port, log)
                yield f'mongodb://127.0.0.1:{port}'
            finally:
                server.kill()  # nothing of it is kept, and its shutdown takes a second


def _started(data: Path, port: int, output: IO[bytes], options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [
        Path(sys.executable).with_name('secantusd-py'),
        '--host=127.0.0.1',
        f'--port={port}',
        f'--storage-path={data}',
        '--cache-size=128M',
        '--log-level=WARNING',
        *options,
    ]
    return subprocess.Popen(command, cwd=data.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(('127.0.0.1', port)).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f'SecantusDB did not start:\n{log.read_text()}')
