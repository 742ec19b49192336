"""A forked process has connections of its own."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Session(Protocol):
    """What keeps connections open; it opens new ones after it was closed."""

    def close(self) -> object: ...


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def close_in_children(session: Session) -> None:
    """Makes a process that is forked later close its copies of the connections that are open then.

    Servers fork workers after the application has configured its storages. On a connection that they all have, each
    would read what was the answer to another. Closing a copy does not end the parent's connection.
    """
    _sessions.add(session)


def _close() -> None:
    for each in [*_sessions]:
        each.close()


if hasattr(os, 'register_at_fork'):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_close)
