"""Errors of Google's packages, told in our own words: what was asked, what is wrong, which option to change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from google.auth.exceptions import GoogleAuthError, TransportError

from ...errors import DepotError, StorageFailure

_ADVICE = {
    400: 'change the option that it names',
    401: 'change the option credentials: they are wrong, or have expired',
    403: 'change the option credentials, or bucket; or give the account the role Storage Object Admin on the bucket',
    404: 'the bucket is gone: change the option bucket',
    412: 'another writer was faster',
    429: 'it is asked for too much at a time: raise the option retry_timeout',
}
_UNREACHABLE = (
    'if this lasts, see that the network and the option endpoint_url are right, or raise timeout or retry_timeout'
)
_NO_TOKEN = 'change the option credentials: Google gives no token for them'


@contextlib.contextmanager
def failing(what: str, path: str) -> Iterator[None]:
    """Turns what a call raises when it is not done into :class:`~depot.errors.StorageFailure`.

    ``what`` is what was asked, as in 'delete the object'; ``path`` is the object, or the bucket.
    """
    try:
        yield
    except DepotError:
        raise
    except Exception as error:  # of an answer that is cut off, the SDK raises whatever it comes across
        raise failure(what, path, error) from error


def failure(what: str, path: str, error: Exception) -> StorageFailure:
    """The error to raise in place of one of Google's packages, which is to be chained."""
    return StorageFailure(f'cannot {what} {path}: {_reason(error)}; {advice(error)}', path)


def advice(error: BaseException) -> str:
    """What would help."""
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return _NO_TOKEN
    return _ADVICE.get(status(error), _UNREACHABLE)


def status(error: BaseException) -> int:
    """The status of the answer that an error tells of; 0 where there was none."""
    response = getattr(error, 'response', None)
    code = getattr(error, 'code', None) or getattr(response, 'status_code', None)
    return int(code) if isinstance(code, int) else 0


def _reason(error: BaseException) -> str:
    message = getattr(error, 'message', None) or str(error) or type(error).__name__
    return f'{message}'[:500]
