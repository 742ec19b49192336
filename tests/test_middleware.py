"""The middleware: what it answers, and what it leaves to the application."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from types import SimpleNamespace
from urllib.parse import unquote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from waitress import wasyncore
from waitress.server import create_server

import depot.middleware
from depot import manager
from depot.errors import InvalidMountpoint, StorageFailure
from depot.io.memory import MemoryStoredFile
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware, FileServeApp, _FileIter
from depot.serving import wsgi

from .serving.client import ask

LARGE = os.urandom(3_000_000)


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """All stored files that are made; at the end of a test, each must be closed."""
    files = []
    describe = MemoryStoredFile._describe

    def note(self, metadata):
        files.append(self)
        describe(self, metadata)

    monkeypatch.setattr(MemoryStoredFile, '_describe', note)
    yield files
    assert all(file.closed for file in files)


@pytest.fixture
def storage():
    DepotManager._clear()
    yield DepotManager.configure('files', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    DepotManager._clear()


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [b'the application']


# Names


def test_the_names_that_applications_import_are_there():
    assert depot.middleware.DepotManager is manager.DepotManager
    assert FileServeApp is wsgi.FileServeApp
    assert _FileIter is wsgi._FileIter


def test_the_options_are_attributes():
    middleware = DepotMiddleware(application)
    assert middleware.app is application
    assert middleware.mountpoint == '/depot'
    assert middleware.cache_max_age == 604800
    assert middleware.replace_wsgi_filewrapper is False


@pytest.mark.parametrize('mountpoint', ['depot', '', 'http://a/depot'])
def test_a_mountpoint_starts_with_a_slash(mountpoint):
    with pytest.raises(ValueError, match='does not start with a slash') as caught:
        DepotMiddleware(application, mountpoint)
    assert caught.type is InvalidMountpoint


@pytest.mark.parametrize(
    ('mountpoint', 'url'),
    [('/depot', '/depot/a/b'), ('/depot/', '/depot/a/b'), ('/', '/a/b'), ('/a/files', '/a/files/a/b')],
)
def test_a_url_is_below_the_mountpoint(mountpoint, url):
    assert DepotMiddleware(None, mountpoint).url_for('a/b') == url


# What is answered


@pytest.mark.parametrize('mountpoint', ['/depot', '/depot/', '/', '/a/files', '/dépôt'])
def test_the_url_of_a_file_leads_to_it(storage, mountpoint):
    middleware = DepotManager.make_middleware(application, mountpoint=mountpoint)
    path = f'files/{storage.create(b"content", "a.txt")}'
    status, headers, body = ask(middleware, unquote(DepotManager.url_for(path)))
    assert (status, body) == (200, b'content')
    assert headers['Content-Type'] == 'text/plain'
    assert headers['Cache-Control'] == 'max-age=604800, public'


def test_a_storage_may_have_any_name(storage):
    DepotManager._depots['фото'] = storage
    assert ask(DepotMiddleware(None), f'/depot/фото/{storage.create(b"content")}')[2] == b'content'


def test_a_head_has_no_content(storage):
    status, headers, body = ask(DepotMiddleware(None), f'/depot/files/{storage.create(b"content")}', 'HEAD')
    assert (status, headers['Content-Length'], body) == (200, '7', b'')


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize(
    'path',
    [
        '',
        '/',
        '/files',
        '/files/',
        '/files/{}/',
        '/files/{}/a.txt',
        '/files//{}',
        '//files/{}',
        '/other/{}',
        '/files/NOT_AN_ID',
        '/files/00000000-0000-4000-8000-000000000000',
        '/files/{}\0',
        '/files/../files/{}',
        '/files%2F{}',
        '/files/\ufffd',
    ],
)
def test_anything_else_below_the_mountpoint_is_not_found(storage, path, method):
    status, headers, body = ask(DepotMiddleware(application), '/depot' + path.format(storage.create(b'')), method)
    assert status == 404
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert body == (b'Not Found\n' if method == 'GET' else b'')


def test_bytes_that_are_no_text_are_not_found(storage):
    path = b'/depot/files/\xc0\xaf\xff'.decode('latin-1')
    assert ask(DepotMiddleware(application), '', PATH_INFO=path)[0] == 404


def test_a_path_that_breaks_the_rules_of_wsgi_is_not_found(storage):
    assert ask(DepotMiddleware(application), '', PATH_INFO='/depot/files/\u20ac')[0] == 404


def test_a_broken_storage_is_not_called_missing(storage, monkeypatch):
    def fail(file_id):
        raise StorageFailure('disk')

    monkeypatch.setattr(storage, 'get', fail)
    with pytest.raises(StorageFailure):
        ask(DepotMiddleware(application), '/depot/files/any')


def test_a_public_file_is_where_its_url_says(storage, monkeypatch):
    monkeypatch.setattr(MemoryStoredFile, 'public_url', 'https://cdn.example/a b\r\nX: y')
    status, headers, _ = ask(DepotMiddleware(application), f'/depot/files/{storage.create(b"content")}')
    assert status == 301
    assert headers['Location'] == 'https://cdn.example/a%20b%0D%0AX:%20y'


def test_a_file_whose_url_expires_is_there_for_this_once(storage, monkeypatch):
    monkeypatch.setattr(MemoryStoredFile, 'public_url', 'https://bucket.example/key?signature=1')
    monkeypatch.setattr(MemoryStoredFile, 'public_url_expires', True)
    status, headers, _ = ask(DepotMiddleware(application), f'/depot/files/{storage.create(b"content")}')
    assert status == 302
    assert headers['Location'] == 'https://bucket.example/key?signature=1'
    assert headers['Cache-Control'] == 'no-store'


def test_a_foreign_file_may_have_no_public_url_at_all(storage):
    blocks = [b'content', b'']
    DepotManager._depots['own'] = SimpleNamespace(get=lambda file_id: SimpleNamespace(read=lambda n: blocks.pop(0)))
    assert ask(DepotMiddleware(None), '/depot/own/1')[2] == b'content'


def test_active_content_is_not_shown(storage):
    path = f'/depot/files/{storage.create(b"<script>alert(1)</script>", "a.html")}'
    headers = ask(DepotMiddleware(None), path)[1]
    assert headers['Content-Disposition'].startswith('attachment')
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert 'sandbox' in headers['Content-Security-Policy']


def test_the_wrapper_of_the_server_can_be_replaced(storage):
    path = f'/depot/files/{storage.create(LARGE)}'
    assert ask(DepotMiddleware(None, replace_wsgi_filewrapper=True), path, **{'wsgi.file_wrapper': None})[2] == LARGE


# What is left to the application


@pytest.mark.parametrize('path', ['', '/', '/depotskipped', '/depotskipped/a', '/Depot/a', '/a/depot/b'])
def test_other_paths_go_to_the_application(path):
    assert ask(DepotMiddleware(application), path)[2] == b'the application'


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
def test_other_methods_go_to_the_application(storage, method):
    path = f'/depot/files/{storage.create(b"content")}'
    assert ask(DepotMiddleware(application), path, method)[2] == b'the application'


@pytest.mark.parametrize(('path', 'method'), [('/other', 'GET'), ('/other', 'HEAD'), ('/depot/files/1', 'POST')])
def test_without_an_application_other_requests_are_not_found(path, method):
    assert ask(DepotMiddleware(None), path, method)[0] == 404


def test_an_environment_without_a_path_goes_to_the_application():
    assert DepotMiddleware(lambda environ, start_response: [b'app'])({'REQUEST_METHOD': 'GET'}, None) == [b'app']


# Over real sockets


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def _wsgiref(app):
    with make_server('127.0.0.1', 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _waitress(app):
    sockets = {}
    server = create_server(app, host='127.0.0.1', port=0, threads=2, map=sockets)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield '127.0.0.1', server.effective_port
    finally:
        # Its own thread closes everything, and then ends; from here, a socket could be left open.
        with suppress(OSError):  # if that thread was awake, it may have done it before it is woken
            server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join()
        server.task_dispatcher.shutdown()


@pytest.fixture(params=[_wsgiref, _waitress])
def address(request, storage):
    with request.param(DepotMiddleware(application)) as address:
        yield address


@pytest.fixture
def connection(address):
    connection = http.client.HTTPConnection(*address, timeout=60)
    with closing(connection):
        yield connection


def test_a_file_comes_over_the_wire_whole(storage, connection):
    connection.request('GET', f'/depot/files/{storage.create(LARGE, "a.bin")}')
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers['Content-Length'] == str(len(LARGE))
    assert response.read() == LARGE


def test_after_a_head_nothing_follows_the_headers(storage, address):
    with socket.create_connection(address, timeout=60) as client:
        path = f'/depot/files/{storage.create(b"content")}'
        client.sendall(f'HEAD {path} HTTP/1.0\r\nHost: a\r\n\r\n'.encode())
        received = b''.join(iter(lambda: client.recv(4096), b''))
    head, _, body = received.partition(b'\r\n\r\n')
    assert b'\r\nContent-Length: 7\r\n' in head + b'\r\n'
    assert body == b''


def test_a_304_has_no_content(storage, connection):
    path = f'/depot/files/{storage.create(b"content")}'
    connection.request('HEAD', path)
    response = connection.getresponse()
    response.read()
    connection.close()
    connection.request('GET', path, headers={'If-None-Match': f'"x", W/{response.headers["ETag"]}'})
    response = connection.getresponse()
    assert (response.status, response.read()) == (304, b'')


@pytest.mark.parametrize('name', ['a\r\nSet-Cookie: a=b', 'a"; filename="b.html', '\u202egpj.exe', '日本語'])
def test_a_hostile_name_adds_no_header(storage, connection, name):
    connection.request('GET', f'/depot/files/{storage.create(b"content", name, "text/plain")}')
    response = connection.getresponse()
    assert response.read() == b'content'
    assert 'Set-Cookie' not in response.headers
    assert response.headers['Content-Disposition'].count('"') == 2


def test_when_the_client_goes_the_file_is_closed(storage, address, opened):
    path = f'/depot/files/{storage.create(LARGE * 8)}'
    opened.clear()
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\n\r\n'.encode())
        assert client.recv(100)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')  # reset, at once
    [file] = set(opened)
    for _ in range(6000):
        if file.closed:
            break
        time.sleep(0.01)
    assert file.closed


# The request as it came, where the server tells


@pytest.mark.parametrize('key', ['RAW_URI', 'REQUEST_URI'])
@pytest.mark.parametrize('target', ['/depot%2ffiles/{}', '/depot/files%2F{}?a=b', '//depot/files/{}'])
def test_an_encoded_slash_is_no_slash(storage, key, target):
    file_id = storage.create(b'content')
    path = f'/depot/files/{file_id}'
    assert ask(DepotMiddleware(application), path, **{key: target.format(file_id)}).body == b'the application'
    assert ask(DepotMiddleware(None, '/'), f'/files/{file_id}', **{key: target.format(file_id)}).status == 404
    for same in path, f'{path}?a=%2F', f'http://a.example{path}':
        assert ask(DepotMiddleware(application), path, **{key: same}).body == b'content'
