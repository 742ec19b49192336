"""A database with real transactions, a storage, and models with files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from depot.manager import DepotManager

from ..services.mariadb import mariadb_url as mariadb_url
from ..services.postgres import postgres_url as postgres_url
from ..services.sqlite import sqlite_engine
from ..services.storages import KINDS, MakeStorage
from ..services.storages import make_storage as make_storage
from . import models
from .ways import Way

# Those that need no server.
_QUICK = ['memory', 'local']


@pytest.hookimpl(tryfirst=True)  # what marks parametrize, fixtures do not
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """With ``WITH_EVERY_STORAGE`` in its module, a test runs with each kind of storage, on SQLite."""
    mine = {*metafunc.fixturenames} & {'engine', 'storage'}
    theirs = {each for mark in metafunc.definition.iter_markers('parametrize') for each in _names(mark.args[0])}
    if not hasattr(metafunc.module, 'WITH_EVERY_STORAGE') or 'storage' not in mine or mine & theirs:
        return
    pairs = [*itertools.product(['postgresql'], _QUICK), *itertools.product(['sqlite'], KINDS)]
    names, values = (('engine', 'storage'), pairs) if 'engine' in mine else (('storage',), [(each,) for each in KINDS])
    metafunc.definition.add_marker(pytest.mark.parametrize(names, values, indirect=True))


def _names(argument: Any) -> list[str]:
    return re.findall(r'\w+', argument) if isinstance(argument, str) else [*argument]


@pytest.fixture(params=_QUICK)
def storage(request: pytest.FixtureRequest, make_storage: MakeStorage) -> Iterator[Any]:
    """The default storage, of each kind that needs no server; see :func:`pytest_generate_tests` for the others."""
    DepotManager._clear()
    DepotManager._depots['default'] = make_storage(request.param)
    DepotManager.set_default('default')
    yield DepotManager.get()
    DepotManager._clear()


@pytest.fixture
def backup(request: pytest.FixtureRequest, storage: Any, make_storage: MakeStorage) -> Any:
    """Another storage, of the same kind as the default one: another may have other ids."""
    return make_storage(request.node.callspec.params['storage'])


@pytest.fixture
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Makes an engine of one of three kinds, with the tables of the models, empty; ``options`` are SQLAlchemy's.

    One of SQLite may have a file of its own; without ``tables``, it is another engine for a database that is there.
    """
    engines = []

    def make(kind: str, tables: bool = True, file: str = 'database.sqlite', **options: Any) -> Engine:
        if kind == 'sqlite':
            engine = sqlite_engine(tmp_path / file, **options)
        else:
            engine = create_engine(_server_url(kind, request), **options)
        engines.append(engine)
        if tables:
            _make_tables(engine)
        return engine

    yield make
    for engine in engines:
        engine.dispose()


# The servers whose database has the tables already: there, to make them takes longer than most tests.
_made: set[str] = set()


def _make_tables(engine: Engine) -> None:
    for base in models.Base, models.OtherBase:
        if str(engine.url) not in _made:
            base.metadata.create_all(engine)
        _empty(engine, [each.name for each in reversed(base.metadata.sorted_tables)])
    if engine.dialect.name != 'sqlite':
        _made.add(str(engine.url))


def _empty(engine: Engine, tables: list[str]) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == 'postgresql':  # whose sequences would meet the ids that tests give
            connection.execute(text(f'TRUNCATE {", ".join(tables)} RESTART IDENTITY'))
            return
        for each in tables:
            connection.execute(text(f'DELETE FROM {each}'))


def _server_url(kind: str, request: pytest.FixtureRequest) -> URL:
    """The address of a server, which waits a few seconds for a lock and then gives up."""
    if kind == 'postgresql':
        return make_url(request.getfixturevalue('postgres_url')).set(query={'options': '-c lock_timeout=9s'})
    patience = 'SET innodb_lock_wait_timeout=9, lock_wait_timeout=9'
    return make_url(request.getfixturevalue('mariadb_url')).set(query={'init_command': patience})


@pytest.fixture(params=['sqlite', 'postgresql'])
def engine(request: pytest.FixtureRequest, make_engine: Callable[..., Engine]) -> Engine:
    """A database of each kind; ``parametrize('engine', DATABASES, indirect=True)`` asks for MariaDB too."""
    return make_engine(request.param)


@pytest.fixture
def make_session(engine: Engine, storage: Any) -> sessionmaker[Session]:
    return sessionmaker(engine)


@pytest.fixture
def session(make_session: sessionmaker[Session]) -> Iterator[Session]:
    with make_session() as session:
        yield session


@pytest.fixture(params=['entity', 'connection'])
def way(request: pytest.FixtureRequest, engine: Engine, storage: Any) -> Iterator[Way]:
    """The ways to execute a statement that differ most; ``parametrize('way', WAYS, indirect=True)`` asks for all."""
    way = Way(request.param, engine)
    yield way
    way.close()


@pytest.fixture
def document(session: Session) -> models.Document:
    """A committed row with the content ``old``."""
    document = models.Document(name='document', content=b'old')
    session.add(document)
    session.commit()
    return document


@pytest.fixture
def documents(engine: Engine, storage: Any) -> None:
    """Three committed rows, whose contents are named as they are: 101 is ``a``, 102 ``b``, 103 ``c``."""
    with Session(engine) as session:
        names = {101: 'a', 102: 'b', 103: 'c'}
        session.add_all([models.Document(id=n, name=name, content=name.encode()) for n, name in names.items()])
        session.commit()


@pytest.fixture
def late_keys(engine: Engine) -> Iterator[None]:
    """On PostgreSQL, the foreign key of a document is checked by COMMIT only."""
    _alter_key(engine, 'DEFERRABLE INITIALLY DEFERRED')
    yield
    _alter_key(engine, 'NOT DEFERRABLE')


def _alter_key(engine: Engine, how: str) -> None:
    if engine.dialect.name == 'postgresql':
        with engine.begin() as connection:
            connection.execute(text(f'ALTER TABLE document ALTER CONSTRAINT document_folder_id_fkey {how}'))
