"""nginx, with the configuration that the manual shows, on a free loopback port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import free_port

#: What the manual shows; the test's own addresses take the place of those in it.
MANUAL = Path(__file__).parents[2] / 'docs' / 'nginx.conf'

#: Seconds until a server that does not answer is given up.
_PATIENCE = 120

# Without these, it writes into folders of the system.
_TEMPORARY = ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')


def nginx_program() -> str:
    """Where it is; without it, the test is skipped. Debian does not put it on the PATH of users."""
    found = shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin:/usr/local/sbin')
    if found is None:
        pytest.skip('apt-get install nginx-light')
    return found


@contextlib.contextmanager
def nginx_before(application_port: int, files: Path, work: Path, extra: str = '') -> Iterator[int]:
    """The port of an nginx in front of an application whose files are in the folder; it ends with the block."""
    program, port = nginx_program(), free_port()
    (work / 'nginx.conf').write_text(_configuration(port, application_port, files, extra), encoding='utf-8')
    command = [program, '-p', str(work), '-c', str(work / 'nginx.conf'), '-e', str(work / 'error.log')]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(process, port, work / 'error.log')
            yield port
        finally:
            process.terminate()


def _configuration(port: int, application_port: int, files: Path, extra: str) -> str:
    server = MANUAL.read_text(encoding='utf-8')
    for shown, ours in {
        'listen 80;': f'listen 127.0.0.1:{port};\n{extra}',
        '127.0.0.1:8080': f'127.0.0.1:{application_port}',
        '/data/files/': f'{files}/',
    }.items():
        assert server.count(shown) == 1
        server = server.replace(shown, ours)
    user = 'user root;' if os.getuid() == 0 else ''  # the files of a test are open to nobody else
    folders = '\n'.join(f'{each}_temp_path {each}_temp;' for each in _TEMPORARY)
    return (
        f'{user}\ndaemon off;\nworker_processes 1;\npid nginx.pid;\nevents {{}}\n'
        f'http {{\ndefault_type application/octet-stream;\naccess_log off;\nsendfile on;\n{folders}\n{server}\n}}\n'
    )


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f'nginx did not start:\n{log.read_text()}')
