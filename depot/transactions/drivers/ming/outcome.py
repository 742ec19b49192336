"""How a write ended that raised an error."""

from __future__ import annotations

from pymongo.errors import OperationFailure, PyMongoError, WriteConcernError


def was_refused(error: BaseException) -> bool:
    """Whether the server answered that it has not done it.

    The drivers' specification calls an error retryable after which the write may
    have been done; one of a write concern says that it was done, on one server at
    least.
    """
    if not isinstance(error, OperationFailure) or isinstance(error, WriteConcernError):
        return False
    return not error.has_error_label('RetryableWriteError')


def is_on_its_way(error: BaseException) -> bool:
    """Whether the server may yet do it: the connection was lost, or this process interrupted."""
    return isinstance(error, PyMongoError) or not isinstance(error, Exception)
