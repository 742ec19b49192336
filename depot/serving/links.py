"""Tokens in the URLs of files: what somebody who has one may see, under which name, for how long."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..errors import WrongSignature
from ..signing import Keys, Signer, is_over
from .remembered import Remembered

#: The field of a query string that has the token.
PARAMETER = 'token'
_find_tokens = re.compile(rf'(?:^|&){PARAMETER}(?=[=&]|$)=?([^&]*)').findall

# So many grants.
_REMEMBERED = 1024

_DISPOSITIONS = (None, 'inline', 'attachment')


class Grant(NamedTuple):
    """What a token allows beyond seeing the file; None is what it does not say."""

    #: The name to download it under.
    filename: str | None = None
    #: ``attachment``, to have it saved, or ``inline``, to have it shown if its type may be.
    disposition: str | None = None
    #: Which derived file, in the place of the file itself.
    rendition: str | None = None
    #: When the token expires, in seconds since 1970 in UTC; :meth:`Links.link` goes by its own argument.
    expires_at: int | None = None


#: The file as it is stored.
NOTHING_MORE = Grant()


class Links:
    """Makes and verifies the tokens of URLs.

    A token is bound to the file's path (``storage/id``), to the purpose, and to
    a fingerprint if there is one: anything of the one who asks that a thief of
    the URL would not have, such as the session's id. What it grants is in it.

    Raises :class:`~depot.errors.ConfigurationError` if there is no key, or an empty one.
    """

    def __init__(self, keys: Keys, purpose: str = 'serve') -> None:
        self._signer = Signer(keys, purpose)
        # What was granted last: pages show the same files again and again. Of refusals nothing is remembered.
        self._granted: Remembered[tuple[str, str, str], Grant] = Remembered(_REMEMBERED)

    def link(
        self,
        path: str,
        grant: Grant = NOTHING_MORE,
        expires: float | None = None,
        fingerprint: str = '',
        step: int = 1,
    ) -> str:
        """A token for the file at ``path``, for so many seconds; None: as long as the key is used.

        It is good to the end of a step, and within one the same.
        """
        return self._signer.sign(_said(grant), _bound_to(path, fingerprint), expires, step)

    def grant(self, path: str, token: str | None, fingerprint: str = '') -> Grant | None:
        """What the token allows to do with the file at ``path``; None if it is not valid, for whatever reason.

        ``fingerprint`` is that of the request. A token that was made without one is valid for every request.
        """
        asked = path, token or '', fingerprint
        grant = self._granted.get(asked)
        if grant is None or is_over(grant.expires_at):
            grant = self._read(asked[1], _bound_to(path, fingerprint)) or self._read(asked[1], _bound_to(path, ''))
            if grant is not None:
                self._granted[asked] = grant
        return grant

    def _read(self, token: str, bound_to: str) -> Grant | None:
        try:
            said, expires_at = self._signer.read(token, bound_to)
        except WrongSignature:
            return None
        return Grant(*said)._replace(expires_at=expires_at) if _is_grant(said) else None


def token_of(query: str) -> str | None:
    """The token in a query string; None if there is none, and one that is never valid if there are several."""
    tokens = _find_tokens(query)
    return (unquote(tokens[0]) if len(tokens) == 1 else '') if tokens else None


def _said(grant: Grant) -> list[str | None]:
    """Without what is None at the end, because URLs are short."""
    said = [grant.filename, grant.disposition, grant.rendition]
    while said and said[-1] is None:
        said.pop()
    return said


def _is_grant(said: Any) -> bool:
    is_short_list = isinstance(said, list) and len(said) <= 3
    return is_short_list and all(isinstance(each, (str, type(None))) for each in said) and _disposition(said)


def _disposition(said: list[Any]) -> bool:
    return [*said, None, None][1] in _DISPOSITIONS


def _bound_to(path: str, fingerprint: str) -> str:
    """JSON, so that nothing moves from one part to the other."""
    return json.dumps([path, fingerprint])
