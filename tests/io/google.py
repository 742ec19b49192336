"""What answers as Google does where fake-gcs-server does not: tokens, policies, refusals."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

#: Made once: it takes long.
KEY = rsa.generate_private_key(65537, 2048)

ACCOUNT = 'tests@shop.iam.gserviceaccount.com'


class Request(NamedTuple):
    """What was asked."""

    method: str
    #: With its query.
    path: str
    #: By their names in lower case.
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """What is answered."""

    status: int
    body: Any = None


#: Answers a request; None passes it on.
Route = Callable[[Request], 'Answer | None']


def refused(status: int, message: str = 'the reason') -> Answer:
    """An error in the form that the JSON API gives it."""
    return Answer(status, {'error': {'code': status, 'message': message, 'errors': [{'message': message}]}})


def at(method: str, path: str, answer: Answer) -> Route:
    """Answers requests of this method whose path, with the query, has this pattern in it."""
    return lambda request: answer if request.method == method and re.search(path, request.path) else None


TOKEN = at('POST', '^/token$', Answer(200, {'access_token': 'secret', 'expires_in': 3600, 'token_type': 'Bearer'}))


class Google:
    """A server that asks its routes first, and then another server; it remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []

    def asked(self, method: str, path: str) -> list[Request]:
        return [each for each in self.requests if each.method == method and re.search(path, each.path)]

    def account(self, **changes: str) -> dict[str, str]:
        """The key of a service account, whose tokens are to be had here."""
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            'type': 'service_account',
            'project_id': 'shop',
            'private_key_id': '1',
            'private_key': pem,
            'client_email': ACCOUNT,
            'token_uri': f'{self.url}/token',
            **changes,
        }


@contextlib.contextmanager
def google(*routes: Route, behind: str | None = None) -> Iterator[Google]:
    """A server for the time of the block; ``behind`` is the URL of the one that gets what no route answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        wbufsize = -1  # an answer goes out as a whole: its second packet would wait for a word about the first

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
            request = Request(
                self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body
            )
            here.requests.append(request)
            given = next(filter(None, (route(request) for route in routes)), None)
            if given is not None:
                self.send(given.status, 'application/json', json.dumps(given.body).encode())
            elif behind is None:
                self.send(404, 'text/plain', b'Not Found')
            else:
                self.send(*_passed_on(request, behind))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def send(self, status: int, content_type: str, body: bytes, *more: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (('Content-Type', content_type), ('Content-Length', str(len(body))), *more):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        here = Google(f'http://127.0.0.1:{server.server_port}')
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def _passed_on(request: Request, url: str) -> tuple[Any, ...]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    try:
        headers = {name: value for name, value in request.headers.items() if name not in {'host', 'content-length'}}
        connection.request(request.method, request.path, request.body, headers)
        response = connection.getresponse()
        kept = [
            (name, value)
            for name, value in response.getheaders()
            if name.startswith(('X-Goog', 'Range', 'Content-Range'))
        ]
        if location := response.getheader('Location'):  # of a resumable upload
            kept.append(('Location', location.replace(url, f'http://{request.headers["host"]}')))
        return response.status, response.getheader('Content-Type', 'text/plain'), response.read(), *kept
    finally:
        connection.close()
