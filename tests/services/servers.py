"""What every private server of the tests needs: a folder, a port, another user than root."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def data_folder(user: str) -> Iterator[Path]:
    """The user's folder; its parents are open to everybody, which those of ``tmp_path`` are not."""
    folder = Path(tempfile.mkdtemp(prefix=f'depot-{user}-'))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder)


def as_user(name: str) -> dict[str, Any]:
    """Options of ``subprocess`` that run a program as this user: database servers refuse to be run by root."""
    return {'user': name, 'group': name, 'extra_groups': []} if os.getuid() == 0 else {}


def free_port() -> int:
    """A loopback port that nobody listens on, and that for a minute nobody gets but who asks for this very one."""
    # After a connection that its server ended it waits (RFC 9293 section 3.6.1: TIME-WAIT). Meanwhile the operating
    # system gives it to no client, and to no server that takes any port, but to one that asks for it (SO_REUSEADDR).
    with socket.create_server(('127.0.0.1', 0)) as listening:
        port: int = listening.getsockname()[1]
        with socket.create_connection(('127.0.0.1', port)):
            listening.accept()[0].close()
    return port
