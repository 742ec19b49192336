"""Options of the storage, checked where they come in: a settings file has texts only."""

from __future__ import annotations

from typing import Any

from google.api_core.retry import Retry
from google.cloud.storage.retry import DEFAULT_RETRY

from ...errors import ConfigurationError, WrongPolicy

CANNED_ACL_PUBLIC_READ = 'public-read'
CANNED_ACL_PRIVATE = 'private'

_POLICIES = (CANNED_ACL_PUBLIC_READ, CANNED_ACL_PRIVATE)
_CLASSES = ('STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE')

#: Bytes of which the pieces of an upload are multiples (JSON API, "Resumable uploads").
CHUNK_UNIT = 256 * 1024

#: Seconds for which a URL may be signed at most: seven days (Cloud Storage, "V4 signing process").
LONGEST_EXPIRY = 7 * 24 * 3600


def checked_policy(policy: str | None) -> str:
    """A policy; by default files are public.

    Raises :class:`~depot.errors.WrongPolicy` for one that is none of the two.
    """
    if not policy:
        return CANNED_ACL_PUBLIC_READ
    if policy not in _POLICIES:
        raise WrongPolicy(f'policy = {policy!r} is none; choose from {", ".join(_POLICIES)}')
    return policy


def checked_class(storage_class: str | None) -> str | None:
    """A storage class; None is that of the bucket."""
    name = str(storage_class).upper() if storage_class else None
    if name is not None and name not in _CLASSES:
        raise ConfigurationError(f'storage_class = {storage_class!r} is none; choose from {", ".join(_CLASSES)}')
    return name


def checked_chunk_size(size: int | str) -> int:
    """The size of the pieces of an upload, in bytes."""
    number = checked_number('chunk_size', size)
    if not number or number % CHUNK_UNIT:
        raise ConfigurationError(f'chunk_size = {size!r} is no multiple of {CHUNK_UNIT} bytes, as Google wants it')
    return int(number)


def checked_expiry(name: str, seconds: float | str) -> int:
    """For how long a signed URL works, in whole seconds."""
    number = int(checked_number(name, seconds))
    if not 0 < number <= LONGEST_EXPIRY:
        raise ConfigurationError(f'{name} = {seconds!r}: a signed URL works for 1 to {LONGEST_EXPIRY} seconds')
    return number


def checked_url(name: str, url: str | None) -> str | None:
    """A URL below which files are, without a slash at its end."""
    if not url:
        return None
    if not str(url).lower().startswith(('http://', 'https://')):
        raise ConfigurationError(f'{name} = {url!r} is none; it looks like https://host.example.com')
    return url.rstrip('/')


def checked_number(name: str, value: float | str) -> float:
    """A number that is not negative."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < float('inf'):
        raise ConfigurationError(f'{name} = {value!r} is no number of 0 or more')
    return number


def limits(timeout: float | str, retry_timeout: float | str) -> dict[str, Any]:
    """The arguments of every call to the SDK: how long one request may take, and all of its repetitions."""
    seconds = checked_number('timeout', timeout)
    if not seconds:
        raise ConfigurationError('timeout = 0: no request is answered in no time; give seconds')
    return {'timeout': seconds, 'retry': _retry(checked_number('retry_timeout', retry_timeout))}


def _retry(seconds: float) -> Retry | None:
    return DEFAULT_RETRY.with_timeout(seconds) if seconds else None
