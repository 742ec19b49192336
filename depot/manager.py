"""The application's storages, by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from .errors import ConfigurationError, InvalidPath, NameTaken, UnknownStorage, WrongOption
from .io import settings
from .io.backends import check_options, constructed
from .io.interfaces import FileStorage, StoredFile
from .io.settings import StorageSettings
from .io.urls import backend_and_options

__all__ = ['DepotManager', 'configure', 'get_depot', 'get_file', 'set_default']

# What no part of a path may have, not to be taken for several.
_NOT_IN_NAMES = frozenset('/\\\0')

AnyStorage = TypeVar('AnyStorage', bound=FileStorage)

# A dotted path, not an import: the middleware stands floors above and imports this
# module; and an application that serves no files shall not load it.
_MIDDLEWARE = 'depot.middleware.DepotMiddleware'
_ASGI_MIDDLEWARE = 'depot.middleware.DepotASGIMiddleware'


class Middleware(Protocol):
    """Whatever makes the URLs of the stored files."""

    def url_for(self, path: str) -> str: ...  # and, where it has them, with options


class DepotManager:
    """The application's storages, by name; never instantiated.

    The first storage that is configured becomes the default. An alias is a
    second name, which can be switched from one storage to another.
    """

    # Applications and their tests read, rebind and clear these four in place,
    # so what they say is asked for anew each time and kept nowhere else.
    _default_depot: ClassVar[str | None] = None
    _depots: ClassVar[dict[str, FileStorage]] = {}
    _middleware: ClassVar[Any] = None
    _aliases: ClassVar[dict[str, str]] = {}

    # By name, not by storage: whatever stands in for a private storage is private.
    _settings: ClassVar[dict[str, StorageSettings]] = {}

    @classmethod
    def set_default(cls, name: str) -> None:
        """Makes a configured storage the default one.

        Raises :class:`~depot.errors.UnknownStorage` for any other name, an alias included.
        """
        if name not in cls._depots:
            raise cls._unknown(name)
        cls._default_depot = name

    @classmethod
    def get_default(cls) -> str:
        """The name of the default storage.

        Raises :class:`~depot.errors.ConfigurationError` if there is none.
        """
        if cls._default_depot is None:
            raise ConfigurationError('no storage is configured; call DepotManager.configure() first')
        return cls._default_depot

    @classmethod
    def set_middleware(cls, mw: Middleware) -> None:
        """Registers what makes the URLs of stored files: anything with a ``url_for``.

        Raises :class:`~depot.errors.ConfigurationError` if there is one already.
        """
        if cls._middleware is not None:
            raise ConfigurationError('a middleware is registered already; an application has one')
        cls._middleware = mw

    @classmethod
    def get_middleware(cls) -> Any:
        """The registered middleware.

        Raises :class:`~depot.errors.ConfigurationError` if there is none.
        """
        if cls._middleware is None:
            raise ConfigurationError(
                'no middleware is registered; call DepotManager.make_middleware() or make_asgi_middleware() first'
            )
        return cls._middleware

    @classmethod
    def get(cls, name: str | None = None) -> FileStorage | None:
        """The storage with this name or alias, by default the default one; None if there is none."""
        name = cls._default_depot if name is None else name
        real = None if name is None else cls.resolve_alias(name)
        return None if real is None else cls._depots[real]

    @classmethod
    def require(cls, name: str | None = None) -> FileStorage:
        """The storage with this name or alias, by default the default one.

        Raises :class:`~depot.errors.UnknownStorage` if there is none, and
        :class:`~depot.errors.ConfigurationError` if none is configured at all.
        """
        return cls._depots[cls._real_name(name)]

    @classmethod
    def get_file(cls, path: str) -> StoredFile:
        """The stored file at ``storage/id``.

        Raises :class:`~depot.errors.InvalidPath` for a path without ``/``,
        :class:`~depot.errors.UnknownStorage`, :class:`~depot.errors.InvalidFileId`
        and :class:`~depot.errors.FileMissing`.
        """
        name, slash, file_id = path.partition('/') if isinstance(path, str) else ('', '', '')
        if not slash:
            raise InvalidPath(f'{path!r} is no path of a file; one looks like storage/id')
        return cls.require(name).get(file_id)

    @classmethod
    def settings(cls, name: str | None = None) -> StorageSettings:
        """Who may see the files of the storage with this name or alias, by default the default one, and how.

        A storage that was not configured, or of which nothing was said, has the
        defaults: it is public.
        """
        name = cls._default_depot if name is None else name
        real = None if name is None else cls.resolve_alias(name)
        return StorageSettings() if real is None else cls._settings.get(real, StorageSettings())

    @classmethod
    def url_for(cls, path: str, **options: Any) -> str:
        """The URL at which the registered middleware serves the file at ``storage/id``.

        The options are those of the middleware: of ours ``expires``,
        ``download``, ``filename``, ``absolute`` and ``fingerprint``. One that it
        does not take is a TypeError, such as :class:`~depot.errors.WrongOption`.
        """
        url_for = cls.get_middleware().url_for
        if options:
            check_options(getattr(url_for, '__qualname__', 'url_for'), url_for, path, **options)
        url: str = url_for(path, **options)
        return url

    @classmethod
    def configure(cls, name: str, config: Mapping[str, Any] | str | None, prefix: str = 'depot.') -> FileStorage:
        """Makes a storage from settings or a URL, as :meth:`from_config` does, and registers it under ``name``.

        Raises :class:`~depot.errors.NameTaken` if a storage or an alias has the
        name, and :class:`~depot.errors.ConfigurationError` for a name that cannot stand in a path (``storage/id``).
        When anything is raised, nothing is registered.
        """
        _check_name(name)
        if name in cls._depots:
            raise NameTaken(f'a storage {name!r} is configured already; a process configures each name once')
        if name in cls._aliases:
            raise NameTaken(f'{name!r} is an alias of the storage {cls._aliases[name]!r}')
        storage, said = _made(config, prefix)
        cls._settings[name] = said  # first, so that a private storage is never public
        cls._depots[name] = storage
        if cls._default_depot is None:
            cls._default_depot = name
        return storage

    @classmethod
    def alias(cls, alias: str, name: str) -> None:
        """Gives a configured storage a second name; a name given before is switched to it.

        Raises :class:`~depot.errors.NameTaken` if a storage is called ``alias``,
        and :class:`~depot.errors.UnknownStorage` if none is called ``name``.
        """
        if name not in cls._depots:
            raise cls._unknown(name)
        _check_name(alias)
        if alias in cls._depots:
            raise NameTaken(f'{alias!r} is the name of a storage, so it cannot be an alias of {name!r}')
        cls._aliases[alias] = name

    @classmethod
    def resolve_alias(cls, name: str) -> str | None:
        """The real name of the storage with this name or alias; None if there is none."""
        real = name if name in cls._depots else cls._aliases.get(name)
        return real if real in cls._depots else None

    @classmethod
    def make_middleware(cls, app: Any, **options: Any) -> Any:
        """Wraps a WSGI application (or None) so that it serves stored files, and registers the wrapper.

        The options are those of :class:`depot.middleware.DepotMiddleware`.
        """
        middleware = constructed(_MIDDLEWARE, app, **options)
        cls.set_middleware(middleware)
        return middleware

    @classmethod
    def make_asgi_middleware(cls, app: Any, **options: Any) -> Any:
        """Wraps an ASGI application (or None) as :meth:`make_middleware` wraps one of WSGI.

        The options are those of :class:`depot.middleware.DepotASGIMiddleware`.
        """
        middleware = constructed(_ASGI_MIDDLEWARE, app, **options)
        cls.set_middleware(middleware)
        return middleware

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | str | None, prefix: str = 'depot.') -> FileStorage:
        """Makes a storage from settings or a URL, without registering it.

        ``<prefix>backend`` is the dotted path of its class, by default the local
        storage; the other keys with the prefix are its options. Keys with a
        further dot belong to other storages, and keys without the prefix to
        others than depot. ``<prefix>url`` names both the backend and options of
        it: ``s3://bucket/folder``, ``file:///path``; see :ref:`storage-urls`.
        Such a URL may also take the place of all settings.

        ``<prefix>private``, ``<prefix>cache`` and ``<prefix>delivery`` are said
        to depot, and not to the backend: see :meth:`settings`, which knows them
        of storages that are registered.

        Raises :class:`~depot.errors.BackendMissing` or
        :class:`~depot.errors.WrongOption`, :class:`~depot.errors.ConfigurationError`
        for a value that is none, and what the backend itself raises.
        """
        return _made(config, prefix)[0]

    @classmethod
    @contextlib.contextmanager
    def override(cls, storage: AnyStorage, name: str | None = None) -> Iterator[AnyStorage]:
        """Puts a storage in the place of a configured one, by default the default one, while inside: for tests.

        Raises :class:`~depot.errors.UnknownStorage` if none is configured there,
        and :class:`~depot.errors.ConfigurationError` for a URL.
        """
        if isinstance(storage, str):
            raise ConfigurationError('override() takes a storage, no URL; DepotManager.from_config() makes one of it')
        real = cls._real_name(name)
        aside, cls._depots[real] = cls._depots[real], storage
        try:
            yield storage
        finally:
            cls._depots[real] = aside

    @classmethod
    def _real_name(cls, name: str | None) -> str:
        name = cls.get_default() if name is None else name
        real = cls.resolve_alias(name)
        if real is None:
            raise cls._unknown(name)
        return real

    @classmethod
    def _unknown(cls, name: str) -> UnknownStorage:
        known = ', '.join(sorted(map(repr, [*cls._depots, *cls._aliases]))) or 'none'
        return UnknownStorage(f'no storage {name!r}; configured are: {known}', name)

    @classmethod
    def _clear(cls) -> None:
        cls._default_depot = None
        cls._depots = {}
        cls._middleware = None
        cls._aliases = {}
        cls._settings = {}


def _check_name(name: Any) -> None:
    """What is no text is left to those who put other objects there, as tests do."""
    if isinstance(name, Mapping):
        raise ConfigurationError('settings are no name of a storage; the name goes first: configure(name, settings)')
    if isinstance(name, str) and (name in ('', '.', '..') or not _NOT_IN_NAMES.isdisjoint(name)):
        raise ConfigurationError(f'{name!r} is no name of a storage: the path of a file is storage/id, with one slash')


def _made(config: Mapping[str, Any] | str | None, prefix: str) -> tuple[FileStorage, StorageSettings]:
    given = {'url': config} if isinstance(config, str) else _options(config or {}, prefix)
    backend, options = backend_and_options(given)
    said, options = settings.split(backend, options)
    try:
        return constructed(backend, **options), said
    except WrongOption as error:
        if config and not given:
            raise WrongOption(f'{error}; no key of the settings begins with {prefix!r}') from None
        raise


def _options(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    if not hasattr(config, 'keys'):
        kind = type(config).__name__
        raise ConfigurationError(f'settings are a dict, or a URL such as file:///var/lib/files, not the type {kind}')
    names = {key: key[len(prefix) :] for key in config if key.startswith(prefix)}
    return {name: config[key] for key, name in names.items() if '.' not in name}


get_depot = DepotManager.get
get_file = DepotManager.get_file
configure = DepotManager.configure
set_default = DepotManager.set_default
