"""The middleware for ASGI: the same answers as for WSGI, and an event loop that never waits for a storage."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import threading

import pytest

from depot.errors import ConfigurationError, StorageFailure, WrongOption
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.middleware import DepotASGIMiddleware, DepotMiddleware
from depot.serving.body import BLOCK_SIZE
from depot.serving.in_threads import THREADS

from ..cancelling import Cancellation, each_way_to_cancel
from ..ticking import FOREVER, Ticker
from . import client
from .asgi_client import Connection, ask, http_scope

LARGE = bytes(range(256)) * (BLOCK_SIZE // 80)


class Used:
    """A file, or a part of one, as no two may use it at a time; its storage is told whenever something is done."""

    def __init__(self, storage, content):
        self._storage = storage
        self._content = content
        self._turn = threading.Lock()
        self.is_open = True
        storage.used.append(self)

    def __getattr__(self, name):
        return getattr(self._content, name)

    def read(self, n=-1):
        return self._use(self._content.read, n)

    def close(self):
        self._use(self._content.close)
        self.is_open = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _use(self, function, *args):
        assert self._turn.acquire(blocking=False), 'used by two at a time'
        try:
            self._storage.step()
            return function(*args)
        finally:
            self._turn.release()


class UsedWithRanges(Used):
    """One of which parts can be opened."""

    def open_range(self, start, stop):
        return Used(self._storage, self._use(self._content.open_range, start, stop))


class WatchedStorage(MemoryFileStorage):
    """Knows what was opened; ``step`` is called whenever something is read or closed."""

    def __init__(self):
        super().__init__()
        self.used = []
        self.has_ranges = True
        self.step = lambda: None

    def get(self, file_or_id):
        self.step()
        return (UsedWithRanges if self.has_ranges else Used)(self, super().get(file_or_id))


@pytest.fixture(autouse=True)
def storage():
    """Public files; whatever a test does, all that was opened is closed when the middleware has returned."""
    DepotManager._clear()
    DepotManager._depots['files'] = storage = WatchedStorage()
    yield storage
    assert not [each for each in storage.used if each.is_open]
    DepotManager._clear()


@pytest.fixture
def private(storage):
    """Private files."""
    DepotManager.configure('private', {'depot.backend': 'depot.io.memory.MemoryFileStorage', 'depot.private': 'true'})
    return DepotManager.get('private')


async def application(scope, receive, send):
    """Says that it was asked, and with what."""
    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x-path', scope['path'].encode())]})
    await send({'type': 'http.response.body', 'body': b'the application', 'more_body': False})


# The same answers


def wsgi_application(environ, start_response):
    start_response('200 OK', [('x-path', environ['PATH_INFO']), ('Content-Type', 'text/plain')])
    return [b'the application']


def answers(path, method='GET', headers=(), query=b''):
    """What a request gets by WSGI, and what it gets by ASGI."""
    options = {'secret_key': 'a secret'}
    fields = {f'HTTP_{name.upper().replace("-", "_")}': value for name, value in headers}
    by_wsgi = client.ask(
        DepotMiddleware(wsgi_application, **options), path, method, QUERY_STRING=query.decode('latin-1'), **fields
    )
    by_asgi = ask(DepotASGIMiddleware(application, **options), path, method, headers, query_string=query)
    return _comparable(by_wsgi), _comparable(by_asgi)


def _comparable(answer):
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != 'expires'}
    return answer._replace(headers=headers)


@pytest.mark.parametrize(
    'content', [b'', b'content', LARGE, LARGE[:BLOCK_SIZE]], ids=['empty', 'small', 'large', 'full']
)
@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize(
    'headers',
    [
        (),
        [('Range', 'bytes=2-4')],
        [('Range', 'bytes=-3')],
        [('Range', 'bytes=0-1, 3-4, -1')],
        [('Range', f'bytes=1-{BLOCK_SIZE + 10}')],
        [('Range', 'bytes=999999999-')],
        [('Range', 'rubbish')],
        [('If-None-Match', '*')],
        [('If-Match', '"other"')],
        [('If-Modified-Since', 'rubbish')],
        [('If-Modified-Since', 'Fri, 01 Jan 2100 00:00:00 GMT')],
        [('If-Unmodified-Since', 'Sat, 01 Jan 2000 00:00:00 GMT')],
        [('Want-Repr-Digest', 'sha-256=1')],
        [('X-Strange', '\xff')],
    ],
    ids=str,
)
@pytest.mark.parametrize('has_ranges', [True, False], ids=['ranges', 'no ranges'])
def test_a_file_is_answered_as_by_wsgi(storage, content, method, headers, has_ranges):
    storage.has_ranges = has_ranges
    by_wsgi, by_asgi = answers(f'/depot/files/{storage.create(content, "Å.txt")}', method, headers)
    if by_wsgi.status == 206 and 'multipart' in by_wsgi.headers['content-type']:  # whose boundary is its own
        assert by_asgi.status == 206
        assert len(by_asgi.body) == len(by_wsgi.body)
    else:
        assert by_asgi == by_wsgi


@pytest.mark.parametrize(
    'path',
    ['/', '', '/depot', '/depot/', '/depot/files', '/depot/files/', '/depot/files/1', '/depot/none/1', '/depotfiles'],
)
@pytest.mark.parametrize('method', ['GET', 'HEAD', 'POST'])
def test_a_path_without_a_file_is_answered_as_by_wsgi(path, method):
    by_wsgi, by_asgi = answers(path, method)
    assert (by_asgi.status, by_asgi.body) == (by_wsgi.status, by_wsgi.body) or 'x-path' in by_asgi.headers
    assert by_asgi.headers.get('x-path') == by_wsgi.headers.get('x-path')


@pytest.mark.parametrize('query', [b'', b'a=b', b'token=x', b'token=\xff\xfe', b'\xff=\0'])
def test_a_query_is_answered_as_by_wsgi(storage, query):
    by_wsgi, by_asgi = answers(f'/depot/files/{storage.create(b"content")}', query=query)
    assert by_asgi == by_wsgi
    assert by_asgi.status == (404 if b'token' in query else 200)


def test_a_signed_url_opens_a_private_file(private):
    app = DepotASGIMiddleware(None, secret_key='a secret')
    path, _, query = app.url_for(f'private/{private.create(b"content")}').partition('?')
    assert ask(app, path, query_string=query.encode()).body == b'content'
    assert ask(app, path).status == 404


def test_a_header_field_may_come_twice(storage):
    path = f'/depot/files/{storage.create(b"content")}'
    app = DepotASGIMiddleware(None)
    etag = ask(app, path).headers['etag']
    twice = [('If-None-Match', '"other"'), ('If-None-Match', etag)]
    assert ask(app, path, headers=twice).status == 304
    assert ask(app, path, headers=twice[:1]).status == 200


# Paths


@pytest.mark.parametrize(
    ('root', 'path'),
    [
        ('', '/depot/files/{}'),
        ('/app', '/app/depot/files/{}'),
        ('/app', '/depot/files/{}'),  # from servers of old
        ('/app/', '/app/depot/files/{}'),
        ('/depot', '/depot/depot/files/{}'),
        ('/Å', '/Å/depot/files/{}'),
    ],
)
def test_a_path_has_the_root_path_at_its_front_or_not(storage, root, path):
    path = path.format(storage.create(b'content'))
    assert ask(DepotASGIMiddleware(None), path, root_path=root).body == b'content'


@pytest.mark.parametrize('path', ['/app/depot/files/{}', '/appdepot/files/{}', '/other/depot/files/{}'])
def test_what_is_not_at_the_mountpoint_goes_to_the_application(storage, path):
    path = path.format(storage.create(b'content'))
    answer = ask(DepotASGIMiddleware(application), path, root_path='/ap')
    assert answer.headers['x-path'] == path


@pytest.mark.parametrize(
    'raw', [b'/depot/files%2f{}', b'/depot/files%2F{}', b'/depot%2Ffiles/{}', b'/%2fdepot/files/{}']
)
def test_an_encoded_slash_is_no_slash(storage, raw):
    file_id = storage.create(b'content').encode()
    raw = raw.replace(b'{}', file_id)
    path = raw.replace(b'%2f', b'/').replace(b'%2F', b'/').decode()
    answer = ask(DepotASGIMiddleware(None), path, raw_path=raw)
    assert answer.status == 404
    assert ask(DepotASGIMiddleware(None), path.replace('//', '/'), raw_path=None).body == b'content'


def test_a_mountpoint_need_not_be_ascii(storage):
    file_id = storage.create(b'content')
    app = DepotASGIMiddleware(None, '/Dateien/Å')
    assert ask(app, f'/Dateien/Å/files/{file_id}', raw_path=app.url_for(f'files/{file_id}').encode()).body == b'content'


# What is not ours


@pytest.mark.parametrize('kind', ['websocket', 'lifespan', 'other'])
def test_what_is_no_request_goes_to_the_application_untouched(kind):
    asked = []

    async def note(*args):
        asked.append(args)

    args = ({'type': kind, 'path': '/depot/files/1'}, object(), object())
    asyncio.run(DepotASGIMiddleware(note)(*args))
    assert len(asked) == 1
    assert all(one is other for one, other in zip(asked[0], args, strict=True))


def test_without_an_application_the_lifespan_is_lived_and_websockets_are_closed():
    async def main(scope, *events):
        coming, sent = iter(events), []

        async def receive():
            return {'type': next(coming)}

        async def send(message):
            sent.append(message['type'])

        await DepotASGIMiddleware(None)(scope, receive, send)
        return sent

    events = ['lifespan.startup', 'lifespan.shutdown']
    assert asyncio.run(main({'type': 'lifespan'}, *events)) == [f'{each}.complete' for each in events]
    assert asyncio.run(main({'type': 'websocket', 'path': '/'}, 'websocket.connect')) == ['websocket.close']


def test_the_manager_makes_and_registers_one(storage):
    app = DepotManager.make_asgi_middleware(application, mountpoint='/files')
    assert isinstance(app, DepotASGIMiddleware)
    assert app.app is application
    assert DepotManager.url_for('files/1') == '/files/files/1'
    with pytest.raises(ConfigurationError, match='registered already'):
        DepotManager.make_asgi_middleware(application)


def test_an_option_that_it_does_not_have_is_an_error():
    with pytest.raises(WrongOption, match='replace_wsgi_filewrapper'):
        DepotManager.make_asgi_middleware(None, replace_wsgi_filewrapper=True)


# Messages


def messages(app, scope, on_send=None):
    async def main():
        connection = Connection(scope, on_send)
        await connection.call(app)
        return connection.sent

    return asyncio.run(main())


@pytest.mark.parametrize(
    ('size', 'blocks'), [(0, 1), (1, 1), (BLOCK_SIZE, 1), (BLOCK_SIZE + 1, 2), (BLOCK_SIZE * 3, 3)]
)
def test_the_last_block_says_that_it_is_the_last(storage, size, blocks):
    sent = messages(DepotASGIMiddleware(None), http_scope(f'/depot/files/{storage.create(bytes(size))}'))
    assert len(sent) == 1 + blocks
    assert [each['more_body'] for each in sent[1:]] == [True] * (blocks - 1) + [False]


def test_a_file_of_unknown_length_ends_with_an_empty_block(storage):
    storage.has_ranges = False
    file_id = storage.create(LARGE)
    get = storage.get

    def get_without_length(file_id):
        file = get(file_id)
        file.content_length = None
        return file

    storage.get = get_without_length
    sent = messages(DepotASGIMiddleware(None), http_scope(f'/depot/files/{file_id}'))
    assert b''.join(each['body'] for each in sent[1:]) == LARGE
    assert sent[-1]['body'] == b''
    assert 'content-length' not in dict(sent[0]['headers'])


def test_one_block_is_read_at_a_time(storage):
    """Of a file that a slow client gets there is never more than one block in memory."""
    reads = []

    async def on_send(message):
        for _ in range(20):
            await asyncio.sleep(0)
        sizes.append(len(reads))

    sizes = []
    storage.step = lambda: reads.append(None)
    app = DepotASGIMiddleware(None)
    sent = messages(app, http_scope(f'/depot/files/{storage.create(bytes(BLOCK_SIZE * 5))}'), on_send)
    assert len(sent) == 6
    assert sizes[1:5] == list(range(sizes[1], sizes[1] + 4))


# By path


def by_path(tmp_path, size, **options):
    storage = DepotManager._depots['local'] = LocalFileStorage(tmp_path)
    file_id = storage.create(bytes(size))
    scope = http_scope(f'/depot/local/{file_id}', **options)
    scope.setdefault('extensions', {'http.response.pathsend': {}})
    return storage.get(file_id).local_path, scope


def test_a_server_that_can_is_told_the_path_of_a_large_file(tmp_path):
    path, scope = by_path(tmp_path, BLOCK_SIZE + 1)
    start, message = messages(DepotASGIMiddleware(None, pathsend=True), scope)
    assert message == {'type': 'http.response.pathsend', 'path': path}
    assert dict(start['headers'])[b'content-length'] == str(BLOCK_SIZE + 1).encode()


@pytest.mark.parametrize(
    ('pathsend', 'size', 'changes'),
    [
        (False, BLOCK_SIZE + 1, {}),
        (True, BLOCK_SIZE, {}),
        (True, BLOCK_SIZE + 1, {'extensions': {}}),
        (True, BLOCK_SIZE + 1, {'extensions': None}),
        (True, BLOCK_SIZE + 1, {'method': 'HEAD'}),
        (True, BLOCK_SIZE * 3, {'headers': [('Range', f'bytes=0-{BLOCK_SIZE * 2}')]}),
    ],
)
def test_all_else_is_not_sent_by_path(tmp_path, pathsend, size, changes):
    _, scope = by_path(tmp_path, size, **changes)
    sent = messages(DepotASGIMiddleware(None, pathsend=pathsend), scope)
    assert {each['type'] for each in sent[1:]} == {'http.response.body'}


def test_a_file_in_memory_is_not_sent_by_path(storage):
    scope = http_scope(f'/depot/files/{storage.create(LARGE)}', extensions={'http.response.pathsend': {}})
    sent = messages(DepotASGIMiddleware(None, pathsend=True), scope)
    assert b''.join(each['body'] for each in sent[1:]) == LARGE


# The event loop


REQUESTS = {
    'whole': (),
    'a part': [('Range', 'bytes=5-200000')],
    'parts': [('Range', f'bytes=5-{BLOCK_SIZE * 2}, 7-9, 1-1')],
    'nothing': [('If-None-Match', '*')],
}


@pytest.mark.parametrize('has_ranges', [True, False], ids=['ranges', 'no ranges'])
@pytest.mark.parametrize('headers', REQUESTS.values(), ids=REQUESTS)
def test_the_loop_goes_on(storage, headers, has_ranges):
    file_id = storage.create(LARGE)
    storage.has_ranges = has_ranges

    async def main():
        ticker = Ticker()
        storage.step = ticker.step
        async with ticker.ticking():
            await Connection(http_scope(f'/depot/files/{file_id}', headers=headers)).call(DepotASGIMiddleware(None))
        return ticker

    ticker = asyncio.run(main())
    assert ticker.blocked == []
    assert ticker.steps > 1


def test_more_requests_than_threads_are_all_answered(storage):
    path = f'/depot/files/{storage.create(LARGE)}'

    async def main():
        connections = [Connection(http_scope(path)) for _ in range(THREADS * 3)]
        await asyncio.gather(*(each.call(DepotASGIMiddleware(None)) for each in connections))
        return {each.answer.body for each in connections}

    assert asyncio.run(main()) == {LARGE}


def test_slow_clients_hold_no_threads(storage):
    path = f'/depot/files/{storage.create(LARGE)}'

    async def main():
        may_go_on = asyncio.Event()

        async def on_send(message):
            await may_go_on.wait()

        app = DepotASGIMiddleware(None)
        slow = [Connection(http_scope(path), on_send) for _ in range(THREADS * 2)]
        tasks = [asyncio.ensure_future(each.call(app)) for each in slow]
        await asyncio.wait_for(Connection(http_scope(path)).call(app), FOREVER)
        may_go_on.set()
        await asyncio.gather(*tasks)
        return {each.answer.body for each in slow}

    assert asyncio.run(main()) == {LARGE}


# Who may see it


def test_authorize_may_be_a_function_of_any_kind(private):
    path = f'/depot/private/{private.create(b"content")}'
    asked = []

    async def asynchronous(scope, file):
        await asyncio.sleep(0)
        asked.append((scope['path'], threading.get_ident()))
        return scope['method'] == 'GET'

    class Callable:
        async def __call__(self, scope, file):
            return await asynchronous(scope, file)

    def plain(scope, file):
        asked.append((scope['path'], threading.get_ident()))
        return scope['method'] == 'GET'

    for each in (asynchronous, Callable(), lambda *args: asynchronous(*args), plain):
        app = DepotASGIMiddleware(None, authorize=each)
        assert ask(app, path).body == b'content'
        assert ask(app, path, 'HEAD').status == 404
    assert {path for path, _ in asked} == {path}
    is_on_loop = [thread == threading.get_ident() for _, thread in asked]
    assert is_on_loop == [True] * 6 + [False] * 2


@pytest.mark.parametrize('is_async', [True, False])
def test_a_fingerprint_may_be_asked_for_asynchronously(private, is_async):
    def fingerprint(scope):
        return dict(scope['headers']).get(b'cookie', b'').decode()

    async def asynchronous(scope):
        return fingerprint(scope)

    app = DepotASGIMiddleware(None, secret_key='a secret', fingerprint=asynchronous if is_async else fingerprint)
    url = app.url_for(f'private/{private.create(b"content")}', fingerprint='mine')
    path, _, query = url.partition('?')
    assert ask(app, path, headers=[('Cookie', 'mine')], query_string=query.encode()).status == 200
    assert ask(app, path, headers=[('Cookie', 'yours')], query_string=query.encode()).status == 404


@pytest.mark.parametrize('is_async', [True, False])
def test_functions_of_the_application_see_the_context_of_the_request(private, is_async):
    user = contextvars.ContextVar('user')

    def plain(scope, file):
        return user.get() == 'me'

    async def asynchronous(scope, file):
        return plain(scope, file)

    async def main():
        user.set('me')
        connection = Connection(http_scope(f'/depot/private/{private.create(b"content")}'))
        await connection.call(DepotASGIMiddleware(None, authorize=asynchronous if is_async else plain))
        return connection.answer.status

    assert asyncio.run(main()) == 200


def test_requests_that_wait_for_the_application_hold_no_threads(storage, private):
    public = f'/depot/files/{storage.create(LARGE)}'
    path = f'/depot/private/{private.create(LARGE)}'

    async def main():
        may_answer = asyncio.Event()

        async def authorize(scope, file):
            await may_answer.wait()
            return True

        app = DepotASGIMiddleware(None, authorize=authorize)
        waiting = [Connection(http_scope(path)) for _ in range(THREADS * 2)]
        tasks = [asyncio.ensure_future(each.call(app)) for each in waiting]
        await asyncio.wait_for(Connection(http_scope(public)).call(app), FOREVER)
        assert not any(each.sent for each in waiting)
        may_answer.set()
        await asyncio.gather(*tasks)
        return {each.answer.body for each in waiting}

    assert asyncio.run(main()) == {LARGE}


@pytest.mark.parametrize('option', ['authorize', 'fingerprint'])
def test_the_task_of_a_request_asks_the_application(private, option):
    asked = []

    async def function(scope, *file):
        asked.append(asyncio.current_task())
        return 'mine'

    async def main():
        app = DepotASGIMiddleware(None, secret_key='a secret', **{option: function})
        path = f'private/{private.create(b"content")}'
        _, _, query = app.url_for(path, fingerprint='mine').partition('?')
        connection = Connection(http_scope(f'/depot/{path}', query_string=query.encode()))
        await connection.call(app if option == 'fingerprint' else DepotASGIMiddleware(None, authorize=function))
        assert asked == [asyncio.current_task()]
        return connection.answer.status

    assert asyncio.run(main()) == 200


def test_a_request_that_is_cancelled_asks_no_longer_and_closes_the_file(private):
    path = f'/depot/private/{private.create(b"content")}'
    files, ended = [], []

    async def main():
        asked = asyncio.Event()

        async def authorize(scope, file):
            files.append(file)
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(True)
                raise

        connection = Connection(http_scope(path))
        task = asyncio.ensure_future(connection.call(DepotASGIMiddleware(None, authorize=authorize)))
        await asyncio.wait_for(asked.wait(), FOREVER)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.sent

    asyncio.run(main())
    assert ended == [True]
    assert [each.closed for each in files] == [True]


@pytest.mark.parametrize('is_async', [True, False])
def test_an_error_of_authorize_is_raised(private, is_async):
    def plain(scope, file):
        raise LookupError

    async def asynchronous(scope, file):
        raise LookupError

    app = DepotASGIMiddleware(None, authorize=asynchronous if is_async else plain)
    with pytest.raises(LookupError):
        ask(app, f'/depot/private/{private.create(b"content")}')


# What goes wrong


@pytest.mark.parametrize('error', [StorageFailure, StopIteration, KeyError, MemoryError])
@pytest.mark.parametrize('nth', range(1, 8))
@pytest.mark.parametrize('has_ranges', [True, False], ids=['ranges', 'no ranges'])
def test_an_error_of_the_storage_is_raised_and_never_looks_like_an_end(storage, error, nth, has_ranges):
    storage.has_ranges = has_ranges
    path = f'/depot/files/{storage.create(LARGE)}'
    steps = itertools.count(1)

    def step():
        if next(steps) == nth:
            raise error('broken')

    async def main():
        connection = Connection(http_scope(path))
        with contextlib.suppress(error, RuntimeError):
            await connection.call(DepotASGIMiddleware(None))
            return None
        return connection

    storage.step = step
    connection = asyncio.run(main())
    for each in storage.used:
        each.is_open = False  # what failed to be closed, too
    assert connection is None or not connection.is_complete


@pytest.mark.parametrize('change', [-1, 1])
def test_a_file_whose_length_is_not_as_it_said(storage, change):
    """One that is too short ends without an end; of one that is too long goes as much as was said."""
    storage.has_ranges = False
    path = f'/depot/files/{storage.create(LARGE)}'
    get = storage.get

    def get_with_another_length(file_id):
        file = get(file_id)
        file.content_length = len(LARGE) - change
        return file

    storage.get = get_with_another_length
    if change < 0:
        with pytest.raises(StorageFailure, match='before its end'):
            ask(DepotASGIMiddleware(None), path)
    else:
        assert ask(DepotASGIMiddleware(None), path).body == LARGE[:-1]


# Clients that go


@pytest.mark.parametrize('goes_at', range(5))
@pytest.mark.parametrize('how', ['says so', 'send raises'])
def test_nothing_more_is_read_for_a_client_that_has_gone(storage, goes_at, how):
    path = f'/depot/files/{storage.create(bytes(BLOCK_SIZE * 100))}'
    threads = []
    storage.step = lambda: threads.append(threading.get_ident())

    async def main():
        async def on_send(message):
            if len(connection.sent) == goes_at:
                if how == 'send raises':
                    raise ConnectionResetError
                connection.gone.set()

        connection = Connection(http_scope(path), on_send)
        await connection.call(DepotASGIMiddleware(None))
        assert len(asyncio.all_tasks()) == 1
        return connection

    connection = asyncio.run(main())
    assert not connection.is_complete
    assert len(threads) < 20
    assert threading.get_ident() not in threads  # nor is the file closed on the loop's thread


def test_a_body_of_the_request_is_passed_over(storage):
    class Talkative(Connection):
        async def receive(self):
            await asyncio.sleep(0)
            if len(self.sent) < 3:
                return {'type': 'http.request', 'body': b'more', 'more_body': True}
            return await super().receive()

    async def main():
        connection = Talkative(http_scope(f'/depot/files/{storage.create(LARGE)}'))
        await connection.call(DepotASGIMiddleware(None))
        return connection.answer

    assert asyncio.run(main()).body == LARGE


def test_an_error_of_the_server_is_raised(storage):
    async def on_send(message):
        if message['type'] == 'http.response.body':
            raise LookupError

    with pytest.raises(LookupError):
        messages(DepotASGIMiddleware(None), http_scope(f'/depot/files/{storage.create(LARGE)}'), on_send)


# Cancellation


async def cancelled_at(nth, cancel, connection, app):
    """Calls the application, cancelled at its ``nth`` await; whether it came to that."""
    cancellation = Cancellation(nth, cancel)

    async def call():
        await cancellation.during(connection.call(app))

    task = asyncio.ensure_future(call())
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled() and task.exception():
        raise task.exception()
    return cancellation.has_come


@each_way_to_cancel
@pytest.mark.parametrize('has_ranges', [True, False], ids=['ranges', 'no ranges'])
def test_a_cancellation_at_any_await_leaves_no_file_open(storage, cancel, has_ranges):
    storage.has_ranges = has_ranges
    path = f'/depot/files/{storage.create(LARGE)}'

    async def on_send(message):
        await asyncio.sleep(0)

    async def main():
        for nth in itertools.count(1):
            connection = Connection(http_scope(path), on_send)
            has_come = await cancelled_at(nth, cancel, connection, DepotASGIMiddleware(None))
            assert not [each for each in storage.used if each.is_open]
            if not has_come:
                return nth, connection

    storage.step = lambda: threading.Event().wait(0.001)  # so that threads are at work when it comes
    nth, connection = asyncio.run(main())
    assert nth > 8
    assert connection.answer.body == LARGE


@each_way_to_cancel
def test_a_cancellation_while_the_application_is_asked_leaves_no_file_open(storage, private, cancel):
    path = f'/depot/private/{storage.create(LARGE)}'

    async def authorize(scope, file):
        await asyncio.sleep(0)
        return True

    async def main():
        for nth in itertools.count(1):
            connection = Connection(http_scope(path))
            has_come = await cancelled_at(nth, cancel, connection, DepotASGIMiddleware(None, authorize=authorize))
            assert not [each for each in storage.used if each.is_open]
            if not has_come:
                return connection

    storage.step = lambda: threading.Event().wait(0.001)  # so that threads are at work when it comes
    with DepotManager.override(storage, 'private'):
        assert asyncio.run(main()).answer.body == LARGE


@each_way_to_cancel
def test_a_cancellation_waits_for_what_the_storage_does(storage, cancel):
    """Whatever a thread was doing when it came is done when the middleware returns."""
    path = f'/depot/files/{storage.create(LARGE)}'
    at_work = []

    def step():
        at_work.append(None)
        threading.Event().wait(0.005)
        at_work.pop()

    async def main():
        for nth in itertools.count(1):
            storage.step = step
            has_come = await cancelled_at(nth, cancel, Connection(http_scope(path)), DepotASGIMiddleware(None))
            assert at_work == []
            if not has_come:
                return

    asyncio.run(main())


def test_a_timeout_during_a_slow_reading_is_a_timeout(storage):
    path = f'/depot/files/{storage.create(LARGE)}'
    storage.step = lambda: threading.Event().wait(0.02)

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(Connection(http_scope(path)).call(DepotASGIMiddleware(None)), 0.01)

    asyncio.run(main())


def test_a_request_that_is_cancelled_while_all_threads_are_busy_is_never_begun(storage):
    path = f'/depot/files/{storage.create(LARGE)}'
    may_go_on = threading.Event()
    begun = []

    def step():
        begun.append(None)
        assert may_go_on.wait(FOREVER)

    async def main():
        app = DepotASGIMiddleware(None)
        storage.step = step
        busy = [asyncio.ensure_future(Connection(http_scope(path)).call(app)) for _ in range(THREADS)]
        while len(begun) < THREADS:
            await asyncio.sleep(0.001)
        late = asyncio.ensure_future(Connection(http_scope(path)).call(app))
        await asyncio.sleep(0.01)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        assert len(begun) == THREADS
        may_go_on.set()
        await asyncio.gather(*busy)

    asyncio.run(main())


# Applications around it that give it a receive of their own


class Around(Connection):
    """A connection whose ``receive`` is somebody else's."""

    def __init__(self, scope, receive):
        super().__init__(scope)
        self.receive = receive


async def the_same_body_again():
    """Never waits, and knows of no end."""
    return {'type': 'http.request', 'body': b'', 'more_body': False}


async def a_body_without_an_end():
    return {'type': 'http.request', 'body': b'', 'more_body': True}


async def an_error():
    raise RuntimeError('a bug of the application around')


@pytest.mark.parametrize('receive', [the_same_body_again, a_body_without_an_end, an_error])
def test_a_file_is_sent_whole_whatever_receive_says_but_that_the_client_has_gone(storage, receive):
    content = LARGE * 5
    connection = Around(http_scope(f'/depot/files/{storage.create(content)}'), receive)
    asyncio.run(asyncio.wait_for(connection.call(DepotASGIMiddleware(None)), FOREVER))
    assert b''.join(each.get('body', b'') for each in connection.sent) == content
    assert not connection.sent[-1]['more_body']


async def an_async_generator(*_):
    yield False


async def a_promise_of_a_promise(*_):
    return the_same_body_again()


@pytest.mark.parametrize('authorize', [an_async_generator, a_promise_of_a_promise])
def test_a_promise_to_answer_is_not_a_yes(private, authorize):
    app = DepotASGIMiddleware(None, authorize=authorize)
    with pytest.raises(ConfigurationError, match='says neither yes nor no'):
        asyncio.run(Connection(http_scope(f'/depot/private/{private.create(b"content")}')).call(app))
