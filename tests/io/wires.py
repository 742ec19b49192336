"""Storages on real servers, with a proxy between."""

from __future__ import annotations

import functools
import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from depot.io.boto3 import S3Storage
from depot.io.gcs import GCSStorage
from depot.io.gridfs import GridFSStorage
from depot.io.interfaces import FileStorage

from ..services.fakegcs import fakegcs_program, fakegcs_server
from ..services.messages import Mongo
from ..services.proxy import Proxy
from ..services.seaweedfs import SeaweedFS
from ..services.secantusdb import fresh_database
from ..services.servers import free_port

#: Bytes of a content that goes in one request; and of a piece of one that goes in several, where that may be so small.
SMALL, PIECE = 1_000, 256 * 1024

#: Bytes: S3 takes no smaller parts, but for the last.
PART = 5 * 1024 * 1024

#: Seconds that a client waits for an answer; those of whom it is asked to be impatient, less.
PATIENT, IMPATIENT = 5.0, 2.0


@dataclass
class Wire:
    """A storage whose every byte goes through a proxy."""

    proxy: Proxy
    storage: FileStorage
    #: Another storage on the same files, by the same way.
    connect: Callable[[], FileStorage]
    #: The same files, past the proxy.
    aside: FileStorage
    #: What an upload has left that nobody sees, by the server's own word.
    leftovers: Callable[[], list[str]]
    #: Whether the server knows a piece of an upload that is sent again because the answer was lost. fake-gcs-server
    #: has it twice then; the SDK sees that by the checksum, and removes what it has stored, and with it the old file.
    knows_pieces: bool = True
    #: Bytes of a content that goes in several pieces.
    large: int = 2 * PIECE + 100_000


def port_of(url: str) -> int:
    return int(url.rpartition(':')[2].partition('/')[0])


@contextmanager
def s3_wire(server: SeaweedFS, patience: float = PATIENT) -> Iterator[Wire]:
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(port_of(server.url)))
        options = {**server.options, 'bucket': f'wire-{uuid.uuid4()}', 'policy': 'private'}
        aside = stack.enter_context(closing(S3Storage(**options)))
        options['endpoint_url'] = f'http://127.0.0.1:{proxy.port}'
        limits = {'connect_timeout': PATIENT, 'read_timeout': patience, 'retries': 2}
        sizes = {'multipart_threshold': PIECE, 'multipart_chunksize': PART}
        connect = functools.partial(S3Storage, **options, **limits, **sizes)
        storage = stack.enter_context(closing(connect()))
        yield Wire(proxy, storage, connect, aside, lambda: _uploads(aside), large=PART + 100_000)


def _uploads(storage: S3Storage) -> list[str]:
    found = storage._requests.client.list_multipart_uploads(Bucket=storage._requests.bucket)
    return [each['UploadId'] for each in found.get('Uploads', [])]


@contextmanager
def gcs_wire(patience: float = PATIENT) -> Iterator[Wire]:
    """GCS on a server of its own, which tells clients to come by the proxy."""
    program = fakegcs_program()
    assert program
    with ExitStack() as stack:
        url = stack.enter_context(fakegcs_server(program, free_port()))
        proxy = stack.enter_context(Proxy(port_of(url)))
        _tell_address(url, f'http://127.0.0.1:{proxy.port}')
        limits = {'chunk_size': PIECE, 'timeout': patience, 'retry_timeout': 1}
        made = functools.partial(GCSStorage, 'test', 'anonymous', 'bucket', 'private', **limits)
        connect = functools.partial(made, endpoint_url=f'http://127.0.0.1:{proxy.port}')
        storage = stack.enter_context(closing(connect()))
        aside = stack.enter_context(closing(made(endpoint_url=url)))
        yield Wire(proxy, storage, connect, aside, list, knows_pieces=False)


def _tell_address(server: str, address: str) -> None:
    request = urllib.request.Request(
        f'{server}/_internal/config',
        json.dumps({'externalUrl': address}).encode(),
        {'Content-Type': 'application/json'},
        method='PUT',
    )
    urllib.request.urlopen(request).close()


@contextmanager
def gridfs_wire(server: str, patience: float = PATIENT) -> Iterator[Wire]:
    with ExitStack() as stack:
        url = fresh_database(server)
        proxy = stack.enter_context(Proxy(port_of(url), Mongo))
        through = url.replace(f':{port_of(url)}', f':{proxy.port}')
        # Direct, or the server tells where it is, and the client goes there. And it polls: a client to which the server
        # streams its state takes half a second after each fault until it looks again.
        limits = f'directConnection=true&serverMonitoringMode=poll&connectTimeoutMS={PATIENT * 1000:.0f}'
        limits += f'&serverSelectionTimeoutMS={PATIENT * 1000:.0f}&socketTimeoutMS={patience * 1000:.0f}'
        connect = functools.partial(GridFSStorage, f'{through}?{limits}')
        storage = stack.enter_context(closing(connect()))
        aside = stack.enter_context(closing(GridFSStorage(url)))
        yield Wire(proxy, storage, connect, aside, lambda: _strays(aside))


def _strays(storage: GridFSStorage) -> list[str]:
    """Places of chunks that are no file's."""
    files = storage._db['filedepot.files'].distinct('_id')
    return [str(each) for each in storage._db['filedepot.chunks'].distinct('files_id') if each not in files]
