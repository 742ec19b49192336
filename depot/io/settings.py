"""What the settings of a storage say to depot itself, whatever the backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import ConfigurationError
from . import utils
from .backends import lineage

_CACHES = ('public', 'private', 'no-store')
_DELIVERIES = ('redirect', 'proxy')

# Backends that let everybody read unless they are told otherwise, and so do those that inherit from them.
_PUBLIC_UNLESS_TOLD = frozenset({'depot.io.boto3.S3Storage', 'depot.io.gcs.GCSStorage'})


class StorageSettings(NamedTuple):
    """Who may see the files of a storage, and how they are served."""

    #: Whether a file is served only by a signed URL, or to those whom the application authorizes.
    private: bool = False
    #: Who may keep a copy: anybody (``public``), the client alone (``private``), nobody (``no-store``).
    cache: str = 'public'
    #: Whether a client is sent on to the backend where that has URLs (``redirect``), or gets all from us (``proxy``).
    delivery: str = 'redirect'


#: The options of every storage, which no backend is given.
NAMES = StorageSettings._fields


def split(backend: Any, options: Mapping[str, Any]) -> tuple[StorageSettings, dict[str, Any]]:
    """What is said to depot, and what to the backend with this dotted path.

    Raises :class:`~depot.errors.ConfigurationError` for values that are none.
    """
    settings = _settings(**{name: options[name] for name in NAMES if name in options})
    rest = {name: value for name, value in options.items() if name not in NAMES}
    if settings.private and not _PUBLIC_UNLESS_TOLD.isdisjoint(lineage(backend)):
        rest = _private_policy(rest)
    return settings, rest


def _settings(private: object = False, cache: object = None, delivery: object = 'redirect') -> StorageSettings:
    is_private = utils.flag('private', private)
    settings = StorageSettings(
        is_private,
        _one_of('cache', ('private' if is_private else 'public') if cache is None else cache, _CACHES),
        _one_of('delivery', delivery, _DELIVERIES),
    )
    if is_private and settings.cache == 'public':
        raise ConfigurationError(
            "cache = 'public' lets anybody keep the files of a storage that is private; choose private or no-store"
        )
    return settings


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    word = str(value).strip().lower()
    if word not in choices:
        raise ConfigurationError(f'{name} = {value!r} is none; choose from {", ".join(choices)}')
    return word


def _private_policy(options: dict[str, Any]) -> dict[str, Any]:
    """A plain URL of the backend would be a way around the signed one."""
    policy = options.get('policy') or 'private'
    if policy != 'private':
        raise ConfigurationError(
            f'private = true, but by policy = {policy!r} the backend lets everybody read; leave policy out'
        )
    return {**options, 'policy': policy}
