"""How fast made renditions are served, beside files of the same size, medians of rounds; and what a URL costs.

Run it from the repository: ``python tests/benchmarks/bench_renditions.py``. It needs ``apt-get install wrk`` and
``pip install granian waitress``.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import tempfile
import time
from argparse import Namespace
from functools import partial

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from depot.fields.upload import UploadedFile
from depot.images.recipe import Variant
from depot.io.disk.folder import SETTLED
from depot.io.utils import FileIntent
from depot.manager import DepotManager
from tests.benchmarks.bench_serving import medians, report, requests_a_second, running
from tests.benchmarks.serving_application import SECRET_KEY
from tests.images.photos import photo

ROUNDS = 15  # more than elsewhere: what they are to tell apart is a few microseconds


def main() -> None:
    with tempfile.TemporaryDirectory(prefix='bench-renditions-', dir='/dev/shm') as folder:
        DepotManager.configure('default', {'depot.storage_path': folder})
        DepotManager.make_middleware(None, secret_key=SECRET_KEY)
        served(pathlib.Path(folder))
        urls()


def served(folder: pathlib.Path) -> None:
    """Requests a second for a rendition that is made, and for a file that is the same."""
    for side in 60, 400:
        rendition = UploadedFile(photo(800, 600)).variant(resize_to_fill=(side, side))
        with rendition.file as made:
            content = made.read()
            same = UploadedFile(FileIntent(content, made.filename, made.content_type))
        urls = {'rendition': rendition.url, 'file': same.url}
        time.sleep(SETTLED)  # a younger file is looked at anew each time
        for server in 'granian', 'waitress':
            with contextlib.ExitStack() as stack:
                port = stack.enter_context(running(server, 'renditions', folder, Namespace()))
                work = {each: partial(requests_a_second, f'http://127.0.0.1:{port}{url}') for each, url in urls.items()}
                report(f'{len(content) // 1024} KiB under {server}, requests a second', medians(work, ROUNDS), '.0f')


def urls() -> None:
    """Microseconds for a URL."""
    file = UploadedFile(photo())
    variant = Variant(resize_to_fill=(200, 200))
    started = time.perf_counter()
    for _ in range(2000):
        _ = file.variant(variant).url
    print(f'a URL: {(time.perf_counter() - started) / 2000 * 1e6:.0f} microseconds')


if __name__ == '__main__':
    main()
