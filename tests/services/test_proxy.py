"""The proxy passes on what it is given, but for what a test asks for."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from .proxy import AtByte, AtRequest, Fault, Proxy

CONTENT = bytes(range(256)) * 1000


class Server(http.server.ThreadingHTTPServer):
    """Remembers what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.bodies: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections break: that is what they are here for."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server: Server

    def do_GET(self) -> None:
        self._answer(CONTENT)

    def do_HEAD(self) -> None:
        self._answer(b'', len(CONTENT))

    def do_PUT(self) -> None:
        self.server.bodies.append(self._body())
        self._answer(b'done')

    def _body(self) -> bytes:
        if 'Content-Length' in self.headers:
            return self.rfile.read(int(self.headers['Content-Length']))
        body = b''
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header('Content-Length', str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.server_address[1]) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection('127.0.0.1', proxy.port, timeout=60)) as client:
        yield client


def asked(client: http.client.HTTPConnection, method: str = 'GET', body: object = None) -> bytes:
    client.request(method, '/', body)
    with client.getresponse() as response:
        return response.read()


def broken(client: http.client.HTTPConnection, method: str = 'GET', body: object = None) -> type[Exception] | None:
    """The error of a request; the connection is a new one after it."""
    try:
        asked(client, method, body)
    except (http.client.HTTPException, OSError) as error:
        client.close()
        return type(error)
    return None


def test_without_a_fault_all_passes(client: http.client.HTTPConnection, proxy: Proxy, server: Server) -> None:
    traffic = proxy.arm(None)
    assert asked(client) == CONTENT
    assert asked(client, 'HEAD') == b''
    assert asked(client, 'PUT', CONTENT) == b'done'
    assert asked(client, 'PUT', iter([CONTENT[:7], CONTENT[7:]])) == b'done'  # in chunks
    assert server.bodies == [CONTENT, CONTENT]
    assert traffic.requests == 4
    assert traffic.towards['client'] > len(CONTENT)
    assert traffic.towards['server'] > 2 * len(CONTENT)


@pytest.mark.parametrize('position', [0, 1, 100, 100_000])
def test_a_reset_towards_the_server_cuts_the_request_there(
    client: http.client.HTTPConnection, proxy: Proxy, server: Server, position: int
) -> None:
    traffic = proxy.arm(fault := AtByte('server', position))
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        asked(client, 'PUT', CONTENT)
    assert traffic.towards['server'] == position
    assert fault.fired == 1
    client.close()
    assert asked(client, 'PUT', b'again') == b'done'
    assert server.bodies[-1] == b'again'


@pytest.mark.parametrize('position', [0, 1, 100, 100_000, 256_000])
@pytest.mark.parametrize('does', ['reset', 'hang up'])
def test_an_answer_is_cut_there(client: http.client.HTTPConnection, proxy: Proxy, position: int, does: str) -> None:
    traffic = proxy.arm(AtByte('client', position, does))
    with contextlib.suppress(http.client.HTTPException, OSError):
        assert asked(client) != CONTENT  # http.client takes a cut among the headers for the end of them
    client.close()
    assert traffic.towards['client'] == position
    assert asked(client) == CONTENT


def test_a_fault_may_last(client: http.client.HTTPConnection, proxy: Proxy) -> None:
    proxy.arm(AtByte('server', 10, times=None))
    assert all(broken(client) for _ in range(3))
    proxy.arm(None)
    assert asked(client) == CONTENT


def test_a_request_is_refused_and_not_passed_on(
    client: http.client.HTTPConnection, proxy: Proxy, server: Server
) -> None:
    proxy.arm(AtRequest(2, 'refuse'))
    asked(client, 'PUT', b'first')
    client.request('PUT', '/', CONTENT)
    with client.getresponse() as response:
        assert response.status == 503
    asked(client, 'PUT', b'third')
    assert server.bodies == [b'first', b'third']


def test_a_refused_request_need_not_send_its_body(client: http.client.HTTPConnection, proxy: Proxy) -> None:
    proxy.arm(AtRequest(1, 'refuse'))
    client.request('PUT', '/', headers={'Expect': '100-continue', 'Content-Length': '5'})
    with client.getresponse() as response:
        assert response.status == 503


def test_an_answer_is_swallowed_after_the_request_was_done(
    client: http.client.HTTPConnection, proxy: Proxy, server: Server
) -> None:
    traffic = proxy.arm(AtRequest(1, 'swallow'))
    assert broken(client, 'PUT', CONTENT) is ConnectionResetError
    assert server.bodies == [CONTENT]
    assert traffic.towards['client'] == 0


def test_a_delayed_request_is_done_though_nobody_waits_for_it(
    client: http.client.HTTPConnection, proxy: Proxy, server: Server
) -> None:
    client.timeout = 0.05
    proxy.arm(AtRequest(1, 'delay'))
    assert broken(client, 'PUT', b'late') is TimeoutError
    assert server.bodies == []
    proxy.arm(None)
    wait_until(lambda: server.bodies == [b'late'])


def test_held_bytes_do_not_arrive(client: http.client.HTTPConnection, proxy: Proxy, server: Server) -> None:
    client.timeout = 0.05
    proxy.arm(fault := AtByte('server', 1000, 'hold'))
    assert broken(client, 'PUT', CONTENT) is TimeoutError
    assert fault.happened.wait(60)
    assert CONTENT not in server.bodies


def test_a_server_that_is_not_there_resets_the_client(proxy: Proxy, server: Server) -> None:
    with socketserver.TCPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler) as gone:
        port = gone.server_address[1]
    with Proxy(port) as proxy, contextlib.closing(http.client.HTTPConnection('127.0.0.1', proxy.port)) as client:
        assert broken(client)


def test_a_fault_fires_as_often_as_it_may() -> None:
    fault = Fault(times=2)
    assert [fault.fire() for _ in range(3)] == [True, True, False]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_so()
