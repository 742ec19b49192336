"""A private PostgreSQL cluster on a free loopback port."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def postgres_url() -> Iterator[str]:
    """SQLAlchemy's URL of an empty database, whose server ends with the tests."""
    if importlib.util.find_spec('psycopg') is None:
        pytest.skip("pip install 'psycopg[binary]'")
    programs = _programs()
    if programs is None:
        pytest.skip('apt-get install postgresql')
    with _data_folder() as folder, _server(programs, folder) as port:
        yield f'postgresql+psycopg://postgres@127.0.0.1:{port}/postgres'


def _programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; Debian does not put it on the PATH."""
    found = shutil.which('pg_ctl') or max(glob.glob('/usr/lib/postgresql/*/bin/pg_ctl'), default=None)
    return Path(found).resolve().parent if found else None


@contextlib.contextmanager
def _data_folder() -> Iterator[Path]:
    """A folder whose parents are open to everybody, which those of ``tmp_path`` are not."""
    folder = Path(tempfile.mkdtemp(prefix='depot-postgres-'))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, 'postgres')
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _server(programs: Path, folder: Path) -> Iterator[int]:
    port = _free_port()
    options = f'-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_prepared_transactions=10'
    _run(programs / 'initdb', '--pgdata', folder, '--username', 'postgres', '--auth', 'trust', '--no-sync')
    _run(programs / 'pg_ctl', '--pgdata', folder, '--log', folder / 'log', '--wait', '--options', options, 'start')
    try:
        yield port
    finally:
        _run(programs / 'pg_ctl', '--pgdata', folder, '--mode', 'immediate', '--wait', 'stop')


def _run(*command: str | Path) -> None:
    """PostgreSQL refuses to be run by root."""
    as_postgres = ('runuser', '-u', 'postgres', '--') if os.getuid() == 0 else ()
    # No pipes: the server would inherit them, and reading them would wait for its end.
    subprocess.run([*as_postgres, *command], check=True, cwd='/', stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port: int = free.getsockname()[1]
        return port
