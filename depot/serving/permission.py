"""Who may see a file: whoever has a URL that is signed for it, or whom the application lets."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from .links import NOTHING_MORE, Grant, Links, token_of

#: Asked with the request as the server has it (the environ of WSGI, the scope of ASGI) and the stored file.
Authorize = Callable[[Any, Any], bool]

#: Tells of a request what a signed URL may be bound to, such as the session.
Fingerprint = Callable[[Any], str]


class Permission:
    """What a request may see. Every refusal looks the same: as if there were no such file.

    Raises :class:`~depot.errors.ConfigurationError` for an ``authorize`` or ``fingerprint`` that cannot be called.
    """

    def __init__(self, links: Links | None, authorize: Authorize | None, fingerprint: Fingerprint | None) -> None:
        for option, function in (('authorize', authorize), ('fingerprint', fingerprint)):
            _check(option, function)
        self._links = links
        self._authorize = authorize
        self._fingerprint = fingerprint

    def grant(self, path: str, query: str, origin: Any, is_private: bool) -> Grant | None:
        """What the token in the query grants; nothing more than the file without one; None if it is refused already."""
        token = self._token(query)
        if self._links is not None and token is not None:
            grant = self._links.grant(path, token, self._fingerprint_of(origin))
            # One that never expires was made when the storage was public.
            return None if is_private and grant is not None and grant.expires_at is None else grant
        return None if is_private and self._authorize is None else NOTHING_MORE

    def lets(self, query: str, origin: Any, file: Any) -> bool:
        """Whether a private file may be seen that was not refused by :meth:`grant`.

        Raises :class:`~depot.errors.ConfigurationError` if ``authorize`` gives what has to be awaited first.
        """
        if self._token(query) is not None:
            return True
        return self._authorize is not None and bool(_answer('authorize', self._authorize(origin, file)))

    def _fingerprint_of(self, origin: Any) -> str:
        said = '' if self._fingerprint is None else _answer('fingerprint', self._fingerprint(origin))
        if not isinstance(said, str):
            raise ConfigurationError(f'fingerprint gave {said!r}, which is no text')
        return said

    def _token(self, query: str) -> str | None:
        return None if self._links is None else token_of(query)


def _check(option: str, function: Any) -> None:
    if function is not None and not callable(function):
        raise ConfigurationError(f'{option} = {function!r} is no function')
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f'{option} is async, which is for the ASGI middleware; WSGI needs a plain function')


def _answer(option: str, said: Any) -> Any:
    """What a function of the application said; not the promise to say something, which would count as a yes."""
    if inspect.isawaitable(said) or inspect.isgenerator(said) or inspect.isasyncgen(said):
        close = getattr(said, 'close', None)
        if close is not None:
            close()
        raise ConfigurationError(f'{option} gave {said!r}, which says neither yes nor no')
    return said
