"""Serving stored files beside a WSGI or ASGI application: the names that applications import."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from typing import Any

from .io.utils import flag
from .manager import DepotManager
from .serving import asgi
from .serving.delivery import said
from .serving.handoff import Option as HandOffOption
from .serving.permission import Authorize, Fingerprint, Permission, check_plain
from .serving.policy import checked_age
from .serving.renditions import WAIT, Renditions
from .serving.resolver import path_below
from .serving.response import plain
from .serving.scope import Receive, Scope, Send
from .serving.scope import request_path as scope_path
from .serving.server import FileServer
from .serving.urls import Urls
from .serving.wsgi import Environ, FileServeApp, StartResponse, _FileIter, request_of, request_path, send, waited
from .signing import Keys

__all__ = ['DepotASGIMiddleware', 'DepotManager', 'DepotMiddleware', 'FileServeApp', '_FileIter']


class _Middleware:
    """What the middlewares for WSGI and ASGI have in common."""

    def __init__(
        self,
        app: Any,
        mountpoint: str = '/depot',
        cache_max_age: int = 604800,
        secret_key: Keys | None = None,
        url_expires: float | str = 3600,
        base_url: str | None = None,
        authorize: Authorize | None = None,
        fingerprint: Fingerprint | None = None,
        inline: Collection[str] | str | None = None,
        resource_policy: str | None = None,
        hand_off: HandOffOption | None = None,
        renditions_at_once: int | str | None = None,
        renditions_wait: float | str = WAIT,
    ) -> None:
        self.urls = Urls(mountpoint, secret_key, url_expires, base_url, authorize is not None)
        permission = Permission(self.urls.links, authorize, fingerprint)
        self._server = FileServer(
            permission,
            Renditions(renditions_at_once, renditions_wait),
            checked_age(cache_max_age),
            max(1, int(float(url_expires))),
            inline,
            resource_policy,
            hand_off,
        )
        self.app = app
        self.mountpoint = mountpoint
        self.cache_max_age = cache_max_age

    def url_for(self, path: str, **options: Any) -> str:
        """The URL of the stored file at ``storage/id``; for the options see :meth:`depot.serving.urls.Urls.url_for`."""
        return self.urls.url_for(path, **options)

    def _path(self, method: str, path: str) -> str | None:
        """The ``storage/id`` that is asked for; None for what is the application's."""
        return path_below(self.mountpoint, path) if method in ('GET', 'HEAD') else None


class DepotMiddleware(_Middleware):
    """Answers GET and HEAD below its mountpoint with stored files; all else is the application's.

    ``cache_max_age`` is in seconds. With ``replace_wsgi_filewrapper`` the
    server's own way of sending files is not used: for servers whose way is
    broken. Without an application (None), all else is not found.

    ``secret_key`` signs URLs: one, or several of which the last one signs and
    each verifies. A signed URL works for ``url_expires`` seconds, unless it is
    asked for with another time. ``base_url`` is where the application is, as
    clients see it: ``https://example.com``, or ``https://example.com/app``.

    With ``hand_off`` the web server in front sends local files by itself:
    ``'X-Sendfile'`` names the path on the disk to it, a mapping of folders to
    internal locations is for nginx: ``{'/data/files': '/protected'}``.

    Renditions are made when they are first asked for, ``renditions_at_once``
    at the same time: by default as many as there are processors. A request
    waits for ``renditions_wait`` seconds; then it is answered 503, with a
    ``Retry-After``.

    Raises :class:`~depot.errors.InvalidMountpoint` unless the mountpoint starts with a slash, and
    :class:`~depot.errors.ConfigurationError` for other options that cannot be used.
    """

    def __init__(
        self,
        app: Any,
        mountpoint: str = '/depot',
        cache_max_age: int = 604800,
        replace_wsgi_filewrapper: bool = False,
        secret_key: Keys | None = None,
        url_expires: float | str = 3600,
        base_url: str | None = None,
        authorize: Callable[[Environ, Any], bool] | None = None,
        fingerprint: Callable[[Environ], str] | None = None,
        inline: Collection[str] | str | None = None,
        resource_policy: str | None = None,
        hand_off: HandOffOption | None = None,
        renditions_at_once: int | str | None = None,
        renditions_wait: float | str = WAIT,
    ) -> None:
        check_plain('authorize', authorize)
        check_plain('fingerprint', fingerprint)
        super().__init__(
            app,
            mountpoint,
            cache_max_age,
            secret_key,
            url_expires,
            base_url,
            authorize,
            fingerprint,
            inline,
            resource_policy,
            hand_off,
            renditions_at_once,
            renditions_wait,
        )
        self.replace_wsgi_filewrapper = _is_on('replace_wsgi_filewrapper', replace_wsgi_filewrapper)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = self._path(environ['REQUEST_METHOD'], request_path(environ))
        if path is None:
            return self._pass_on(environ, start_response)
        if self.replace_wsgi_filewrapper:
            environ['wsgi.file_wrapper'] = _FileIter
        answer = self._server.answer(path, environ.get('QUERY_STRING', ''), request_of(environ), environ)
        return send(waited(answer), environ, start_response)

    def _pass_on(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.app is None:
            return send(said(plain(HTTPStatus.NOT_FOUND), environ['REQUEST_METHOD']), environ, start_response)
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


class DepotASGIMiddleware(_Middleware):
    """Answers as :class:`DepotMiddleware` does, beside an ASGI application; the event loop never waits for a storage.

    ``authorize`` and ``fingerprint`` are called with the scope in place of the environ. They may be ``async``
    functions, which the task of the request awaits; plain ones are called by a thread.

    With ``pathsend`` a server that can (``http.response.pathsend``: granian) sends whole files of more than 64 KiB by
    itself, if they are on a disk of this machine: nearly twice as fast. It opens them a moment after they were
    described to the client. So it is for storages whose files are never replaced: those of fields are not.
    """

    def __init__(
        self,
        app: Any,
        mountpoint: str = '/depot',
        cache_max_age: int = 604800,
        secret_key: Keys | None = None,
        url_expires: float | str = 3600,
        base_url: str | None = None,
        authorize: Authorize | None = None,
        fingerprint: Fingerprint | None = None,
        inline: Collection[str] | None = None,
        resource_policy: str | None = None,
        hand_off: HandOffOption | None = None,
        pathsend: bool = False,
        renditions_at_once: int | str | None = None,
        renditions_wait: float | str = WAIT,
    ) -> None:
        super().__init__(
            app,
            mountpoint,
            cache_max_age,
            secret_key,
            url_expires,
            base_url,
            authorize,
            fingerprint,
            inline,
            resource_policy,
            hand_off,
            renditions_at_once,
            renditions_wait,
        )
        self.pathsend = _is_on('pathsend', pathsend)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path(scope['method'], scope_path(scope)) if scope['type'] == 'http' else None
        if path is None:
            await (self.app or asgi.no_application)(scope, receive, send)
        else:
            await asgi.answer(self._server, path, scope, receive, send, self.pathsend)


def _is_on(option: str, value: Any) -> bool:
    """Whether an option is on: settings files have it as a word, and applications anything."""
    return flag(option, value) if isinstance(value, str) else bool(value)
