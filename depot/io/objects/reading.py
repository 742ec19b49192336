"""Reading an object to its end, and knowing that it was the end."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Protocol

from ...errors import StorageFailure
from ..ranges import RawReader

_BLOCK_SIZE = 256 * 1024


class Body(Protocol):
    """A backend's stream of bytes."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> object: ...


class ObjectReader(RawReader):
    """Reads a backend's stream to its end.

    It never ends early without a word: it raises :class:`~depot.errors.StorageFailure`
    if there are more or fewer bytes than ``length``, if they do not have this
    ``checksum`` (None where it is unknown, and for a part of an object), and in
    place of the backend's own ``errors``. Nothing more is read once it failed.
    ``what`` says in messages what is read.
    """

    def __init__(
        self,
        body: Body,
        what: str,
        length: int | None,
        checksum: str | None = None,
        errors: tuple[type[Exception], ...] = (OSError,),
    ) -> None:
        super().__init__()
        self._body = body
        self._what = what
        self._length = length
        self._checksum = checksum
        self._errors = errors
        self._digest = hashlib.sha256()
        self._count = 0
        self._failure: StorageFailure | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.closed:
            raise ValueError('I/O operation on closed file')
        try:
            return self._all() if size is None or size < 0 else self._next(size) if size else b''
        except BaseException as error:
            if self._failure is None:  # what was read is lost: to go on would be to leave it out
                self._failed(f'it was interrupted by {type(error).__name__}')
            raise

    def readall(self) -> bytes:
        return self.read()

    def _all(self) -> bytes:
        return b''.join(iter(lambda: self._next(_BLOCK_SIZE), b''))

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            super().close()

    def _next(self, size: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        block = self._attempted(lambda: self._body.read(size))
        self._count += len(block)
        if self._checksum is not None:
            self._digest.update(block)
        if not block or self._count >= self._expected:  # before the last block is given: nobody uses what is wrong
            self._check_length()
            self._check_checksum()
        return block

    @property
    def _expected(self) -> float:
        return math.inf if self._length is None else self._length

    def _attempted(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except self._errors as error:
            raise self._failed(f'after {self._count} bytes: {error}') from error

    def _check_length(self) -> None:
        if self._length is not None and self._count != self._length:
            raise self._failed(f'it ended after {self._count} of {self._length} bytes')

    def _check_checksum(self) -> None:
        found = f'sha256:{self._digest.hexdigest()}'
        if self._checksum is not None and found != self._checksum:
            raise self._failed(f'its bytes have the checksum {found}, and were stored with {self._checksum}')

    def _failed(self, reason: str) -> StorageFailure:
        self._failure = StorageFailure(f'cannot read {self._what}: {reason}', self._what)
        return self._failure
