"""Puts the page on a port of this machine."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Any, NamedTuple

import waitress  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from ...errors import DepotError
from .app import make_app

#: What to try instead, by what the operating system said.
_ADVICE = {
    errno.EADDRINUSE: 'it is taken; choose another by --port, or any free one by --port 0',
    errno.EACCES: 'it is not allowed; choose one above 1023 by --port',
}

# A browser asks for six images at a time, and others have the page open too.
_THREADS = 16


class CannotServe(DepotError):
    """The port or the folder cannot be used; the message says what would work."""


class Server(NamedTuple):
    """A page that waits to be served."""

    #: Where it is.
    url: str
    #: What serves it, by its method ``run``.
    wsgi: Any


def make_server(host: str, port: int, folder: Path) -> Server:
    """The demo page over ``folder``, listening; port 0 is any free one.

    Raises :class:`CannotServe`.
    """
    listener = _listener(host, port)
    try:
        app = make_app(folder)
    except (OSError, SQLAlchemyError) as error:
        listener.close()
        raise CannotServe(f'cannot store in {folder.absolute()}: {error}; choose another folder by --folder') from error
    server = waitress.create_server(app, sockets=[listener], threads=_THREADS)
    return Server(_url(host, server.effective_port), server)


def _listener(host: str, port: int) -> socket.socket:
    # Opened here, not by waitress: for a name with several addresses, it would open several ports.
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ':' in host else socket.AF_INET)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror)
        raise CannotServe(f'cannot listen at port {port} of {host}: {advice}') from error


def _url(host: str, port: int) -> str:
    return f'http://[{host}]:{port}/' if ':' in host else f'http://{host}:{port}/'
