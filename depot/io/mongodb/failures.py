"""What the driver raises, in our words: what was asked, what is wrong, and which option to change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bson.errors import BSONError
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from ...errors import StorageFailure

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18

_ADVICE: dict[type[PyMongoError], str] = {
    ServerSelectionTimeoutError: 'no server answered in the time of serverSelectionTimeoutMS; '
    'are the hosts of mongouri right?',
    NetworkTimeout: 'the server did not answer in the time of socketTimeoutMS, an option of mongouri',
    ExecutionTimeout: 'it took longer than the server may, or than timeoutMS in mongouri',
    ConnectionFailure: 'the connection to the server broke',
}


@contextlib.contextmanager
def failing(task: str, where: str) -> Iterator[None]:
    """Raises :class:`~depot.errors.StorageFailure` in place of the driver's errors: ``task`` could not be done."""
    try:
        yield
    except (PyMongoError, BSONError) as error:
        raise StorageFailure(f'cannot {task} in {where}: {_advice(error)}: {_shortened(error)}', where) from error


def is_refused(error: Exception) -> bool:
    """Whether nothing was written: the server has refused it, or it was never sent.

    Not a key that is there already: that may be of the same write, whose first answer was lost.
    """
    return isinstance(error, (WriteError, BSONError)) and not isinstance(error, DuplicateKeyError)


def _advice(error: PyMongoError | BSONError) -> str:
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return 'the server refuses the credentials; check user, password and authSource of mongouri'
    if isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
        return 'the user of mongouri may not; it needs the role readWrite on this database'
    return next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), type(error).__name__)


def _shortened(error: PyMongoError | BSONError) -> str:
    return ' '.join(str(error).split())[:200]
