"""Starts a server on a free loopback port, and stops it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from depot.io.local import LocalFileStorage

from ...services.servers import free_port
from . import samples
from .wire import ask

_ROOT = Path(__file__).parents[3]
_APPLICATION = 'tests.serving.servers.application:app'
#: Seconds until a server that does not answer is given up.
_PATIENCE = 120


class Kind(NamedTuple):
    """A server and the interface by which it calls an application."""

    interface: str
    options: str
    storages: tuple[str, ...] = samples.STORAGES

    @property
    def package(self) -> str:
        return self.options.partition(' ')[0]

    def command(self, port: int) -> list[str]:
        return [sys.executable, '-m', *self.options.format(port=port).split(), _APPLICATION]


KINDS = {
    'waitress': Kind('wsgi', 'waitress --listen=127.0.0.1:{port}'),
    'gunicorn': Kind('wsgi', 'gunicorn --bind=127.0.0.1:{port} --worker-class=sync --no-control-socket'),
    # The other worker of a server that has all storages.
    'gunicorn-threads': Kind(
        'wsgi',
        'gunicorn --bind=127.0.0.1:{port} --threads=4 --no-control-socket',
        (samples.LOCAL, samples.MEMORY),
    ),
    'granian-wsgi': Kind('wsgi', 'granian --interface=wsgi --host=127.0.0.1 --port={port}'),
    'granian-asgi': Kind('asgi', 'granian --interface=asgi --host=127.0.0.1 --port={port}'),
    'uvicorn': Kind('asgi', 'uvicorn --host=127.0.0.1 --port={port}'),
}


class Server(NamedTuple):
    """A server that runs, and the storages it has."""

    name: str
    port: int
    storages: tuple[str, ...]

    def url(self, path: str) -> str:
        return f'http://127.0.0.1:{self.port}{path}'


class Stored(NamedTuple):
    """Where the files are that all servers share."""

    folder: Path
    s3: dict[str, Any]


def stored_at(folder: Path, s3: dict[str, Any]) -> Stored:
    """Stores the files once for all servers."""
    from depot.io.boto3 import S3Storage  # which takes its time, for who needs no server

    samples.store(LocalFileStorage(str(folder)), samples.LOCAL)
    (folder.parent / 'secret.txt').write_bytes(samples.SECRET)
    (folder / 'secret.txt').write_bytes(samples.SECRET)
    storage = S3Storage(policy='private', **s3)
    samples.store(storage, samples.S3)
    storage._s3.meta.client.close()
    return Stored(folder, s3)


@contextlib.contextmanager
def running(name: str, stored: Stored) -> Iterator[Server]:
    """A server with all files; where its package is missing, the test is skipped."""
    kind = KINDS[name]
    if importlib.util.find_spec(kind.package) is None:
        pytest.skip(f'pip install {kind.package}')
    server = Server(name, free_port(), kind.storages)
    with tempfile.TemporaryFile(prefix=f'depot-{name}-') as log:
        process = _started(kind, server.port, stored, log)
        try:
            wait_until_ready(process, server, log)
            yield server
        finally:
            stop(process)


def _started(kind: Kind, port: int, stored: Stored, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        'PYTHONPATH': str(_ROOT),
        'DEPOT_TEST_INTERFACE': kind.interface,
        'DEPOT_TEST_FOLDER': str(stored.folder),
        'DEPOT_TEST_S3': json.dumps(stored.s3),
    }
    return subprocess.Popen(
        kind.command(port), cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )


def wait_until_ready(process: subprocess.Popen[bytes], server: Server, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            ask(server.port, b'GET', b'/')
            return
        time.sleep(0.02)
    log.seek(0)
    raise RuntimeError(f'{server.name} did not start:\n{log.read().decode()}')


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end, which ends its workers too."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
