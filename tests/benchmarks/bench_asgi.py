"""How much memory slow clients cost, and how fast a large file is, under uvicorn and granian.

Run it from the repository: ``python tests/benchmarks/bench_asgi.py``. Memory is that of the server's process, as
``/proc`` tells it. A slow client has read the head of the answer, and then waits.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from depot.io.local import LocalFileStorage
from depot.manager import DepotManager
from tests.services.servers import free_port

ROOT = pathlib.Path(__file__).parents[2]
KIB, MIB = 1024, 1024 * 1024

COMMANDS = {
    'uvicorn': 'uvicorn --host 127.0.0.1 --port {port} --no-access-log',
    'granian': 'granian --interface asgi --host 127.0.0.1 --port {port} --no-log',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--clients', type=int, default=500)
    parser.add_argument('--size', type=int, default=100, help='of the file, in MiB')
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='bench-asgi-') as folder:
        file_id = LocalFileStorage(folder).create(iter([os.urandom(MIB)] * options.size), 'a.bin')
        for name in COMMANDS:
            with running(name, folder) as (process, port):
                report(name, process.pid, port, f'/depot/default/{file_id}', options)


def report(name: str, pid: int, port: int, path: str, options: argparse.Namespace) -> None:
    seconds = statistics.median(fetch(port, path) for _ in range(options.rounds))
    print(f'{name}: {options.size / seconds:.0f} MiB/s of a file of {options.size} MiB')
    before = memory(pid)
    with contextlib.ExitStack() as clients:
        for _ in range(options.clients):
            clients.enter_context(asking(port, path, 64 * KIB)).recv(1)
        more = settled(pid) - before
        print(f'{name}: {options.clients} slow clients: {more / MIB:.1f} MiB more than {before / MIB:.0f} MiB')
        print(f'{name}: while they wait, another one gets {options.size / fetch(port, path):.0f} MiB/s')
    print(f'{name}: {(settled(pid) - before) / MIB:.1f} MiB more when they have gone')


@contextlib.contextmanager
def asking(port: int, path: str, buffer: int | None = None) -> Iterator[socket.socket]:
    """A client that has sent its request."""
    with socket.socket() as client:
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.connect(('127.0.0.1', port))
        client.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'.encode())
        yield client


def fetch(port: int, path: str) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    buffer = bytearray(MIB)
    with asking(port, path) as client:
        while client.recv_into(buffer):
            pass
    return time.perf_counter() - begun


def memory(pid: int) -> int:
    """Bytes of a process and of those that it began."""
    children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    own = int(pathlib.Path(f'/proc/{pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    return own + sum(memory(int(each)) for each in children)


def settled(pid: int) -> int:
    """The most that it had before it had no more for a second."""
    peak, last = 0, time.monotonic()
    while time.monotonic() - last < 1:
        if (now := memory(pid)) > peak:
            peak, last = now, time.monotonic()
        time.sleep(0.02)
    return peak


@contextlib.contextmanager
def running(name: str, folder: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [sys.executable, '-m', *COMMANDS[name].format(port=port).split(), 'tests.benchmarks.bench_asgi:app']
    environment = {**os.environ, 'BENCH_FOLDER': folder, 'PYTHONPATH': str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_for(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), asking(port, '/'):
            return
        time.sleep(0.02)
    raise RuntimeError('the server did not start')


if 'BENCH_FOLDER' in os.environ:
    DepotManager.configure('default', {'depot.storage_path': os.environ['BENCH_FOLDER']})
    app = DepotManager.make_asgi_middleware(None)

if __name__ == '__main__':
    main()
