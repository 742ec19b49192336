"""A proxy before a real server, on which a test lets things go wrong."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .messages import Http, Mongo

Direction = Literal['server', 'client']

#: Closing sends RST and forgets what is not sent yet: on, zero seconds.
_NO_LINGER = struct.pack('ii', 1, 0)

_BLOCK = 65_536


@dataclass
class Fault:
    """Something that goes wrong at a position; both count from when the fault is armed."""

    #: How often, and from then on no more; None for ever.
    times: int | None = field(default=1, kw_only=True)
    #: How often it has happened.
    fired: int = field(default=0, init=False)
    #: Set when it has happened.
    happened: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    #: Set when the connection or the request that it happened to has come to its end.
    over: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    #: Set when it is armed no more.
    lifted: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def fire(self) -> bool:
        """Whether it happens once more."""
        if self.times is not None and self.fired >= self.times:
            return False
        self.fired += 1
        self.happened.set()
        return True


@dataclass
class AtByte(Fault):
    """When so many bytes have passed towards one side, on all connections together.

    ``'reset'`` sends RST to both sides, ``'hang up'`` ends the connection in good order, in the middle of whatever it
    is; ``'hold'`` passes no more bytes on, and keeps the connection until one side hangs up.
    """

    towards: Direction
    position: int
    does: Literal['reset', 'hang up', 'hold'] = 'reset'


@dataclass
class AtRequest(Fault):
    """At the request of this number, and those after it as long as ``times`` allows.

    ``'refuse'`` answers 503 without passing it on (or resets, where the protocol has no such answer); ``'swallow'``
    lets the server do it and answer, and resets instead of passing the answer on; ``'delay'`` passes it on when the
    fault is lifted, even if nobody waits for it any more.
    """

    nth: int
    does: Literal['refuse', 'swallow', 'delay']


@dataclass
class Traffic:
    """What has passed since the last fault was armed."""

    requests: int = 0
    #: Bytes.
    towards: dict[Direction, int] = field(default_factory=lambda: {'server': 0, 'client': 0})
    #: So many of them to the end of the last message's head.
    head_end: dict[Direction, int] = field(default_factory=lambda: {'server': 0, 'client': 0})


class Proxy:
    """Carries bytes between a loopback port of its own and a server; a context manager."""

    def __init__(self, server_port: int, protocol: Callable[[], Http | Mongo] = Http) -> None:
        self._protocol = protocol
        self._server = ('127.0.0.1', server_port)
        self._listening = socket.create_server(('127.0.0.1', 0))
        self.port: int = self._listening.getsockname()[1]
        self.traffic = Traffic()
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self._ends, self._end = socket.socketpair()  # whose closing wakes all threads
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *error: object) -> None:
        self._end.close()
        self.arm(None)
        for each in self._threads:
            each.join()
        self._ends.close()
        self._listening.close()

    def arm(self, fault: Fault | None) -> Traffic:
        """Lets this go wrong from now on, and what was armed before no more; counts anew, in what it returns."""
        with self._lock:
            if self._fault is not None:
                self._fault.lifted.set()
            self._fault, self.traffic = fault, Traffic()
            return self.traffic

    def wait(self, *sources: socket.socket) -> list[socket.socket]:
        """Those that have bytes; none when the proxy ends."""
        ready = select.select([self._ends, *sources], [], [])[0]
        return [] if self._ends in ready else ready

    def request(self) -> AtRequest | None:
        """Counts a request; tells what goes wrong with it."""
        with self._lock:
            self.traffic.requests += 1
            fault = self._fault
            due = isinstance(fault, AtRequest) and self.traffic.requests >= fault.nth and fault.fire()
            return fault if due and isinstance(fault, AtRequest) else None

    def passing(self, towards: Direction, size: int, head: int) -> tuple[int, AtByte | None]:
        """Counts bytes, so many of them to the end of a head; tells how many may pass, and what goes wrong then."""
        with self._lock:
            passed, fault = self.traffic.towards[towards], self._fault
            if head > 0:
                self.traffic.head_end[towards] = passed + head
            due = isinstance(fault, AtByte) and fault.towards == towards and passed + size > fault.position
            if due and isinstance(fault, AtByte) and fault.fire():
                size = max(0, fault.position - passed)
            else:
                fault = None
            self.traffic.towards[towards] += size
            return size, fault

    def _start(self, work: Callable[[], None]) -> None:
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def _accept(self) -> None:
        while self.wait(self._listening):
            client, _address = self._listening.accept()
            try:
                server = socket.create_connection(self._server)
            except OSError:
                _reset(client)
            else:
                self._start(_Connection(self, client, server, self._protocol()).run)


class _Ended(Exception):
    """The connection is at its end."""


class _Connection:
    """The two sockets of one connection. One thread serves both, because a socket that another one reads cannot be
    reset."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket, protocol: Http | Mongo) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._protocol = protocol
        self._requests, self._responses = protocol.requests, protocol.responses
        self._counts = False
        self._fault: AtRequest | None = None

    def run(self) -> None:
        with self._client, self._server, contextlib.suppress(_Ended, OSError):
            while ready := self._proxy.wait(self._client, self._server):
                for each in ready:
                    (self._ask if each is self._client else self._answer)(each)
        self._tell_over()

    def _ask(self, client: socket.socket) -> None:
        data = client.recv(_BLOCK)
        if not data:
            self._let_it_finish()
        begun = self._requests.begun
        self._requests.feed(data)
        if self._requests.begun > begun:
            self._begin(data)
        if self._fault is not None and self._fault.does == 'refuse':
            self._refuse()
        else:
            self._pass_on('server', data)

    def _begin(self, data: bytes) -> None:
        self._counts = self._protocol.counts(data)
        self._fault = self._proxy.request() if self._counts else None
        if self._fault is not None and self._fault.does == 'delay':
            self._fault.lifted.wait()

    def _answer(self, server: socket.socket) -> None:
        data = self._received_answer(server)
        if self._fault is not None and self._fault.does == 'swallow':
            if not self._is_busy():
                self._reset()
        else:
            self._pass_on('client', data)
            if not self._is_busy():
                self._tell_over()

    def _tell_over(self) -> None:
        if self._fault is not None:
            self._fault.over.set()

    def _received_answer(self, server: socket.socket) -> bytes:
        data = server.recv(_BLOCK)
        if not data:
            raise _Ended
        self._responses.feed(data)
        return data

    def _is_busy(self) -> bool:
        """Whether the server has a whole request that it has not answered yet."""
        return self._requests.ended > self._responses.ended

    def _let_it_finish(self) -> None:
        """The client has gone: as on a long way, the server learns it after its answer."""
        while self._is_busy() and self._proxy.wait(self._server):
            self._received_answer(self._server)
        raise _Ended

    def _pass_on(self, towards: Direction, data: bytes) -> None:
        server = towards == 'server'
        target, messages = (self._server, self._requests) if server else (self._client, self._responses)
        head = messages.head_end - (messages.fed - len(data))
        size, fault = self._proxy.passing(towards, len(data), head) if self._counts else (len(data), None)
        target.sendall(data[:size])
        if fault is not None:
            {'reset': self._reset, 'hang up': self._hang_up, 'hold': self._hold}[fault.does]()

    def _refuse(self) -> None:
        if self._protocol.refusal is None:
            self._reset()
        elif self._requests.waits or self._requests.begun == self._requests.ended:
            self._client.sendall(self._protocol.refusal)
            self._hang_up()

    def _reset(self) -> None:
        _reset(self._client, self._server)
        raise _Ended

    def _hang_up(self) -> None:
        self._server.close()
        self._client.shutdown(socket.SHUT_WR)
        self._swallow(self._client)  # else what the client still sends would be answered by RST

    def _hold(self) -> None:
        self._swallow(self._client, self._server)

    def _swallow(self, *sources: socket.socket) -> None:
        """Passes nothing on until somebody hangs up."""
        while ready := self._proxy.wait(*sources):
            if not all(each.recv(_BLOCK) for each in ready):
                break
        raise _Ended


def _reset(*sockets: socket.socket) -> None:
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        each.close()
