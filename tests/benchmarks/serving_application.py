"""The applications that ``bench_serving.py`` compares: ``app`` is the one that ``BENCH_APPLICATION`` names.

``depot`` is the package that is found first: this one, or the published ``filedepot``.
"""

from __future__ import annotations

import os
import pathlib

FOLDER = pathlib.Path(os.environ.get('BENCH_FOLDER', ''))
SECRET_KEY = 'the key of a benchmark'


def not_found(environ, start_response):
    start_response('404 Not Found', [('Content-Length', '0')])
    return []


def depot(**options):
    from depot.manager import DepotManager

    DepotManager.configure('default', {'depot.storage_path': str(FOLDER)})
    return DepotManager.make_middleware(not_found, **options)


def renditions():
    return depot(secret_key=SECRET_KEY)


def handed_off():
    return depot(hand_off={FOLDER: '/protected'})


def whitenoise():
    from whitenoise import WhiteNoise

    return WhiteNoise(not_found, root=str(FOLDER), prefix='depot/default')


def bare():
    """The least that can be done: the file, handed to the server's own way."""

    def application(environ, start_response):
        path = FOLDER / environ['PATH_INFO'].rpartition('/')[2] / 'file'
        start_response('200 OK', [('Content-Length', str(path.stat().st_size))])
        return environ['wsgi.file_wrapper'](open(path, 'rb'), 64 * 1024)

    return application


app = {
    '': bool,
    'depot': depot,
    'filedepot': depot,
    'renditions': renditions,
    'handed_off': handed_off,
    'whitenoise': whitenoise,
    'bare': bare,
}[os.environ.get('BENCH_APPLICATION', '')]()
