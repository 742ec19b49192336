"""The application of photos that servers run: each image that is decoded leaves a line in a file."""

from __future__ import annotations

import os

from depot.images import decoding
from depot.manager import DepotManager

SECRET_KEY = 'a key of the tests'

_transformed = decoding.transformed


def counted(source, variant):
    with open(os.environ['DEPOT_TEST_COUNT'], 'a') as count:
        count.write(f'{os.getpid()}\n')
    return _transformed(source, variant)


if interface := os.environ.get('DEPOT_TEST_PHOTOS'):
    decoding.transformed = counted
    DepotManager.configure('default', {'depot.storage_path': os.environ['DEPOT_TEST_FOLDER']})
    make = DepotManager.make_asgi_middleware if interface == 'asgi' else DepotManager.make_middleware
    app = make(None, secret_key=SECRET_KEY, renditions_wait=60)
