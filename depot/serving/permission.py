"""Who may see a file: whoever has a URL that is signed for it, or whom the application lets."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import ConfigurationError
from .links import NOTHING_MORE, Grant, Links, token_of

#: Asked with the request as the server has it (the environ of WSGI, the scope of ASGI) and the stored file.
Authorize = Callable[[Any, Any], bool | Awaitable[bool]]

#: Tells of a request what a signed URL may be bound to, such as the session.
Fingerprint = Callable[[Any], str | Awaitable[str]]


class Permission:
    """What a request may see. Every refusal looks the same: as if there were no such file.

    What the functions of the application say may be a promise (an awaitable), which is for others to wait for.

    Raises :class:`~depot.errors.ConfigurationError` for an ``authorize`` or ``fingerprint`` that cannot be called.
    """

    def __init__(self, links: Links | None, authorize: Authorize | None, fingerprint: Fingerprint | None) -> None:
        for option, function in (('authorize', authorize), ('fingerprint', fingerprint)):
            if function is not None and not callable(function):
                raise ConfigurationError(f'{option} = {function!r} is no function')
        self._links = links
        self._authorize = authorize
        self._fingerprint = fingerprint

    def fingerprint(self, query: str, origin: Any) -> Any:
        """What the application says of a request with a token."""
        return '' if self._fingerprint is None or self._token(query) is None else self._fingerprint(origin)

    def grant(self, path: str, query: str, fingerprint: Any, is_private: bool) -> Grant | None:
        """What the token in the query grants; nothing more than the file without one; None if it is refused already.

        Raises :class:`~depot.errors.ConfigurationError` for a fingerprint that is no text.
        """
        token = self._token(query)
        if self._links is not None and token is not None:
            grant = self._links.grant(path, token, _checked_fingerprint(fingerprint))
            # One that never expires was made when the storage was public.
            return None if is_private and grant is not None and grant.expires_at is None else grant
        return None if is_private and self._authorize is None else NOTHING_MORE

    def authorizes(self, query: str, origin: Any, file: Any) -> Any:
        """What the application says about a private file that was not refused by :meth:`grant`."""
        return self._token(query) is not None or (self._authorize is not None and self._authorize(origin, file))

    def _token(self, query: str) -> str | None:
        return None if self._links is None else token_of(query)


def is_promise(said: Any) -> bool:
    """Whether it has to be awaited; of most answers that is quickly known."""
    return not isinstance(said, (bool, str)) and inspect.isawaitable(said)


def is_yes(said: Any) -> bool:
    """Whether ``authorize`` lets a request see a file.

    Raises :class:`~depot.errors.ConfigurationError` for a promise to say something, which would count as a yes.
    """
    if isinstance(said, bool):
        return said
    if is_promise(said) or inspect.isgenerator(said) or inspect.isasyncgen(said):
        close_promise(said)
        raise ConfigurationError(f'authorize gave {said!r}, which says neither yes nor no')
    return bool(said)


def check_plain(option: str, function: Any) -> None:
    """Raises :class:`~depot.errors.ConfigurationError` for a function that only an event loop can run."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f'{option} is async, which is for the ASGI middleware; WSGI needs a plain function')


def close_promise(said: Any) -> None:
    """Nobody will wait for it."""
    close = getattr(said, 'close', None)
    if close is not None:
        close()


def _checked_fingerprint(said: Any) -> str:
    if not isinstance(said, str):
        close_promise(said)
        raise ConfigurationError(f'fingerprint gave {said!r}, which is no text')
    return said
