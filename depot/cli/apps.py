"""Finds the application's metadata and its database: what ``--app`` and ``--database`` say."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import click

_EXAMPLE = 'myapp.models:Base'

_APP_HELP = (
    'Where the models are: a declarative base, a MetaData, a Ledger, an object with a metadata, or a function '
    'that returns one. Importing the module must configure the storages.'
)
_DATABASE_HELP = "URL of the database; by default the 'engine' that the object or its module has."


class App(NamedTuple):
    """What a command works on."""

    engine: Any
    metadatas: tuple[Any, ...]


def app_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which application; the command is called with an :class:`App` instead."""

    @click.option('--app', required=True, metavar='MODULE:ATTRIBUTE', help=_APP_HELP)
    @click.option('--database', metavar='URL', help=_DATABASE_HELP)
    @functools.wraps(command)
    def with_app(app: str, database: str | None, **options: Any) -> None:
        with _found(app, database) as found:
            command(found, **options)

    return with_app


@contextmanager
def _found(name: str, database: str | None) -> Iterator[App]:
    from sqlalchemy.exc import SQLAlchemyError

    module, value = load(name)
    metadatas = _metadatas(name, module, value)
    engine = _engine_of(database) if database else _engine(name, module, value)
    _require_file(engine.url)
    try:
        yield App(engine, metadatas)
    except SQLAlchemyError as error:
        raise click.ClickException(f'the database says: {error}') from error
    finally:
        engine.dispose()


def _engine_of(database: str) -> Any:
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return create_engine(database)
    except SQLAlchemyError as error:
        raise click.UsageError(f'--database {database}: {error}') from error
    except ModuleNotFoundError as error:
        raise click.UsageError(
            f'--database {make_url(database).render_as_string()}: its driver {error.name} is not installed; '
            'install it, or name another one, as postgresql+psycopg:// does'
        ) from error


def _require_file(url: Any) -> None:
    """SQLite would make an empty database of a name that is misspelt."""
    is_file = url.get_backend_name() == 'sqlite' and url.database and url.database != ':memory:'
    if is_file and not url.database.startswith('file:') and not os.path.exists(url.database):
        raise click.UsageError(f'there is no database {url.database} in {os.getcwd()}')


def load(name: str) -> tuple[ModuleType, Any]:
    """The module, and the object in it that the option ``--app`` names; of a function, what it returns."""
    module_name, _, attribute = name.partition(':')
    if not (module_name and attribute) or module_name.startswith('.') or '/' in module_name:
        raise click.UsageError(f'--app {name}: it is a module, a colon and an object in it, such as {_EXAMPLE}')
    module = imported(module_name)
    try:
        value = functools.reduce(getattr, attribute.split('.'), module)
    except AttributeError as error:
        raise click.UsageError(f'--app {name}: {error}; {_candidates(module)}') from error
    return module, value() if inspect.isroutine(value) else value


def imported(name: str) -> ModuleType:
    """A module, which may be in the folder at hand."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as python -m does
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f'{name}.'.startswith(f'{error.name}.'):
            raise  # the module is there; something that it needs is not
        raise click.UsageError(f'--app {name}: {error}; it is looked for in this folder and on PYTHONPATH') from error


def _metadatas(name: str, module: ModuleType, value: Any) -> tuple[Any, ...]:
    """Those of a ledger, the one that an object has, or the object itself."""
    found = _metadatas_of(value)
    if not found:
        kind = type(value).__name__
        raise click.UsageError(f'--app {name}: no metadata in an object of the type {kind}; {_candidates(module)}')
    return found


def _metadatas_of(value: Any) -> tuple[Any, ...]:
    from sqlalchemy import MetaData

    try:
        several = getattr(value, 'metadatas', None)
        found = several if isinstance(several, tuple) else (getattr(value, 'metadata', value),)
    except Exception:  # of what stands for a request while there is none; and SQLAlchemy's func has every attribute
        return ()
    return found if all(isinstance(each, MetaData) for each in found) else ()


def _candidates(module: ModuleType) -> str:
    """What would work."""
    names = [name for name, value in vars(module).items() if not name.startswith('_') and _metadatas_of(value)]
    return f'what has metadata there: {", ".join(names[:5])}' if names else f'one that has is {_EXAMPLE}'


def _engine(name: str, module: ModuleType, value: Any) -> Any:
    from sqlalchemy import Engine

    engine = getattr(value, 'engine', None) or getattr(module, 'engine', None)
    if engine is None:
        raise click.UsageError(f"--app {name}: neither it nor its module has an 'engine'; give --database URL")
    if not isinstance(engine, Engine):
        raise click.UsageError(
            f'--app {name}: its engine, of the type {type(engine).__name__}, cannot be used here; '
            'give --database URL, with a driver that is not for asyncio'
        )
    return engine
