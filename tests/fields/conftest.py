"""A default storage, a database, and what makes models and their tables on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..services.postgres import postgres_url as postgres_url
from ..services.sqlite import sqlite_engine


@pytest.fixture(autouse=True)
def no_storages() -> Iterator[None]:
    """Each test begins and ends with no storage configured."""
    DepotManager._clear()
    yield
    DepotManager._clear()


@pytest.fixture
def storage() -> MemoryFileStorage:
    """The default storage, called ``default``."""
    DepotManager._depots['default'] = storage = MemoryFileStorage()
    DepotManager.set_default('default')
    return storage


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = sqlite_engine(tmp_path / 'database.sqlite')
    yield engine
    engine.dispose()


@pytest.fixture
def base() -> type[DeclarativeBase]:
    """A declarative base with no model yet."""

    class Base(DeclarativeBase):
        pass

    return Base


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with sessionmaker(engine)() as session:
        yield session


@pytest.fixture
def stored(storage: MemoryFileStorage) -> Callable[[], list[bytes]]:
    """What the default storage holds, sorted."""

    def contents() -> list[bytes]:
        return sorted(each['data'] for each in storage.files.values())

    return contents


@pytest.fixture
def saved(engine: Engine, session: Session) -> Callable[..., Any]:
    """Commits a new object, whose table is made when it is not there yet."""

    def save(new: Any) -> Any:
        type(new).metadata.create_all(engine)
        session.add(new)
        session.commit()
        return new

    return save
