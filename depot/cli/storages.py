"""Finds the storage that a command works on, and says what it could not do."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigurationError, DepotError, InvalidFileId, UnknownStorage
from ..io.interfaces import FileStorage
from ..manager import DepotManager
from .apps import imported, load
from .settings import prefix_of, read_settings

_STORAGE_HELP = 'URL of the storage: s3://bucket/folder, gs://..., mongodb://..., file:///path. [env var: DEPOT_URL]'
_CONFIG_HELP = (
    'File that configures it: TOML with tables like [depot.default], or the INI file of an application. '
    '[env var: DEPOT_CONFIG]'
)
_APP_HELP = 'What configures the storages when it is imported: a module, or a function in it, which is called.'
_DEPOT_HELP = 'Name of the storage, where a file or a module configures several.'

_WHICH = 'which storage? Give --storage URL, --config FILE or --app MODULE, or set DEPOT_URL or DEPOT_CONFIG'


def storage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which storage; the command is called with it instead."""

    @click.option('--storage', metavar='URL', help=_STORAGE_HELP)
    @click.option('--config', metavar='FILE', type=click.Path(path_type=Path), help=_CONFIG_HELP)
    @click.option('--app', metavar='MODULE[:ATTRIBUTE]', help=_APP_HELP)
    @click.option('--depot', metavar='NAME', help=_DEPOT_HELP)
    @functools.wraps(command)
    def with_storage(
        storage: str | None, config: Path | None, app: str | None, depot: str | None, **options: Any
    ) -> None:
        with failures_told(), _opened(storage, config, app, depot) as found:
            command(found, **options)

    return with_storage


@contextlib.contextmanager
def failures_told() -> Iterator[None]:
    """Ends the command with status 2 for what cannot be asked so, and with 1 for what was not done."""
    try:
        yield
    except InvalidFileId as error:
        raise click.UsageError(f'{error}; depot list shows the ids') from error
    except (ConfigurationError, UnknownStorage) as error:
        raise click.UsageError(str(error)) from error
    except BrokenPipeError:  # whoever read our output has seen enough; click ends quietly
        raise
    except (DepotError, OSError) as error:
        raise click.ClickException(str(error)) from error


@contextlib.contextmanager
def _opened(url: str | None, config: Path | None, app: str | None, name: str | None) -> Iterator[FileStorage]:
    if len([each for each in (url, config, app) if each is not None]) > 1:
        raise click.UsageError('give one of --storage, --config and --app')
    if app is not None:
        yield _of_app(app, name)
        return
    storage = _of_url(url, name) if url is not None else _of_config(config, name) if config else _of_environment(name)
    try:
        yield storage
    finally:
        getattr(storage, 'close', _nothing)()


def _nothing() -> None:
    """For storages that hold nothing open."""


def _of_url(url: str, name: str | None) -> FileStorage:
    if name is not None:
        raise click.UsageError('--depot chooses among the storages of --config or --app; a URL is one storage')
    return DepotManager.from_config(url)


def _of_config(path: Path, name: str | None) -> FileStorage:
    settings = read_settings(path)
    return DepotManager.from_config(settings, prefix_of(settings, name))


def _of_environment(name: str | None) -> FileStorage:
    """A URL goes first, but it has no name."""
    url, config = os.environ.get('DEPOT_URL'), os.environ.get('DEPOT_CONFIG')
    if url and name is None:
        return DepotManager.from_config(url)
    if config:
        return _of_config(Path(config), name)
    raise click.UsageError(_WHICH if name is None else f'{_WHICH}; a URL has no --depot')


def _of_app(app: str, name: str | None) -> FileStorage:
    load(app) if ':' in app else imported(app)
    return DepotManager.require(name)
