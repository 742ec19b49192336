"""Signed messages: what this application said, for one purpose, until an instant.

A token is text that can stand in a URL: what is said, readable by anybody, and a signature that nobody can make without
the key. What it is *bound to* is signed as well, and is not in it: whoever reads the token has to know it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from time import time
from typing import Any, NamedTuple

import itsdangerous

from .errors import ConfigurationError, WrongSignature

#: One secret, or several: the oldest first. The last one signs, each verifies.
Keys = str | bytes | Sequence[str | bytes]


class Signed(NamedTuple):
    """What a token says."""

    #: What JSON has.
    value: Any
    #: Seconds since 1970 in UTC; None for a token that never expires.
    expires_at: int | None = None


class Signer:
    """Signs what JSON can say, and verifies it, by HMAC with SHA-256.

    A token for one ``purpose`` is worth nothing for another, though the keys
    are the same. To replace a key, append a new one; remove the old one when
    what it signed has expired, or at once if it got known.

    Raises :class:`~depot.errors.ConfigurationError` if there is no key, or an empty one.
    """

    def __init__(self, keys: Keys, purpose: str) -> None:
        self._signer = itsdangerous.Signer(
            _checked(keys), salt=f'depot.{purpose}', key_derivation='hmac', digest_method=hashlib.sha256
        )

    def sign(self, value: Any, bound_to: str = '', expires: float | None = None, step: int = 1) -> str:
        """A token that says ``value``, for ``expires`` seconds from now, and on to the end of a ``step`` of seconds.

        Within a step the same is said by the same token.
        """
        payload = _encoded(Signed(value, None if expires is None else math.ceil((time() + expires) / step) * step))
        return f'{payload}.{self._signer.get_signature(_message(payload, bound_to)).decode()}'

    def unsign(self, token: str, bound_to: str = '') -> Any:
        """What :meth:`sign` was told to say.

        Raises :class:`~depot.errors.WrongSignature` for all but a token that was
        signed with one of the keys, for this purpose, bound to this, and has
        not expired; nothing tells which it was.
        """
        return self.read(token, bound_to).value

    def read(self, token: str, bound_to: str = '') -> Signed:
        """The same as :meth:`unsign`, with the instant at which it expires."""
        payload, _, signature = token.rpartition('.')
        is_ours = self._signer.verify_signature(_message(payload, bound_to), signature)
        signed = _decoded(payload) if is_ours and _is_canonical(signature) else None
        if signed is None or is_over(signed.expires_at):
            raise WrongSignature('this was not signed for this, or is valid no more')
        return signed


def is_over(expires_at: int | None) -> bool:
    """Whether a token that expires then has expired."""
    return expires_at is not None and time() >= expires_at


def _checked(keys: Keys) -> list[bytes]:
    """The keys as a list. No error repeats one."""
    several = [keys] if isinstance(keys, (str, bytes)) else [*keys] if isinstance(keys, Sequence) else []
    if not several or not all(isinstance(each, (str, bytes)) and each for each in several):
        raise ConfigurationError('a key to sign with is text or bytes, not empty; or several of them, the oldest first')
    return [each.encode('utf-8', 'surrogatepass') if isinstance(each, str) else each for each in several]


def _message(payload: str, bound_to: str) -> bytes:
    """What is signed: JSON, so that nothing moves from one part to the other."""
    return json.dumps([bound_to, payload]).encode()


def _encoded(signed: Signed) -> str:
    text = json.dumps(signed, separators=(',', ':'), ensure_ascii=False, allow_nan=False)
    return itsdangerous.base64_encode(text.encode('utf-8', 'surrogatepass')).decode()


def _decoded(payload: str) -> Signed | None:
    """None for what has another shape: keys may have been used elsewhere."""
    try:
        said = json.loads(itsdangerous.base64_decode(payload).decode('utf-8', 'surrogatepass'))
    except (itsdangerous.BadData, ValueError, RecursionError):
        return None
    is_signed = isinstance(said, list) and len(said) == 2 and isinstance(said[1], (int, type(None)))
    return Signed(*said) if is_signed else None


def _is_canonical(signature: str) -> bool:
    # Base64 is read leniently: other characters are passed over, and bits after the last byte do not count.
    return itsdangerous.base64_encode(itsdangerous.base64_decode(signature)).decode() == signature
