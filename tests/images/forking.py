"""A process that makes a rendition, and then has children, which were forked, make one each at the same time."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys

from depot.images.recipe import Variant
from depot.images.renditions import make_variant
from depot.manager import DepotManager

#: The sizes of what the children make.
SIZES = (11, 12, 13)


def ask(path: str, size: int) -> None:
    signal.alarm(300)  # so that one that hangs comes to an end
    make_variant(path, Variant(resize_to_fill=(size, size)).to_text())


def by_fork(path: str) -> None:
    children = []
    for size in SIZES:
        child = os.fork()
        if not child:
            ask(path, size)
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    if any(statuses):
        sys.exit('a child did not end well')


by_an_application_of_its_own = by_fork  # which has used libvips itself


def by_grandchildren(path: str) -> None:
    if child := os.fork():
        sys.exit(os.waitpid(child, 0)[1] != 0)
    by_fork(path)


def by_multiprocessing(path: str) -> None:
    with multiprocessing.get_context('fork').Pool(len(SIZES)) as children:
        children.starmap(ask, [(path, size) for size in SIZES])


if __name__ == '__main__':
    signal.alarm(300)
    folder, path, how = sys.argv[1:]
    DepotManager.configure('default', f'file://{folder}')
    if how == 'by_an_application_of_its_own':
        own = importlib.import_module('pyvips').Image
        own.thumbnail(os.path.join(folder, path.rpartition('/')[2], 'file'), 10).jpegsave_buffer()
    else:
        make_variant(path, Variant(resize_to_fill=(10, 10)).to_text())
    globals()[how](path)
