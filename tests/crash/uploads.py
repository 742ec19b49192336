"""Uploads in a process of its own, which is killed in the middle of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from pathlib import Path

from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage

from ..io.wires import Wire
from ..services.proxy import AtByte
from . import processes

#: Everything that was begun is older.
LATER = timedelta(minutes=5)

#: Seconds until a child that does not come to its middle is given up.
PATIENCE = 120


@dataclass
class Uploads:
    """What came of them."""

    kills: int = 0
    #: After so many of them other files were there than those that had been acknowledged.
    visible: int = 0
    #: After so many of them something was there that nobody sees: before a sweep,
    unfinished: int = 0
    #: and after it.
    left: int = 0

    def __str__(self) -> str:
        return ' '.join(f'{each.name}={getattr(self, each.name)}' for each in fields(self))


class Halting:
    """A content that ends its process when so much of it has been read; that is for storages without a wire."""

    def __init__(self, size: int, halt: int) -> None:
        self._left = size
        self._halt = size - halt

    def read(self, size: int = -1) -> bytes:
        if self._left <= self._halt:
            os.kill(os.getpid(), signal.SIGKILL)
        size = min(size if size >= 0 else self._left, self._left, 64 * 1024)
        self._left -= size
        return bytes(size)


def run_local(folder: Path, size: int, number: int) -> Uploads:
    """Kills so many uploads to a folder, each when another share of the content has been read."""
    result, storage = Uploads(), LocalFileStorage(folder)
    for each in range(number):
        content = Halting(size, size * each // number)
        process = processes.fork(storage.create, content)
        assert processes.wait(process) == -signal.SIGKILL, 'it had ended by itself'
        look(result, storage, lambda: [each.name for each in folder.glob('.*.new')], [])
    return result


def run_remote(wire: Wire, size: int, number: int) -> Uploads:
    """Kills so many uploads, each when another share of its bytes has gone by; it waits for that there."""
    first = upload(wire, size)  # which does what only the first one does
    traffic = wire.proxy.arm(None)
    acknowledged = [first, upload(wire, size)]
    total = traffic.towards['server']
    result = Uploads()
    for each in range(number):
        # Its own requests before and after the content are short.
        wire.proxy.arm(fault := AtByte('server', total * (2 * each + 1) // (2 * number), 'hold', times=None))
        process = processes.fork(upload, wire, size)
        assert fault.happened.wait(PATIENCE), 'it did not come to its middle'
        processes.kill(process)
        wire.proxy.arm(None)
        look(result, wire.aside, wire.leftovers, acknowledged)
    return result


def upload(wire: Wire, size: int) -> str:
    """One upload by connections of its own."""
    with closing(wire.connect()) as storage:
        return storage.create(bytes(size))


def look(result: Uploads, storage: FileStorage, leftovers: Callable[[], list[str]], acknowledged: list[str]) -> None:
    """Counts what is there after a kill; then sweeps, and counts again."""
    result.kills += 1
    result.visible += sorted(storage.list()) != acknowledged
    result.unfinished += bool(leftovers())
    storage.clean(datetime.now(timezone.utc) + LATER)
    result.left += bool(leftovers())
