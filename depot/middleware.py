"""Serving stored files beside a WSGI application: the names that applications import."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Any

from .manager import DepotManager
from .serving.delivery import said
from .serving.handoff import Option as HandOffOption
from .serving.permission import Authorize, Fingerprint, Permission
from .serving.resolver import path_below
from .serving.response import plain
from .serving.server import FileServer
from .serving.urls import Urls
from .serving.wsgi import Environ, FileServeApp, StartResponse, _FileIter, request_of, request_path, send
from .signing import Keys

__all__ = ['DepotManager', 'DepotMiddleware', 'FileServeApp', '_FileIter']


class DepotMiddleware:
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
        authorize: Authorize | None = None,
        fingerprint: Fingerprint | None = None,
        inline: Collection[str] | None = None,
        resource_policy: str | None = None,
        hand_off: HandOffOption | None = None,
    ) -> None:
        self.urls = Urls(mountpoint, secret_key, url_expires, base_url, authorize is not None)
        permission = Permission(self.urls.links, authorize, fingerprint)
        self._server = FileServer(
            permission, int(cache_max_age), int(float(url_expires)), inline, resource_policy, hand_off
        )
        self.app = app
        self.mountpoint = mountpoint
        self.cache_max_age = cache_max_age
        self.replace_wsgi_filewrapper = replace_wsgi_filewrapper

    def url_for(self, path: str, **options: Any) -> str:
        """The URL of the stored file at ``storage/id``; for the options see :meth:`depot.serving.urls.Urls.url_for`."""
        return self.urls.url_for(path, **options)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = path_below(self.mountpoint, request_path(environ))
        if path is None or environ['REQUEST_METHOD'] not in ('GET', 'HEAD'):
            return self._pass_on(environ, start_response)
        if self.replace_wsgi_filewrapper:
            environ['wsgi.file_wrapper'] = _FileIter
        delivery = self._server.answer(path, environ.get('QUERY_STRING', ''), request_of(environ), environ)
        return send(delivery, environ, start_response)

    def _pass_on(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.app is None:
            return send(said(plain(HTTPStatus.NOT_FOUND), environ['REQUEST_METHOD']), environ, start_response)
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer
