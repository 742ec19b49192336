"""How fast files are served, side by side with other servers of files, medians of rounds.

Run it from the repository: ``python tests/benchmarks/bench_serving.py``. It needs ``apt-get install wrk nginx-light``,
``pip install granian waitress gunicorn whitenoise``, and the published package in a folder of its own, which is only
run, in a process of its own: ``pip install --no-deps --target FOLDER 'filedepot==0.12.*'`` and ``--filedepot FOLDER``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from depot.io.disk.folder import SETTLED
from depot.io.local import LocalFileStorage
from tests.services.nginx import nginx_before
from tests.services.servers import free_port

ROOT = pathlib.Path(__file__).parents[2]
KIB, MIB = 1024, 1024 * 1024

SERVERS = {
    'granian': 'granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --no-log',
    'waitress': 'waitress --listen 127.0.0.1:{port}',
    'gunicorn': 'gunicorn --bind 127.0.0.1:{port} --no-control-socket --log-level warning',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--filedepot', help='the folder that the published package is installed in')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--only', choices=['small', 'large', 'handed-off', 'ranges'])
    options = parser.parse_args()
    parts = {'small': small, 'large': large, 'handed-off': handed_off, 'ranges': ranges}
    for name, part in parts.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory(prefix='bench-serving-', dir='/dev/shm') as folder:
                part(pathlib.Path(folder), options)


def small(folder: pathlib.Path, options: argparse.Namespace) -> None:
    """Requests a second for 10 KiB."""
    file_id = LocalFileStorage(folder).create(os.urandom(10 * KIB), 'a.png', 'image/png')
    older = folder / 'published'
    shutil.copytree(folder / file_id, older / file_id)
    forget_checksum(older / file_id / 'metadata.json')
    time.sleep(SETTLED)  # a younger file is looked at anew each time
    for server in ('granian', 'waitress'):
        with contextlib.ExitStack() as stack:
            names = ['depot', 'whitenoise', *(['filedepot'] if options.filedepot else [])]
            folders = {'filedepot': older}
            ports = {
                each: stack.enter_context(running(server, each, folders.get(each, folder), options)) for each in names
            }
            urls = {
                each: f'http://127.0.0.1:{port}/depot/default/{file_id}{"/file" if each == "whitenoise" else ""}'
                for each, port in ports.items()
            }
            work = {each: partial(requests_a_second, url) for each, url in urls.items()}
            report(f'10 KiB under {server}, requests a second', medians(work, options.rounds), '.0f')


def forget_checksum(path: pathlib.Path) -> None:
    """Which the published package does not know."""
    known = json.loads(path.read_text())
    del known['checksum']
    path.write_text(json.dumps(known))


def large(folder: pathlib.Path, options: argparse.Namespace) -> None:
    """100 MiB through the application."""
    file_id = LocalFileStorage(folder).create(os.urandom(100 * MIB), 'a.png', 'image/png')
    for server in ('waitress', 'gunicorn'):  # granian has no way of its own
        with contextlib.ExitStack() as stack:
            ports = {each: stack.enter_context(running(server, each, folder, options)) for each in ('depot', 'bare')}
            path = f'/depot/default/{file_id}'
            work = {each: partial(mib_a_second, port, path) for each, port in ports.items()}
            report(f'100 MiB under {server}, MiB/s', medians(work, options.rounds), '.0f')


def handed_off(folder: pathlib.Path, options: argparse.Namespace) -> None:
    """100 MiB by nginx, with and without an application that says so."""
    file_id = LocalFileStorage(folder).create(os.urandom(100 * MIB), 'a.png', 'image/png')
    direct = f'location /direct/ {{ alias {folder}/; }}'
    with (
        tempfile.TemporaryDirectory(prefix='bench-nginx-') as work,
        running('waitress', 'handed_off', folder, options) as application,
        nginx_before(application, folder, pathlib.Path(work), direct) as port,
    ):
        paths = {'depot': f'/depot/default/{file_id}', 'nginx': f'/direct/{file_id}/file'}
        work_of = {each: partial(mib_a_second, port, path) for each, path in paths.items()}
        report('100 MiB by nginx, MiB/s', medians(work_of, options.rounds), '.0f')


def ranges(folder: pathlib.Path, options: argparse.Namespace) -> None:
    """64 KiB at the end of 1 GiB, and at its start."""
    storage = LocalFileStorage(folder)
    with open(folder / 'large', 'wb') as content:
        content.truncate(1024 * MIB)
    file_id = storage.create(folder / 'large')
    for server in ('waitress', 'granian'):
        with running(server, 'depot', folder, options) as port:
            spans = {'end': 'bytes=-65536', 'start': 'bytes=0-65535'}
            url = f'http://127.0.0.1:{port}/depot/default/{file_id}'
            work = {each: partial(requests_a_second, url, f'Range: {span}') for each, span in spans.items()}
            report(f'64 KiB of 1 GiB under {server}, requests a second', medians(work, options.rounds), '.0f')


@contextlib.contextmanager
def running(server: str, name: str, folder: pathlib.Path, options: argparse.Namespace) -> Iterator[int]:
    """The port of a server that runs one of the applications."""
    port = free_port()
    packages = options.filedepot if name == 'filedepot' else str(ROOT)
    applications = pathlib.Path(__file__).parent
    environment = {
        **os.environ,
        'PYTHONPATH': f'{packages}:{applications}',
        'BENCH_APPLICATION': name,
        'BENCH_FOLDER': str(folder),
    }
    command = [sys.executable, '-m', *SERVERS[server].format(port=port).split(), 'serving_application:app']
    with subprocess.Popen(
        command, cwd=applications, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError('the server did not start')


def requests_a_second(url: str, header: str = 'Accept: */*') -> float:
    """What eight clients get that keep their connections."""
    command = ['wrk', '-t1', '-c8', '-d1s', '-H', header, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert not re.search('Non-2xx|Socket errors', said), said
    return float(re.search(r'Requests/sec:\s+([\d.]+)', said)[1])


def mib_a_second(port: int, path: str, size: int = 100) -> float:
    """The best of some tries: in a virtual machine others have the processor at times."""
    return size / min(seconds(port, path, size * MIB) for _ in range(3))


def seconds(port: int, path: str, size: int) -> float:
    """How long it takes to read an answer and throw it away."""
    buffer = bytearray(MIB)
    start = time.perf_counter()
    with socket.create_connection(('127.0.0.1', port)) as client:
        client.sendall(f'GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'.encode())
        received = 0
        while count := client.recv_into(buffer):
            received += count
    assert received > size, f'{received} bytes only'
    return time.perf_counter() - start


def medians(work: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each gives, in turns; the first round warms up."""
    measured: dict[str, list[float]] = {each: [] for each in work}
    for _ in range(rounds + 1):
        for name, each in work.items():
            measured[name].append(each())
    return {name: each[1:] for name, each in measured.items()}


def report(title: str, measured: dict[str, list[float]], form: str) -> None:
    """Each one's median; and the first one's ratio to it, as the median of the rounds' ratios."""
    first, *others = measured
    print(f'{title}: {first} {statistics.median(measured[first]):{form}}', end='')
    for each in others:
        ratio = statistics.median(a / b for a, b in zip(measured[first], measured[each], strict=True))
        print(f', {each} {statistics.median(measured[each]):{form}} (ratio {ratio:.2f})', end='')
    print(flush=True)


if __name__ == '__main__':
    main()
