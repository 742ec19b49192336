"""Engines as an application has them, whose commits survive a power loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ..services.sqlite import with_real_transactions

#: What is done to each new engine of this process.
WATCHERS: list[Callable[[Engine], object]] = []

#: How a server process is told apart that works for one who may be killed.
WRITER = 'writer'

# A server process that waits for a lock looks up now and then whether its client is still there.
_SETTINGS = {'application_name': WRITER, 'lock_timeout': '9s', 'client_connection_check_interval': '50'}

# By the driver of an engine, that for asyncio.
_ASYNCHRONOUS = {'pysqlite': 'sqlite+aiosqlite', 'psycopg': 'postgresql+asyncpg'}


def sqlite(file: Path, journal: str) -> Engine:
    """SQLite in a file, whose journal is a WAL, or is deleted (``DELETE``) by each commit."""
    return _durable(create_engine(f'sqlite:///{file}'), journal)


def postgresql(url: str) -> Engine:
    """PostgreSQL at a URL."""
    options = ' '.join(f'-c {name}={value}' for name, value in _SETTINGS.items())
    return _watched(create_engine(url, connect_args={'options': options}))


def asynchronous(engine: Engine) -> AsyncEngine:
    """The same database under asyncio, for one event loop."""
    url = engine.url.set(drivername=_ASYNCHRONOUS[engine.driver])
    if engine.name == 'sqlite':
        found = create_async_engine(url, poolclass=NullPool)
        _durable(found.sync_engine, 'WAL')
        return found
    found = create_async_engine(url, poolclass=NullPool, connect_args={'server_settings': _SETTINGS})
    _watched(found.sync_engine)
    return found


def _durable(engine: Engine, journal: str) -> Engine:
    with_real_transactions(engine)

    @event.listens_for(engine, 'connect')
    def be_durable(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f'PRAGMA journal_mode = {journal}')
        # Without a WAL, FULL leaves it to luck whether the end of the journal, which is the commit, is safe.
        cursor.execute(f'PRAGMA synchronous = {"FULL" if journal == "WAL" else "EXTRA"}')
        cursor.close()

    return _watched(engine)


def _watched(engine: Engine) -> Engine:
    for each in WATCHERS:
        each(engine)
    return engine
