"""Renditions over HTTP: made at the first request, once, and served as files are."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from depot import signing
from depot.errors import BackendMissing, ConfigurationError, RenditionBusy, StorageFailure
from depot.fields.upload import UploadedFile
from depot.images import decoding
from depot.images.recipe import Variant
from depot.images.renditions import clear
from depot.images.settings import configure_images
from depot.io.boto3 import S3Storage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage, MemoryStoredFile
from depot.io.utils import FileIntent
from depot.manager import DepotManager
from depot.serving import makers
from depot.serving.links import Grant, Links

from ..images.photos import THUMB, Counted, photo, size_of
from ..images.photos import makings as makings
from ..io.simple import SimpleStorage
from . import asgi_client, client

KEY = 'a key of the tests'
YEAR = 365 * 24 * 60 * 60


class Server:
    """An application, behind one of the two middlewares, and who asks it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.middleware: Any = None

    def starts(self, **options: Any) -> Server:
        DepotManager._middleware = None
        make = DepotManager.make_middleware if self._kind == 'WSGI' else DepotManager.make_asgi_middleware
        self.middleware = make(None, **{'secret_key': KEY, 'renditions_wait': 60, **options})
        return self

    def ask(self, url: str, method: str = 'GET', **headers: str) -> client.Answer:
        parts = urlsplit(url)
        if self._kind == 'WSGI':
            fields = {f'HTTP_{name.upper()}': value for name, value in headers.items()}
            answer = client.ask(self.middleware, parts.path, method, QUERY_STRING=parts.query, **fields)
        else:
            fields_ = [(name.replace('_', '-'), value) for name, value in headers.items()]
            query = parts.query.encode()
            answer = asgi_client.ask(self.middleware, parts.path, method, fields_, query_string=query)
        return answer._replace(headers={name.lower(): value for name, value in answer.headers.items()})


@pytest.fixture(params=['WSGI', 'ASGI'])
def server(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    DepotManager._clear()
    memory = {'depot.backend': 'depot.io.memory.MemoryFileStorage'}
    DepotManager.configure('public', {'depot.storage_path': str(tmp_path / 'files')})
    DepotManager.configure('private', {**memory, 'depot.private': 'true'})
    DepotManager.configure('secret', {**memory, 'depot.private': 'true', 'depot.cache': 'no-store'})
    yield Server(request.param).starts()
    DepotManager._clear()


def uploaded(storage: str = 'public', content: bytes | None = None) -> UploadedFile:
    return UploadedFile(photo() if content is None else content, storage)


def shown(answer: client.Answer) -> tuple[Any, ...]:
    return answer.status, answer.body, {**answer.headers, 'expires': ''}


def missing(server: Server) -> tuple[Any, ...]:
    return shown(server.ask('/depot/public/00000000-0000-4000-8000-000000000000'))


class Gate:
    """Decoding that waits until it is let on."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()
        self.at_once: list[int] = []
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, source: Any, variant: Variant) -> Any:
        with self._lock:
            self._now += 1
            self.at_once.append(self._now)
        self.begun.release()
        assert self.open.wait(60)
        with self._lock:
            self._now -= 1
        return Counted()(source, variant)


@pytest.fixture
def configured() -> Iterator[None]:
    """What is configured is that of a test."""
    yield
    configure_images()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Any:
    gate = Gate()
    monkeypatch.setattr(decoding, 'transformed', gate)
    yield gate
    gate.open.set()


# Served as files are


def test_the_first_request_has_it_made_and_the_others_find_it(server: Server, makings: Counted) -> None:
    url = uploaded().variant(THUMB).url
    answers = [server.ask(url) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 200]
    assert {size_of(each.body) for each in answers} == {(20, 20)}
    assert len({each.headers['etag'] for each in answers}) == 1
    assert len(makings) == 1


@pytest.mark.parametrize('storage', ['public', 'private'])
def test_it_says_what_it_is(server: Server, storage: str) -> None:
    file = UploadedFile(FileIntent(photo(), 'summer.png', 'image/png'), storage)
    for _ in range(2):
        headers = server.ask(file.variant(resize=(10, 10), format='webp').url).headers
        assert headers['content-type'] == 'image/webp'
        assert headers['content-disposition'] == 'inline;filename="summer.webp";filename*=utf-8\'\'summer.webp'


def test_another_rendition_and_the_file_itself_are_others(server: Server) -> None:
    file = uploaded()
    answers = [server.ask(url) for url in (file.url, file.variant(THUMB).url, file.variant(resize=(10, 10)).url)]
    assert [size_of(each.body) for each in answers] == [(40, 30), (20, 20), (10, 8)]
    assert len({each.headers['etag'] for each in answers}) == 3


@pytest.mark.parametrize('made', [False, True])
def test_a_head_is_a_get_without_the_body(server: Server, made: bool) -> None:
    url = uploaded().variant(THUMB).url
    got = server.ask(url) if made else None
    head = server.ask(url, 'HEAD')
    got = got or server.ask(url)
    assert (head.status, head.body) == (200, b'')
    assert {**head.headers, 'expires': ''} == {**got.headers, 'expires': ''}


@pytest.mark.parametrize('made', [False, True])
def test_conditions_are_heard(server: Server, made: bool, makings: Counted) -> None:
    file = uploaded()
    url = file.variant(THUMB).url
    etag = server.ask(url).headers['etag']
    if not made:
        clear(file.path)
    answer = server.ask(url, If_None_Match=etag)
    assert (answer.status, answer.body) == (304, b'')
    assert answer.headers['cache-control'] == f'max-age={YEAR}, public, immutable'
    assert server.ask(url, If_Match='"other"').status == 412
    assert server.ask(url, If_None_Match='"other"').status == 200


@pytest.mark.parametrize('made', [False, True])
def test_parts_can_be_asked_for(server: Server, made: bool) -> None:
    url = uploaded().variant(THUMB).url
    whole = server.ask(url).body if made else None
    answer = server.ask(url, Range='bytes=10-19')
    whole = whole or server.ask(url).body
    assert (answer.status, answer.body) == (206, whole[10:20])
    assert answer.headers['content-range'] == f'bytes 10-19/{len(whole)}'
    assert server.ask(url, Range=f'bytes={len(whole)}-').status == 416


def test_a_file_that_the_backend_serves_has_its_renditions_from_us(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalFileStorage, 'get', remote(LocalFileStorage.get))
    file = uploaded()
    file.variant(THUMB).make()
    assert server.ask(f'/depot/{file.path}').status == 301
    answer = server.ask(file.variant(THUMB).url)
    assert (answer.status, size_of(answer.body)) == (200, (20, 20))


def remote(get: Any) -> Any:
    """A way to get files that the backend serves as well."""

    def got(self: Any, file_or_id: Any) -> Any:
        file = get(self, file_or_id)
        file.__class__ = type('Remote', (type(file),), {'public_url': 'https://backend.example/a'})
        return file

    return got


def test_a_public_bucket_serves_files_and_we_their_renditions(server: Server, moto: str) -> None:
    session = boto3.Session('test', 'test')
    DepotManager._depots['bucket'] = S3Storage(bucket=f'test-{uuid.uuid4()}', policy='public-read', session=session)
    file = uploaded('bucket')
    assert not file.url.startswith('/depot/')
    assert server.ask(f'/depot/{file.path}').headers['location'] == file.url
    for _ in range(2):
        answer = server.ask(file.variant(THUMB).url)
        assert (answer.status, size_of(answer.body)) == (200, (20, 20))


def test_the_web_server_in_front_sends_what_is_on_its_disk(server: Server, tmp_path: Any) -> None:
    server.starts(hand_off={tmp_path: '/protected'})
    file = uploaded()
    for _ in range(2):
        answer = server.ask(file.variant(THUMB).url)
        assert answer.body == b''
        place = answer.headers['x-accel-redirect']
        assert place.startswith(f'/protected/files/{file.file_id}/')
        assert size_of((tmp_path / place.removeprefix('/protected/')).read_bytes()) == (20, 20)


def test_what_a_storage_does_not_keep_is_made_at_each_request(server: Server, makings: Counted) -> None:
    DepotManager._depots['plain'] = SimpleStorage()
    url = uploaded('plain').variant(THUMB).url
    answers = [server.ask(url), server.ask(url), server.ask(url, 'HEAD'), server.ask(url, Range='bytes=0-9')]
    assert [each.status for each in answers] == [200, 200, 200, 206]
    assert size_of(answers[0].body) == (20, 20)
    assert answers[3].body == answers[0].body[:10]
    assert len({each.headers['etag'] for each in answers}) == 1
    assert len(makings) == 4


# Kept by clients


def test_a_public_one_may_be_kept_for_a_year_whatever_files_are(server: Server) -> None:
    server.starts(cache_max_age=60)
    file = uploaded()
    assert server.ask(file.variant(THUMB).url).headers['cache-control'] == f'max-age={YEAR}, public, immutable'
    assert server.ask(file.url).headers['cache-control'] == 'max-age=60, public'


def test_a_private_one_is_kept_by_its_client_for_as_long_as_the_url_works(server: Server) -> None:
    url = uploaded('private').variant(THUMB).url_for(expires=600)
    kept = server.ask(url).headers['cache-control']
    assert kept in {f'max-age={each}, private, immutable' for each in range(540, 602)}


def test_what_nobody_may_keep_is_not_kept(server: Server) -> None:
    assert server.ask(uploaded('secret').variant(THUMB).url).headers['cache-control'] == 'no-store'


# Who may see it


def test_a_private_one_comes_by_its_own_url_and_by_no_other(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = uploaded('private'), uploaded('private')
    url = file.variant(THUMB).url
    token = urlsplit(url).query
    assert server.ask(url).status == 200
    for wrong in (f'/depot/{other.path}?{token}', url[:-1], f'/depot/{file.path}', f'/depot/{file.path}/thumb?{token}'):
        assert shown(server.ask(wrong)) == missing(server), wrong
    now = time.time()
    monkeypatch.setattr(signing, 'time', lambda: now + 4000)
    assert shown(server.ask(url)) == missing(server)


def test_who_may_see_a_rendition_sees_no_more(server: Server) -> None:
    file = uploaded('private')
    answer = server.ask(file.variant(THUMB).url)
    assert size_of(answer.body) == (20, 20)
    assert server.ask(file.url_for(filename=THUMB.to_text())).body == photo()


def test_a_name_to_save_it_under_is_signed_too(server: Server) -> None:
    url = uploaded().variant(THUMB).url_for(download=True, filename='me.png')
    assert server.ask(url).headers['content-disposition'].startswith('attachment;filename="me.png"')


def test_a_url_may_be_bound_to_who_asks(server: Server) -> None:
    server.starts(fingerprint=lambda _request: 'ada')
    rendition = uploaded().variant(THUMB)
    urls = [rendition.url_for(fingerprint=each) for each in ('ada', 'bob')]
    assert [server.ask(each).status for each in urls] == [200, 404]


@pytest.mark.parametrize(
    'text', ['thumb', '[]', '[2,[],{}]', '[1,[["rotate",{"angle":"x"}]],{}]', '[1,[["nothing",1]],{}]']
)
def test_a_recipe_of_another_version_is_none(server: Server, text: str) -> None:
    path = uploaded().path
    token = Links(KEY).link(path, Grant(rendition=text))
    assert shown(server.ask(f'/depot/{path}?token={token}')) == missing(server)


def test_of_a_file_that_is_gone_there_is_none(server: Server) -> None:
    file, never = uploaded(), uploaded()
    urls = [each.variant(THUMB).url for each in (file, never)]
    assert server.ask(urls[0]).status == 200
    for each in file, never:
        each.depot.delete(each.file_id)
    assert [shown(server.ask(url)) for url in urls] == [missing(server)] * 2


@pytest.mark.parametrize('path', ['public/no-id', 'nowhere/1', 'public/../1', 'public/a/b', 'public', 'public/'])
def test_a_url_that_was_signed_for_no_file_leads_nowhere(server: Server, path: str) -> None:
    token = Links(KEY).link(path, Grant(rendition=THUMB.to_text()))
    assert shown(server.ask(f'/depot/{path}?token={token}')) == missing(server)


def test_a_replaced_file_has_other_renditions(server: Server) -> None:
    file = uploaded()
    url = file.variant(resize=(20, 20)).url
    assert size_of(server.ask(url).body) == (20, 15)
    file.depot.replace(file.file_id, photo(30, 60))
    assert size_of(server.ask(url).body) == (10, 20)


# So many at a time


def asked(server: Server, *urls: str) -> list[Any]:
    """Requests that go on meanwhile."""
    threads = ThreadPoolExecutor(len(urls))
    futures = [threads.submit(server.ask, url) for url in urls]
    threads.shutdown(wait=False)
    return futures


def test_who_asks_for_what_is_being_made_waits_for_that(server: Server, gate: Gate) -> None:
    url = uploaded().variant(THUMB).url
    answers = asked(server, *[url] * 8)
    assert gate.begun.acquire(timeout=60)
    assert not any(each.done() for each in answers)
    gate.open.set()
    assert {each.result(60).status for each in answers} == {200}
    assert gate.at_once == [1]


def test_no_more_are_made_at_once_than_is_allowed(server: Server, gate: Gate) -> None:
    server.starts(renditions_at_once=2)
    answers = asked(server, *(uploaded(content=photo(blue=each / 9)).variant(THUMB).url for each in range(6)))
    for _ in range(2):
        assert gate.begun.acquire(timeout=60)
    gate.open.set()
    assert [each.result(60).status for each in answers] == [200] * 6
    assert max(gate.at_once) == 2
    assert len(gate.at_once) == 6


def test_who_has_waited_long_enough_is_told_to_come_again_and_finds_it_then(server: Server, gate: Gate) -> None:
    server.starts(renditions_wait='0.05')
    url = uploaded().variant(THUMB).url
    for method in 'GET', 'HEAD':
        busy = server.ask(url, method)
        assert (busy.status, busy.headers['retry-after']) == (503, '2')
        assert busy.headers['cache-control'] == 'no-store'
    gate.open.set()
    server.middleware._server._renditions._seconds = 60
    assert size_of(server.ask(url).body) == (20, 20)
    assert gate.at_once == [1]


def test_when_too_many_wait_the_others_are_told_to_come_again(
    server: Server, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers, '_MOST', 2)
    server.starts(renditions_at_once=1, renditions_wait=0)
    files = [uploaded(content=photo(blue=each / 9)) for each in range(3)]
    urls = [each.variant(THUMB).url for each in files]
    assert [server.ask(url).status for url in urls] == [503, 503, 503]
    gate.open.set()
    server.middleware._server._renditions._seconds = 60
    assert [server.ask(url).status for url in urls] == [200, 200, 200]


def test_files_are_served_while_renditions_are_waited_for(gate: Gate, server: Server) -> None:
    if server._kind == 'ASGI':
        asyncio.run(with_many_waiting(server, gate))
    else:
        waiting = asked(server, *[uploaded().variant(THUMB).url])
        assert gate.begun.acquire(timeout=60)
        assert server.ask(uploaded().url).status == 200
        gate.open.set()
        assert waiting[0].result(60).status == 200


async def with_many_waiting(server: Server, gate: Gate) -> None:
    """More requests wait than there are threads for requests."""
    urls = [uploaded().variant(resize=(each, each)).url for each in range(1, 61)]
    waiting = [asyncio.ensure_future(call(server, each)) for each in urls]
    while not gate.at_once:
        await asyncio.sleep(0.01)
    assert (await call(server, uploaded().url)).status == 200
    assert not any(each.done() for each in waiting)
    gate.open.set()
    assert {each.status for each in await asyncio.gather(*waiting)} == {200}


async def call(server: Server, url: str) -> client.Answer:
    parts = urlsplit(url)
    connection = asgi_client.Connection(asgi_client.http_scope(parts.path, query_string=parts.query.encode()))
    await connection.call(server.middleware)
    return connection.answer


def test_a_client_that_goes_away_does_not_stop_what_it_asked_for(gate: Gate, server: Server) -> None:
    if server._kind == 'WSGI':
        server = Server('ASGI').starts()
    url = uploaded().variant(THUMB).url

    async def go_away() -> None:
        task = asyncio.ensure_future(call(server, url))
        while not gate.at_once:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go_away())
    gate.open.set()
    assert size_of(server.ask(url).body) == (20, 20)
    assert gate.at_once == [1]


@pytest.mark.parametrize('options', [{'renditions_at_once': 0}, {'renditions_at_once': 'many'}])
def test_how_many_at_once_is_a_number_above_none(server: Server, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match='renditions_at_once = .* above 0'):
        server.starts(**options)


@pytest.mark.parametrize('wait', [-1, 'long', 'nan', 1e6, None])
def test_how_long_to_wait_is_a_number_of_seconds(server: Server, wait: Any) -> None:
    with pytest.raises(ConfigurationError, match='renditions_wait = .* seconds'):
        server.starts(renditions_wait=wait)


# Failures


@pytest.mark.parametrize('content', [b'no image', photo()[:60]], ids=['text', 'broken'])
def test_a_broken_image_is_not_decoded_at_each_request(
    server: Server, makings: Counted, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = uploaded(content=content)
    url = file.variant(THUMB).url
    with caplog.at_level(logging.WARNING, 'depot.images'):
        assert [shown(server.ask(url)) for _ in range(3)] == [missing(server)] * 3
    assert len(makings) == 1
    assert [file.path in each.getMessage() for each in caplog.records] == [True]
    later = time.monotonic() + 61
    monkeypatch.setattr(makers.time, 'monotonic', lambda: later)
    assert server.ask(url).status == 404
    assert len(makings) == 2


@pytest.mark.parametrize('storage', ['public', 'private', 'plain'])
def test_a_broken_image_that_is_replaced_has_a_rendition_at_once(server: Server, storage: str) -> None:
    DepotManager._depots['plain'] = SimpleStorage()
    file = uploaded(storage, b'no image')
    url = file.variant(THUMB).url
    assert server.ask(url).status == 404
    file.depot.replace(file.file_id, photo())
    assert size_of(server.ask(url).body) == (20, 20)


def test_what_fails_while_its_original_is_replaced_is_tried_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    DepotManager._depots['plain'] = SimpleStorage()
    file = uploaded('plain', photo()[:60])
    url = file.variant(THUMB).url

    def replaced(source: Any, variant: Variant) -> Any:
        try:
            return Counted()(source, variant)
        finally:
            file.depot.replace(file.file_id, photo())

    with monkeypatch.context() as patch:
        patch.setattr(decoding, 'transformed', replaced)
        assert server.ask(url).status == 404
    assert size_of(server.ask(url).body) == (20, 20)


def test_a_broken_image_that_is_deleted_is_missing(server: Server) -> None:
    file = uploaded(content=b'no image')
    url = file.variant(THUMB).url
    assert server.ask(url).status == 404
    file.depot.delete(file.file_id)
    assert shown(server.ask(url)) == missing(server)


def test_a_failure_is_forgotten_when_limits_are_configured(server: Server, configured: None) -> None:
    url = uploaded().variant(THUMB).url
    configure_images(pixels=100)
    assert server.ask(url).status == 404
    configure_images()
    assert server.ask(url).status == 200


@pytest.mark.parametrize('before', [None, b'no image'], ids=['missing', 'broken'])
def test_a_failure_for_want_of_an_overlay_is_not_remembered(
    server: Server, tmp_path: Path, configured: None, before: bytes | None
) -> None:
    configure_images(overlays=[tmp_path])
    if before:
        (tmp_path / 'mark.png').write_bytes(before)
    url = uploaded().variant(resize=(20, 20), composite='mark.png').url
    assert server.ask(url).status == 404
    (tmp_path / 'mark.png').write_bytes(photo(5, 5))
    assert server.ask(url).status == 200


def test_failures_are_not_remembered_without_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makers, '_MOST_FAILURES', 2)
    its_makers = server.middleware._server._renditions._makers
    its_makers._begin_anew()
    file = uploaded(content=b'no image')
    for each in range(1, 6):
        assert server.ask(file.variant(resize=(each, each)).url).status == 404
    assert len(its_makers._failures) <= 2


@pytest.mark.parametrize(
    'error', [StorageFailure('the disk is full'), BackendMissing('no pyvips'), ZeroDivisionError()]
)
def test_what_is_wrong_with_us_is_raised_at_each_request(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    url = uploaded().variant(THUMB).url
    with monkeypatch.context() as patch:
        patch.setattr(decoding, 'transformed', fail)
        for _ in range(2):
            with pytest.raises(type(error)):
                server.ask(url)
    assert server.ask(url).status == 200


def test_a_storage_that_fails_when_it_is_looked_for_is_raised(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StorageFailure('the network')

    monkeypatch.setattr(MemoryFileStorage, 'get_derived', fail)
    with pytest.raises(StorageFailure, match='the network'):
        server.ask(uploaded('private').variant(THUMB).url)


def test_a_rendition_that_goes_while_it_is_sent_is_not_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    file = uploaded('private')
    url = file.variant(THUMB).url
    assert server.ask(url).status == 200

    def gone(self: MemoryStoredFile, *_: Any) -> Any:
        file.depot.delete(file.file_id)
        return opened(self, *_)

    opened = MemoryStoredFile.open_range
    monkeypatch.setattr(MemoryStoredFile, 'open_range', gone)
    assert shown(server.ask(url)) == missing(server)


def test_a_decoder_that_is_busy_and_an_end_of_the_process_have_a_client_come_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise RenditionBusy('too many')

    url = uploaded().variant(THUMB).url
    with monkeypatch.context() as patch:
        patch.setattr(decoding, 'transformed', busy)
        assert server.ask(url).status == 503
    server.middleware._server._renditions._makers._threads.shutdown()
    assert server.ask(url).status == 503


# Children


def test_a_forked_child_makes_its_own(server: Server, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As servers fork after the application was loaded; here, what runs in a child runs in this process."""
    server.starts(renditions_wait=0)
    url = uploaded().variant(THUMB).url
    assert server.ask(url).status == 503
    assert gate.begun.acquire(timeout=60)
    with monkeypatch.context() as patch:
        server.middleware._server._renditions._makers._begin_anew()
        patch.setattr(decoding, 'transformed', Counted())
        other = uploaded(content=photo(blue=1)).variant(THUMB).url
        server.middleware._server._renditions._seconds = 60
        assert server.ask(other).status == 200
