"""What the application chose for its files: how long they may be kept, and what a browser may do with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .media import INLINE


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
