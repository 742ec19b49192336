"""The application that the servers of the tests run: ``app`` is what ``DEPOT_TEST_INTERFACE`` names.

Around it is the middleware of depot, with three storages; what reaches the application itself says so.
"""

from __future__ import annotations

import json
import os

from depot.manager import DepotManager

from . import samples

#: The header by which the application's own answers are known.
MARK = 'X-Application'


def wsgi(environ, start_response):
    """Says that the request came through."""
    body = b'the application: ' + environ['REQUEST_METHOD'].encode()
    content = [] if environ['REQUEST_METHOD'] == 'HEAD' else [body]
    start_response('200 OK', [(MARK, 'yes'), ('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return content


async def asgi(scope, receive, send):
    """Says that the request came through."""
    if scope['type'] != 'http':
        return
    body = b'the application: ' + scope['method'].encode()
    headers = [
        (MARK.lower().encode(), b'yes'),
        (b'content-type', b'text/plain'),
        (b'content-length', str(len(body)).encode()),
    ]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': b'' if scope['method'] == 'HEAD' else body})


def configure() -> None:
    """Three storages with the same files. Those on disk and on the server are filled already."""
    DepotManager.configure(samples.LOCAL, {'depot.storage_path': os.environ['DEPOT_TEST_FOLDER']})
    DepotManager.configure(samples.MEMORY, {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    samples.store(DepotManager.get(samples.MEMORY), samples.MEMORY)
    DepotManager.configure(samples.S3, s3_settings(json.loads(os.environ['DEPOT_TEST_S3'])))


def s3_settings(options):
    """The server's own bucket is closed, so that the application answers for it."""
    settings = {'backend': 'depot.io.boto3.S3Storage', 'policy': 'private', 'delivery': 'proxy', **options}
    return {f'depot.{key}': value for key, value in settings.items()}


if interface := os.environ.get('DEPOT_TEST_INTERFACE'):
    configure()
    if interface == 'asgi':
        app = DepotManager.make_asgi_middleware(asgi, mountpoint=samples.MOUNTPOINT)
    else:
        app = DepotManager.make_middleware(wsgi, mountpoint=samples.MOUNTPOINT)
