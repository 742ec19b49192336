"""SHA-256 beside the network: the next chunks come while those that are here are digested."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

# So many bytes are worth a thread; below, one chunk or two are digested sooner than it has started.
_WORTH_A_THREAD = 4 * 1024 * 1024

# So many pieces wait to be digested, at most: twice what comes at a time, else the network would wait for them.
_WAITING = 32


class Digest:
    """The SHA-256 of so many bytes, which come piece by piece."""

    def __init__(self, size: int) -> None:
        self._sha256 = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, 'depot-digest') if size >= _WORTH_A_THREAD else None
        self._waiting: deque[Future[None]] = deque()

    def update(self, data: bytes) -> None:
        if self._thread is None:
            self._sha256.update(data)
            return
        self._waiting.append(self._thread.submit(self._sha256.update, data))
        if len(self._waiting) > _WAITING:
            self._waiting.popleft().result()

    def checksum(self) -> str:
        """``sha256:`` and the digest in hexadecimal digits; nothing can come after it."""
        self.close()
        return f'sha256:{self._sha256.hexdigest()}'

    def close(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._thread.shutdown()
