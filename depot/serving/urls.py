"""The URLs at which a middleware serves stored files, whatever the server."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from ..errors import ConfigurationError, InvalidLink, InvalidMountpoint
from ..manager import DepotManager
from ..signing import Keys
from .links import NOTHING_MORE, PARAMETER, Grant, Links

# What may stand in a path as it is (RFC 3986 section 3.3); all else is percent-encoded.
_PATH_CHARS = "/!$&'()*+,;=:@~"

# Scheme and host, or a path, or both.
_BASE_URL = re.compile(
    r'(https?://(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?)?((?:/[^/?#\\\s]+)*)/?', re.ASCII | re.IGNORECASE
)


class Urls:
    """Makes URLs below a mountpoint, signed ones where they are asked for, or the storage is private.

    ``secret_key`` is one key or several, the oldest first. ``url_expires`` is
    for how many seconds a signed URL works at least unless another time is
    asked for; for a twelfth of them it stays the same.
    ``base_url`` is where the application is: its path is put before every URL,
    its scheme and host before absolute ones. ``authorizes`` says that the
    application decides about files without a signed URL.

    Raises :class:`~depot.errors.InvalidMountpoint` and, for other options, :class:`~depot.errors.ConfigurationError`.
    """

    def __init__(
        self,
        mountpoint: str,
        secret_key: Keys | None = None,
        url_expires: float | str = 3600,
        base_url: str | None = None,
        authorizes: bool = False,
    ) -> None:
        #: Without a slash at its end, so ``''`` for the root; not percent-encoded.
        self.mountpoint = _checked_mountpoint(mountpoint)
        #: What makes and verifies tokens; None without a key.
        self.links = None if secret_key is None else _links(secret_key)
        self._expires = _checked_url_expires(url_expires)
        # For so many seconds a URL stays as it is, and browsers find their copies again.
        self._step = max(1, int(self._expires) // 12)
        self._base = _Base.of(base_url)
        self._authorizes = authorizes

    def url_for(
        self,
        path: str,
        *,
        expires: float | datetime.timedelta | None = None,
        download: bool = False,
        filename: str | None = None,
        absolute: bool = False,
        fingerprint: str | None = None,
        rendition: str | None = None,
    ) -> str:
        """The URL of the stored file at ``storage/id``, from the root of the site, or ``absolute``.

        It works for ``expires`` seconds, or for a ``timedelta``. With ``download`` a browser saves the
        file and does not show it, under the name ``filename`` if one is given.
        With a ``fingerprint`` it works only for requests that have the same one.
        With the text of a recipe for a ``rendition`` it is the URL of that.

        Raises :class:`~depot.errors.InvalidLink` for options that make no URL,
        and :class:`~depot.errors.ConfigurationError` if the URL has to be signed
        and there is no ``secret_key``, or has to be absolute and there is no ``base_url``.
        """
        grant = Grant(
            _checked_text('filename', filename) or None,
            'attachment' if download else None,
            _checked_text('rendition', rendition) or None,
        )
        token = self._token(path, grant, _checked_expires(expires), _checked_fingerprint(fingerprint))
        url = quote(f'{self.mountpoint}/{path}', safe=_PATH_CHARS, errors='replace')
        return self._base.before(url, absolute) + (f'?{PARAMETER}={token}' if token else '')

    def _token(self, path: str, grant: Grant, expires: float | None, fingerprint: str) -> str | None:
        is_private = DepotManager.settings(path.partition('/')[0]).private
        is_special = expires is not None or bool(fingerprint) or grant != NOTHING_MORE
        if not (is_private or is_special):
            return None
        if self.links is not None and is_private and expires is None:
            return self.links.link(path, grant, self._expires, fingerprint, step=self._step)
        if self.links is not None:
            return self.links.link(path, grant, expires, fingerprint)
        if is_special:
            raise ConfigurationError(
                'a URL of a rendition, or with expires, download, filename or fingerprint, is signed: '
                'give the middleware a secret_key'
            )
        if self._authorizes:
            return None
        raise ConfigurationError(
            f'{path!r} is in a private storage: give the middleware a secret_key, to sign its URL, or authorize'
        )


class _Base(NamedTuple):
    """Where the application is."""

    #: Scheme and host; empty where only the path is known.
    origin: str = ''
    #: Without a slash at its end.
    path: str = ''

    @classmethod
    def of(cls, base_url: str | None) -> _Base:
        found = _BASE_URL.fullmatch(base_url) if isinstance(base_url, str) else None
        if base_url and found is None:
            raise ConfigurationError(f'base_url = {base_url!r} is none; one looks like https://example.com/app')
        return cls(found[1] or '', quote(found[2], safe=f'{_PATH_CHARS}%')) if found else cls()

    def before(self, url: str, absolute: bool) -> str:
        if absolute and not self.origin:
            raise ConfigurationError(
                'an absolute URL needs to know where the application is: give the middleware a base_url, '
                'such as https://example.com'
            )
        return f'{self.origin if absolute else ""}{self.path}{url}'


def _checked_mountpoint(mountpoint: str) -> str:
    if not isinstance(mountpoint, str) or not mountpoint.startswith('/'):
        raise InvalidMountpoint(f'the mountpoint {mountpoint!r} does not start with a slash; try {f"/{mountpoint}"!r}')
    stripped = mountpoint.rstrip('/')
    # A browser takes two slashes for the beginning of a host, and goes up where there are dots.
    if any(each in ('', '.', '..') for each in stripped.split('/')[1:]):
        raise InvalidMountpoint(f'the mountpoint {mountpoint!r} has an empty part, or one of dots; try /depot')
    return stripped


def _links(secret_key: Keys) -> Links:
    try:
        return Links(secret_key)
    except ConfigurationError as error:
        raise ConfigurationError(f'secret_key: {error}') from None


def _checked_url_expires(value: float | str) -> float:
    try:
        return _seconds(float(value))
    except (TypeError, ValueError, OverflowError):
        raise ConfigurationError(f'url_expires = {value!r} is no number of seconds above 0') from None


def _checked_expires(value: float | datetime.timedelta | None) -> float | None:
    try:
        seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else value
        return None if seconds is None else _seconds(seconds)
    except (TypeError, ValueError, OverflowError):
        raise InvalidLink(f'expires = {value!r} is no number of seconds above 0') from None


def _seconds(value: float) -> float:
    if not value > 0 or math.isinf(value):
        raise ValueError
    return value


def _checked_fingerprint(value: str | None) -> str:
    if value == '':
        raise InvalidLink('fingerprint is empty, and would bind the URL to nothing; give none, or that of a session')
    return _checked_text('fingerprint', value)


def _checked_text(name: str, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise InvalidLink(f'{name} = {value!r} is no text')
    return value or ''
