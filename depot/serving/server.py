"""From a request below the mountpoint to the answer, whatever the server."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Any, NamedTuple

from ..io.settings import StorageSettings
from ..manager import DepotManager
from .body import close_file
from .delivery import Delivery, deliver, said
from .handoff import HandOff, Option
from .kept import KeptFiles
from .links import Grant
from .permission import Permission, close_promise, is_promise, is_yes
from .policy import Policy, checked_inline, checked_resource_policy
from .renditions import Pending, Renditions
from .request import Request
from .resolver import find_file
from .response import Response, plain, redirect

# Seconds for which a copy of what never changes may be kept: as long as caches heed.
_YEAR = 365 * 24 * 60 * 60


class Undecided(NamedTuple):
    """An answer that has to wait for what ``authorize`` or ``fingerprint`` says."""

    said: Awaitable[Any]
    #: What is answered when that is known.
    answer: Callable[[Any], Answer]
    file: Any = None

    def close(self) -> None:
        """There will be no answer."""
        close_promise(self.said)
        close_file(self.file)


Answer = Delivery | Pending | Undecided


class FileServer:
    """Answers GET and HEAD for the files at ``storage/id``."""

    def __init__(
        self,
        permission: Permission,
        renditions: Renditions,
        cache_max_age: int,
        url_expires: int,
        inline: Collection[str] | str | None = None,
        resource_policy: str | None = None,
        hand_off: Option | None = None,
    ) -> None:
        self._permission = permission
        self._cache_max_age = cache_max_age
        self._url_expires = url_expires
        self._inline = checked_inline(inline)
        self._resource_policy = checked_resource_policy(resource_policy)
        self._hand_off = None if hand_off is None else HandOff(hand_off)
        # What another server sends need not be in this one's memory.
        self._kept = KeptFiles() if self._hand_off is None else None
        self._renditions = renditions

    def answer(self, path: str, query: str, request: Request, origin: Any) -> Answer:
        """The answer, or one that has to wait; ``origin`` is the request as the server has it.

        Raises what a storage raises that fails: such a file is not missing.
        """
        fingerprint = self._permission.fingerprint(query, origin)
        return _when_said(fingerprint, functools.partial(self._answer, path, query, request, origin))

    def _answer(self, path: str, query: str, request: Request, origin: Any, fingerprint: Any) -> Answer:
        settings = DepotManager.settings(path.partition('/')[0])
        grant = self._permission.grant(path, query, fingerprint, settings.private)
        if grant is not None and grant.rendition is not None:
            return self._rendition(path, grant.rendition, request, self._policy_of_renditions(settings, grant))
        file = None if grant is None else self._find(path, settings)
        if grant is None or file is None:
            return said(plain(HTTPStatus.NOT_FOUND), request.method)
        try:
            authorized = not settings.private or self._permission.authorizes(query, origin, file)
        except BaseException:
            close_file(file)
            raise
        return _when_said(authorized, functools.partial(self._serve, path, file, request, settings, grant), file)

    def _rendition(self, path: str, recipe: str, request: Request, policy: Policy) -> Delivery | Pending:
        """Of a file that the backend would serve, too: there is nobody else who makes it."""

        def deliver_it(file: Any) -> Delivery:
            return deliver(file, request, policy, self._hand_off)

        return self._renditions.answer(path, recipe, request.method, deliver_it, self._kept)

    def _find(self, path: str, settings: StorageSettings) -> Any:
        """The stored file. Of a private one ``authorize`` sees what the storage gives."""
        return find_file(path) if settings.private or self._kept is None else self._kept.find(path)

    def _serve(
        self, path: str, file: Any, request: Request, settings: StorageSettings, grant: Grant, authorized: Any
    ) -> Delivery:
        try:
            response = None if is_yes(authorized) else plain(HTTPStatus.NOT_FOUND)
            if response is None and settings.delivery != 'proxy':
                response = self._redirected(path, file, request, settings, grant)
            if response is None:
                return deliver(file, request, self._policy(settings, grant), self._hand_off)
        except BaseException:
            close_file(file)
            raise
        close_file(file)
        return said(response, request.method)

    def _redirected(
        self, path: str, file: Any, request: Request, settings: StorageSettings, grant: Grant
    ) -> Response | None:
        """To where the backend itself serves the file; None if it does not, or not to this request."""
        url = _text(getattr(file, 'public_url', None))
        if not url:
            return None
        expires = getattr(file, 'public_url_expires', False) is True
        if settings.private and not expires:  # whoever has a URL for good could pass it on
            return None
        if grant.filename or grant.disposition or (expires and grant.expires_at):
            url, expires = self._signed(path, file, grant), True
        if not url or (expires and request.method == 'HEAD'):  # which a URL that is signed for GET does not answer
            return None
        return redirect(url, permanent=not expires)

    def _signed(self, path: str, file: Any, grant: Grant) -> str | None:
        """The backend's own URL for what was granted; storages of old have none."""
        sign = getattr(DepotManager.get(path.partition('/')[0]), 'url', None)
        seconds = self._at_most(self._url_expires, grant)
        return sign and _text(sign(file, seconds, grant.filename, grant.disposition))

    def _policy(self, settings: StorageSettings, grant: Grant) -> Policy:
        return self._policy_of(self._age(settings, grant), settings.cache, settings, grant)

    def _policy_of_renditions(self, settings: StorageSettings, grant: Grant) -> Policy:
        """Another recipe has another URL, and another file has: what is behind one never changes (RFC 8246)."""
        cache = settings.cache if settings.cache == 'no-store' else f'{settings.cache}, immutable'
        return self._policy_of(self._at_most(_YEAR, grant), cache, settings, grant)

    def _policy_of(self, age: int, cache: str, settings: StorageSettings, grant: Grant) -> Policy:
        return Policy(
            age,
            cache,
            self._inline,
            self._resource_policy or ('same-origin' if settings.private else 'cross-origin'),
            grant.disposition,
            grant.filename,
        )

    def _age(self, settings: StorageSettings, grant: Grant) -> int:
        """Seconds. What the application allowed for one request, it is asked about at the next."""
        is_asked = settings.private and grant.expires_at is None
        return 0 if is_asked else self._at_most(self._cache_max_age, grant)

    def _at_most(self, seconds: int, grant: Grant) -> int:
        """No copy, and no other URL, is of use for longer than the URL that led to it."""
        return seconds if grant.expires_at is None else max(1, min(seconds, grant.expires_at - int(time.time())))


def _when_said(said: Any, answer: Callable[[Any], Answer], file: Any = None) -> Answer:
    return Undecided(said, answer, file) if is_promise(said) else answer(said)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
