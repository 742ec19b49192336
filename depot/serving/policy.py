"""What the application chose for its files: how long they may be kept, and what a browser may do with them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from ..errors import ConfigurationError
from .media import INLINE

_RESOURCE_POLICIES = ('cross-origin', 'same-site', 'same-origin')

# Seconds; 68 years. More is no number of seconds to many a client (RFC 9111 section 1.2.2).
_LONGEST_AGE = 2**31 - 1

_MEDIA_TYPE = re.compile(r'[\w!#$&^.+-]+/(?:\*|[\w!#$&^.+-]+)', re.ASCII)


class Policy(NamedTuple):
    """The choices for one file."""

    #: Seconds for which a copy may be used without asking.
    cache_max_age: int
    #: Who may keep a copy: anybody (``public``), the client alone (``private``), nobody (``no-store``).
    cache: str = 'public'
    #: The media types that are shown, not offered for download: types, or ``family/*``.
    inline: Collection[str] = INLINE
    #: Which sites may put the file into their pages: ``cross-origin``, ``same-site`` or ``same-origin``.
    resource_policy: str = 'cross-origin'
    #: ``attachment`` has it downloaded, ``inline`` shown if its type may be; None leaves it to the type.
    disposition: str | None = None
    #: The download name; None for the one that it was stored with.
    filename: str | None = None


def checked_age(value: object) -> int:
    """``cache_max_age``, in seconds; a settings file has it as text.

    Raises :class:`~depot.errors.ConfigurationError` for what is none.
    """
    try:
        age = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        age = -1
    if not 0 <= age <= _LONGEST_AGE:
        raise ConfigurationError(f'cache_max_age = {value!r} is no number of seconds from 0 to {_LONGEST_AGE}')
    return int(age)


def checked_inline(inline: Collection[str] | str | None) -> Collection[str]:
    """The media types to show; as text, as a settings file has it, they stand between commas or blanks.

    Raises :class:`~depot.errors.ConfigurationError` for what is no media type.
    """
    if inline is None:
        return INLINE
    if not isinstance(inline, (str, Collection)):
        raise ConfigurationError(f'inline = {inline!r} is neither text nor a list of media types')
    types = re.findall(r'[^\s,]+', inline) if isinstance(inline, str) else [*inline]
    for each in types:
        if not isinstance(each, str) or not _MEDIA_TYPE.fullmatch(each):
            raise ConfigurationError(f'inline: {each!r} is no media type; one looks like image/png or image/*')
    return frozenset(each.lower() for each in types)


def checked_resource_policy(value: str | None) -> str | None:
    """A value of ``Cross-Origin-Resource-Policy``; None for that which fits the storage.

    Raises :class:`~depot.errors.ConfigurationError` for any other.
    """
    if value is None or value in _RESOURCE_POLICIES:
        return value
    raise ConfigurationError(f'resource_policy = {value!r} is none; choose from {", ".join(_RESOURCE_POLICIES)}')
