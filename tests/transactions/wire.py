"""A wire between a client and a server, which is cut when COMMIT comes by."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any


class Wire:
    """Carries all bytes between its own loopback port and a server, until it is told to be cut."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listening = socket.create_server(('127.0.0.1', 0))
        self.port: int = self._listening.getsockname()[1]
        #: Where the next COMMIT meets the cut: ``'before'`` the server, or ``'after'`` it, so that the answer is lost.
        self.cut: str | None = None
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        _hang_up(self._listening, *self._sockets)
        for thread in self._threads:
            thread.join()
        for each in (self._listening, *self._sockets):
            each.close()

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the end of listening
            while True:
                client, _address = self._listening.accept()
                server = socket.create_connection(self._server)
                self._sockets += client, server
                self._start(self._ask, client, server)
                self._start(self._answer, server, client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(client):
            self._is_cut = self.cut is not None and b'COMMIT' in data
            if self._is_cut and self.cut == 'before':
                break
            server.sendall(data)
            if self._is_cut:
                return
        _hang_up(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        while (data := _received(server)) and not self._is_cut:
            client.sendall(data)
        _hang_up(client, server)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65_536)
    except OSError:
        return b''


def _hang_up(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
