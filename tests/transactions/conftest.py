"""A database with real transactions, a storage, and models with files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from . import models


@pytest.fixture(params=['memory', 'local'])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The default storage, of each kind."""
    DepotManager._clear()
    kinds: dict[str, Any] = {'memory': MemoryFileStorage, 'local': LocalFileStorage}
    DepotManager._depots['default'] = kinds[request.param](storage_path=str(tmp_path / 'files'))
    DepotManager.set_default('default')
    yield DepotManager.get()
    DepotManager._clear()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = real_transactions(create_engine(f'sqlite:///{tmp_path}/database.sqlite'))
    models.Base.metadata.create_all(engine)
    models.OtherBase.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def make_session(engine: Engine, storage: Any) -> sessionmaker[Session]:
    return sessionmaker(engine)


@pytest.fixture
def session(make_session: sessionmaker[Session]) -> Iterator[Session]:
    with make_session() as session:
        yield session


def real_transactions(engine: Engine) -> Engine:
    """SQLAlchemy's documented recipe: without it, pysqlite begins no transaction for a SAVEPOINT or a SELECT."""

    @event.listens_for(engine, 'connect')
    def no_begin_by_the_driver(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, 'begin')
    def begin(connection: Any) -> None:
        connection.exec_driver_sql('BEGIN')

    return engine
