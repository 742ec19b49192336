"""The pipe on which a writer notes each step of its transactions."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Iterator, Mapping

#: What a slot holds: its version, and the digest of its content or None.
State = tuple[int, 'str | None']

#: A step, and for ``committing`` the slots that the transaction has written.
Note = tuple[str, dict[int, State]]


class Notes:
    """A pipe: one process writes a line at each step of a transaction, another reads them."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._pending = b''

    def write(self, step: str, states: Mapping[int, State] | None = None) -> None:
        """One line, in one system call: a kill leaves it whole or not there at all."""
        line = json.dumps([step, [[slot, *state] for slot, state in (states or {}).items()]])
        os.write(self._writer, line.encode() + b'\n')

    def read(self, seconds: float = 0) -> Iterator[Note]:
        """The notes that are there, or come within some seconds."""
        while select.select([self._reader], [], [], seconds)[0]:
            *lines, self._pending = (self._pending + os.read(self._reader, 65536)).split(b'\n')
            yield from map(parsed, lines)
            seconds = 0

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


def parsed(line: bytes) -> Note:
    """One line that was written."""
    step, states = json.loads(line)
    return step, {slot: (version, digest) for slot, version, digest in states}
