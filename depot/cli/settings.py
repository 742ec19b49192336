"""The storages that a file configures: TOML, or INI as applications of Pyramid and TurboGears have it."""

from __future__ import annotations

import configparser
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

#: What the keys of storages begin with; then comes a storage's name, if it has one, and the option.
PREFIX = 'depot.'

_TOML = 'tomllib' if sys.version_info >= (3, 11) else 'tomli'

# The section of the application itself, where several could be.
_MAIN = 'app:main'


def read_settings(path: Path) -> dict[str, Any]:
    """What a file says of storages, flat: ``depot.url``, ``depot.avatars.storage_path``.

    No error repeats a value, which may be a password.
    """
    try:
        settings = _toml(path) if path.suffix == '.toml' else _ini(path)
    except configparser.InterpolationError as error:
        where = f'[{error.section}] {error.option}'
        raise click.UsageError(f'{path}, {where}: cannot be expanded; a % itself is written as %%') from None
    except configparser.ParsingError as error:
        line = getattr(error, 'lineno', None) or error.errors[0][0]
        raise click.UsageError(f'{path} is not INI: see line {line}; TOML is for names that end in .toml') from None
    except (OSError, ValueError, configparser.Error) as error:
        raise click.UsageError(f'{path} cannot be read: {error}') from error
    if not settings:
        raise click.UsageError(f'{path} configures no storage; see depot list --help')
    return settings


def prefix_of(settings: Mapping[str, Any], name: str | None) -> str:
    """The prefix of a storage's keys: the one without a name by default, or the one called ``default``, or the only."""
    names = sorted({key[len(PREFIX) :].rpartition('.')[0] for key in settings})
    if name is None:
        name = names[0] if len(names) == 1 else next((each for each in ('', 'default') if each in names), None)
    if name not in names:
        known = ', '.join(repr(each) if each else 'one without a name' for each in names)
        asked = 'it is to say which by --depot' if name is None else f'no storage {name!r}'
        raise click.UsageError(f'{asked}; configured are: {known}')
    return f'{PREFIX}{name}.' if name else PREFIX


def _toml(path: Path) -> dict[str, Any]:
    table = importlib.import_module(_TOML).loads(path.read_text(encoding='utf-8')).get('depot', {})
    if not isinstance(table, dict):
        raise click.UsageError(f"{path}: 'depot' is no table; one looks like [depot.default]")
    return dict(_flat(table, PREFIX))


def _flat(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _ini(path: Path) -> dict[str, Any]:
    """As PasteDeploy reads it: keys are case-sensitive, and ``%(here)s`` is the folder of the file."""
    here = {'here': os.path.dirname(os.path.abspath(path)), '__file__': os.path.abspath(path)}
    parser = configparser.ConfigParser({name: value.replace('%', '%%') for name, value in here.items()})
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text(encoding='utf-8'), str(path))
    return {**_of_application(parser), **_of_own_sections(parser)}


def _of_application(parser: configparser.ConfigParser) -> dict[str, str]:
    keys = {name: [key for key in section if key.startswith(PREFIX)] for name, section in parser.items()}
    having = [name for name, found in keys.items() if found and found != keys[parser.default_section]]
    having = having or [name for name in (parser.default_section,) if keys[name]]
    if len(having) > 1 and _MAIN not in having:
        sections = ', '.join(f'[{name}]' for name in having)
        raise click.UsageError(f'{sections}: several sections configure storages; call the one that is meant [{_MAIN}]')
    section = _MAIN if _MAIN in having else next(iter(having), None)
    return {key: parser.get(section, key) for key in keys[section]} if section else {}


def _of_own_sections(parser: configparser.ConfigParser) -> dict[str, str]:
    """Sections named like the tables of TOML: ``[depot]``, ``[depot.avatars]``."""
    own = [name for name in parser.sections() if f'{name}.'.startswith(PREFIX)]
    shared = parser.defaults()  # which are about other things
    return {f'{name}.{key}': parser.get(name, key) for name in own for key in parser[name] if key not in shared}
