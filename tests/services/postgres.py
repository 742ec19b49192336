"""A private PostgreSQL cluster on a free loopback port."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import as_user, data_folder, free_port


@pytest.fixture(scope='session')
def postgres_url() -> Iterator[str]:
    """SQLAlchemy's URL of an empty database, whose server ends with the tests."""
    if importlib.util.find_spec('psycopg') is None:
        pytest.skip("pip install 'psycopg[binary]'")
    programs = _programs()
    if programs is None:
        pytest.skip('apt-get install postgresql')
    with data_folder('postgres') as folder, _server(programs, folder) as port:
        yield f'postgresql+psycopg://postgres@127.0.0.1:{port}/postgres'


def _programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; Debian does not put it on the PATH."""
    found = shutil.which('pg_ctl') or max(glob.glob('/usr/lib/postgresql/*/bin/pg_ctl'), default=None)
    return Path(found).resolve().parent if found else None


@contextlib.contextmanager
def _server(programs: Path, folder: Path) -> Iterator[int]:
    _run(programs / 'initdb', '--pgdata', folder, '--username', 'postgres', '--auth', 'trust', '--no-sync')
    port = free_port()
    options = f'-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_prepared_transactions=10'
    start = '--log', folder / 'log', '--wait', '--timeout', '120', '--options', options, 'start'
    _run(programs / 'pg_ctl', '--pgdata', folder, *start)
    try:
        yield port
    finally:
        _run(programs / 'pg_ctl', '--pgdata', folder, '--mode', 'immediate', '--wait', 'stop')


def _run(*command: str | Path) -> None:
    # No pipes: the server would inherit them, and reading them would wait for its end.
    quiet = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL}
    subprocess.run(command, check=True, cwd='/', **quiet, **as_user('postgres'))
