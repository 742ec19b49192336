"""SQLite with real transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event


def sqlite_engine(file: Path, **options: Any) -> Engine:
    """An engine with real transactions, which waits a minute for a lock: a busy machine takes its time."""
    options.setdefault('connect_args', {'timeout': 60})
    return with_real_transactions(create_engine(f'sqlite:///{file}', **options))


def with_real_transactions(engine: Engine) -> Engine:
    """SQLAlchemy's documented recipe: without it, pysqlite begins no transaction for a SAVEPOINT or a SELECT."""

    @event.listens_for(engine, 'connect')
    def no_begin_by_the_driver(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, 'begin')
    def begin(connection: Any) -> None:
        connection.exec_driver_sql('BEGIN')

    return engine
