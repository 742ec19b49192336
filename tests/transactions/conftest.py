"""A database with real transactions, a storage, and models with files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..services.postgres import postgres_url as postgres_url
from ..services.sqlite import sqlite_engine
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


@pytest.fixture(params=['sqlite', 'postgresql'])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of each kind, with the tables of the models."""
    if request.param == 'sqlite':
        engine = sqlite_engine(tmp_path / 'database.sqlite')
    else:
        engine = create_engine(request.getfixturevalue('postgres_url'), connect_args={'options': '-c lock_timeout=9s'})
    for base in models.Base, models.OtherBase:
        base.metadata.drop_all(engine)
        base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def make_session(engine: Engine, storage: Any) -> sessionmaker[Session]:
    return sessionmaker(engine)


@pytest.fixture
def session(make_session: sessionmaker[Session]) -> Iterator[Session]:
    with make_session() as session:
        yield session
