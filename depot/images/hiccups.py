"""Failures of the machine, told from those of an image: they pass, and nobody may remember an image for them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from ..errors import DepotError, StorageFailure

# Others, such as EINVAL, are of what a broken file has asked for.
_NUMBERS = (
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOENT, errno.EACCES, errno.EPERM),
    *(errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN),
)

# What libvips says itself; of its libraries some say that there is no memory when a file asks for far too much.
_SAYINGS = {'out of memory -- size': errno.ENOMEM, 'unable to create thread': errno.EAGAIN}


def is_of_machine(error: OSError) -> bool:
    """Whether it is the operating system that cannot do it; the libraries raise such errors for broken files, too."""
    return error.errno in _NUMBERS


def in_text(text: str) -> OSError | MemoryError | None:
    """The error that a library tells of in words, if it is of the operating system."""
    sayings = {**_SAYINGS, **{os.strerror(number): number for number in _NUMBERS}}
    number = next((number for saying, number in sayings.items() if saying in text), None)
    if number is None:
        return None
    return MemoryError(text) if number == errno.ENOMEM else OSError(number, text)


@contextlib.contextmanager
def machine_failures() -> Iterator[None]:
    """They become :class:`~depot.errors.StorageFailure`; but for a file that is gone, which is left as it is."""
    try:
        yield
    except (DepotError, FileNotFoundError):
        raise
    except MemoryError as error:
        raise StorageFailure('there is not enough memory to decode an image', errno=errno.ENOMEM) from error
    except OSError as error:
        raise StorageFailure(f'an image cannot be decoded now: {error}', errno=error.errno) from error
