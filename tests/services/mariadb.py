"""A private MariaDB server on a free loopback port."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import as_user, data_folder, free_port

#: Seconds until a server that does not answer is given up.
_PATIENCE = 120


@pytest.fixture(scope='session')
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy's URL of an empty database, whose server ends with the tests."""
    if importlib.util.find_spec('pymysql') is None:
        pytest.skip('pip install pymysql')
    if shutil.which('mariadb-install-db') is None:
        pytest.skip('apt-get install mariadb-server')
    with data_folder('mysql') as folder, _server(folder) as port:
        yield f'mariadb+pymysql://root@127.0.0.1:{port}/test'


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[int]:
    _install(folder)
    port = free_port()
    with _started(folder, port) as server:
        try:
            _wait_until_ready(server, port, folder)
            yield port
        finally:
            server.kill()  # nothing of it is kept, and a shutdown would wait for open connections


def _install(folder: Path) -> None:
    """Makes the system tables, a root without password, and the database ``test``."""
    command = ['mariadb-install-db', '--no-defaults', f'--datadir={folder}', '--auth-root-authentication-method=normal']
    subprocess.run(command, check=True, cwd='/', stdin=subprocess.DEVNULL, capture_output=True, **as_user('mysql'))


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [
        shutil.which('mariadbd') or '/usr/sbin/mariadbd',  # which is not on everybody's PATH
        '--no-defaults',
        f'--datadir={folder}',
        f'--socket={folder / "socket"}',
        f'--pid-file={folder / "pid"}',
        f'--log-error={folder / "log"}',
        f'--port={port}',
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--character-set-server=utf8mb4',
        '--innodb-flush-log-at-trx-commit=0',  # no test cuts the power of this server
    ]
    return subprocess.Popen(
        command,
        cwd='/',
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_user('mysql'),
    )


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    import pymysql

    deadline = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(pymysql.OperationalError):
            pymysql.connect(host='127.0.0.1', port=port, user='root', database='test').close()
            return
        time.sleep(0.05)
    raise RuntimeError(f'MariaDB did not start:\n{(folder / "log").read_text()}')
