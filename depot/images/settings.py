"""The settings of images, for the whole application."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ConfigurationError, WrongOption
from ..io.utils import flag
from .limits import LOADERS, Limits

_in_force = Limits()

_UNITS = {
    '': 1,
    'k': 10**3,
    'kb': 10**3,
    'kib': 2**10,
    'm': 10**6,
    'mb': 10**6,
    'mp': 10**6,
    'mib': 2**20,
    'g': 10**9,
    'gb': 10**9,
    'gib': 2**30,
}
_QUANTITY = re.compile(r'(\d[\d_]*)\s*([a-z]*)', re.ASCII)


def configure_images(**options: Any) -> None:
    """Says how much an image may cost, and where it is decoded, from now on.

    The options are the fields of :class:`~depot.images.limits.Limits`; each
    that is left out has its default. Values may be the texts of a settings
    file: ``'512 MiB'``, ``'true'``, ``'jpeg, png'``.

    Raises :class:`~depot.errors.ConfigurationError` for a value that is none,
    and :class:`~depot.errors.WrongOption` for another option; then nothing changes.
    """
    global _in_force
    _in_force = read_limits(options)


def limits_in_force() -> Limits:
    """What :func:`configure_images` has said last."""
    return _in_force


def read_limits(options: Mapping[str, Any]) -> Limits:
    """The limits that these options, values or texts, mean."""
    unknown = sorted(options.keys() - _READERS.keys())
    if unknown:
        raise WrongOption(f'images have no option {", ".join(unknown)}; choose from {", ".join(_READERS)}')
    return Limits(**{name: _READERS[name](name, value) for name, value in options.items()})


def _quantity(name: str, value: object) -> int:
    """A whole number above 0, which as a text may have a unit."""
    found = _QUANTITY.fullmatch(str(value).strip().lower())
    number = int(found[1].replace('_', '')) * _UNITS.get(found[2], 0) if found and not isinstance(value, bool) else 0
    if number < 1:
        raise ConfigurationError(f"{name} = {value!r} is no number above 0; one looks like 100_000_000 or '512 MiB'")
    return number


def _seconds(name: str, value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float('inf'):
        raise ConfigurationError(f'{name} = {value!r} is no number of seconds above 0; one looks like 2.5')
    return seconds


def _loaders(name: str, value: object) -> tuple[str, ...]:
    words = value.split(',') if isinstance(value, str) else value
    if not isinstance(words, (list, tuple, set, frozenset)):
        raise ConfigurationError(f"{name} = {value!r} is no list; one looks like 'jpeg, png'")
    loaders = tuple(str(each).strip().lower().replace('jpg', 'jpeg') for each in words)
    if not loaders or not set(LOADERS).issuperset(loaders):
        raise ConfigurationError(f'{name} = {value!r} names what is no format; choose from {", ".join(LOADERS)}')
    return loaders


def _folders(name: str, value: object) -> tuple[str, ...]:
    words = value.split(',') if isinstance(value, str) else [value] if isinstance(value, os.PathLike) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(each, (str, os.PathLike)) for each in words):
        raise ConfigurationError(f"{name} = {value!r} is no list of folders; one looks like '/srv/marks, /srv/logos'")
    folders = tuple(filter(None, (os.fspath(each).strip() for each in words)))
    missing = [each for each in folders if not os.path.isdir(each)]
    if missing:
        raise ConfigurationError(f'{name} = {value!r}: there is no folder {", ".join(missing)}')
    return folders


_READERS: dict[str, Callable[[str, Any], Any]] = {
    'pixels': _quantity,
    'density': _quantity,
    'frames': _quantity,
    'bytes': _quantity,
    'seconds': _seconds,
    'memory': _quantity,
    'worker': flag,
    'loaders': _loaders,
    'overlays': _folders,
}
