"""The application of photos that servers run: each image that is decoded for a request leaves a line in a file.

One is decoded when the application is loaded, which may be before the server's processes are forked.
"""

from __future__ import annotations

import os

from depot.images import decoding
from depot.images.recipe import Variant
from depot.manager import DepotManager

from ...images.photos import photo

SECRET_KEY = 'a key of the tests'

_transformed = decoding.transformed


def counted(source, variant):
    with open(os.environ['DEPOT_TEST_COUNT'], 'a') as count:
        count.write(f'{os.getpid()}\n')
    return _transformed(source, variant)


if interface := os.environ.get('DEPOT_TEST_PHOTOS'):
    _transformed(photo(), Variant(resize=(20, 20), sharpen=True))
    decoding.transformed = counted
    DepotManager.configure('default', {'depot.storage_path': os.environ['DEPOT_TEST_FOLDER']})
    make = DepotManager.make_asgi_middleware if interface == 'asgi' else DepotManager.make_middleware
    app = make(None, secret_key=SECRET_KEY, renditions_wait=60)
