"""Renditions by real servers, of several processes each: made once, whoever asks."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from depot.fields.upload import UploadedFile
from depot.images.recipe import Variant
from depot.manager import DepotManager

from ..images.photos import photo, size_of
from ..services.servers import free_port
from .servers.photos import SECRET_KEY
from .servers.running import Server, stop, wait_until_ready
from .servers.wire import Answer, ask

ROOT = Path(__file__).parents[2]

#: So many ask at once.
CLIENTS = 20

#: Four processes, which are forked when the application is loaded, or load it themselves.
SERVERS = {
    'gunicorn, four that were forked': (
        'wsgi',
        'gunicorn --bind=127.0.0.1:{port} --workers=4 --threads=2 --preload --no-control-socket',
    ),
    'waitress': ('wsgi', 'waitress --listen=127.0.0.1:{port} --threads=8'),
    'granian, two': ('wsgi', 'granian --interface=wsgi --host=127.0.0.1 --port={port} --workers=2'),
    'granian, two by ASGI': ('asgi', 'granian --interface=asgi --host=127.0.0.1 --port={port} --workers=2'),
    'uvicorn, four': ('asgi', 'uvicorn --host=127.0.0.1 --port={port} --workers=4'),
}


class Photos(NamedTuple):
    """A server, and the file that counts how many images it decodes."""

    server: Server
    count: Path

    @property
    def decoded(self) -> int:
        return len(self.count.read_text().splitlines()) if self.count.exists() else 0


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    DepotManager._clear()
    DepotManager.configure('default', {'depot.storage_path': str(tmp_path / 'files')})
    DepotManager.make_middleware(None, secret_key=SECRET_KEY)
    yield
    DepotManager._clear()


@pytest.fixture(params=SERVERS)
def photos(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Photos]:
    with running(*SERVERS[request.param], tmp_path) as found:
        yield found


@contextlib.contextmanager
def running(interface: str, command: str, folder: Path) -> Iterator[Photos]:
    package = command.partition(' ')[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f'pip install {package}')
    photos = Photos(Server(package, free_port(), ()), folder / 'decoded.txt')
    environment = {
        **os.environ,
        'PYTHONPATH': str(ROOT),
        'DEPOT_TEST_PHOTOS': interface,
        'DEPOT_TEST_FOLDER': str(folder / 'files'),
        'DEPOT_TEST_COUNT': str(photos.count),
    }
    arguments = [sys.executable, '-m', *command.format(port=photos.server.port).split()]
    with tempfile.TemporaryFile(prefix='depot-photos-') as log:
        process = subprocess.Popen(
            [*arguments, 'tests.serving.servers.photos:app'],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(process, photos.server, log)
            yield photos
        finally:
            stop(process)


def test_what_many_ask_for_at_once_is_made_once(photos: Photos) -> None:
    rendition = UploadedFile(photo(800, 600)).variant(resize_to_fill=(100, 100), format='webp')
    start = threading.Barrier(CLIENTS)

    def get(url: str) -> Answer:
        start.wait()
        return ask(photos.server.port, b'GET', url.encode())

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(get, [rendition.url] * CLIENTS))
    assert {each.status for each in answers} == {200}
    assert {size_of(each.body) for each in answers} == {(100, 100)}
    assert len({each.body for each in answers}) == 1
    assert photos.decoded == 1


def test_a_gallery_is_made_once_whoever_looks_at_it(photos: Photos) -> None:
    files = [UploadedFile(photo(blue=each / 10)) for each in range(10)]
    urls = [each.variant(Variant(resize_to_limit=(20, 20))).url for each in files] * 3

    def get(url: str) -> Answer:
        return ask(photos.server.port, b'GET', url.encode())

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(get, urls))
    assert {(each.status, size_of(each.body)) for each in answers} == {(200, (20, 15))}
    assert photos.decoded == 10
    assert get(f'/depot/{files[0].path}?token=wrong').status == 404
