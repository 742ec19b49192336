"""Who may see a file: whoever has a URL that is signed for it, or whom the application lets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .links import NOTHING_MORE, Grant, Links, token_of

#: Asked with the request as the server has it (the environ of WSGI, the scope of ASGI) and the stored file.
Authorize = Callable[[Any, Any], bool]

#: Tells of a request what a signed URL may be bound to, such as the session.
Fingerprint = Callable[[Any], str]


class Permission:
    """What a request may see. Every refusal looks the same: as if there were no such file."""

    def __init__(self, links: Links | None, authorize: Authorize | None, fingerprint: Fingerprint | None) -> None:
        self._links = links
        self._authorize = authorize
        self._fingerprint = fingerprint

    def grant(self, path: str, query: str, origin: Any, is_private: bool) -> Grant | None:
        """What the token in the query grants; nothing more than the file without one; None if it is refused already."""
        token = self._token(query)
        if self._links is not None and token is not None:
            grant = self._links.grant(path, token, self._fingerprint(origin) if self._fingerprint else '')
            return None if grant is None or grant.rendition is not None else grant  # there are no renditions yet
        return None if is_private and self._authorize is None else NOTHING_MORE

    def lets(self, query: str, origin: Any, file: Any) -> bool:
        """Whether a private file may be seen that was not refused by :meth:`grant`."""
        return self._token(query) is not None or (self._authorize is not None and bool(self._authorize(origin, file)))

    def _token(self, query: str) -> str | None:
        return None if self._links is None else token_of(query)
