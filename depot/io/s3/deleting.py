"""Removing many objects, a thousand by one request."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from ..ids import valid_ids
from ..objects.derived import Derived
from ..objects.keys import Keys
from .failures import UNSUPPORTED, S3Failure
from .requests import Requests

#: S3 API Reference, "DeleteObjects".
BATCH = 1000

# Per object, what may well work the next time; whole requests are sent again by botocore.
_PASSING = frozenset({'InternalError', 'ServiceUnavailable', 'SlowDown'})


def delete_files(requests: Requests, keys: Keys, derived: Derived, ids: Iterable[Any]) -> dict[str, Exception]:
    """Removes files, and what is derived from them; returns the ids of those that it could not, with the reason."""
    failures: dict[str, Exception] = {}
    wanted = valid_ids(ids, keys.key, failures)
    while batch := {key: keys.id_of(key) for key in itertools.islice(wanted, BATCH)}:
        failed = delete_objects(requests, [*batch])
        failures.update(derived.clear([file_id for key, file_id in batch.items() if key not in failed]))
        failures.update({batch[key]: error for key, error in failed.items()})
    return failures


def delete_objects(requests: Requests, keys: list[str]) -> dict[str, Exception]:
    """Removes up to :data:`BATCH` objects; returns the keys of those that it could not, with the reason."""
    failed = _delete(requests, keys)
    if again := [key for key, error in failed.items() if getattr(error, 'code', None) in _PASSING]:
        failed = {**{key: failed[key] for key in failed if key not in again}, **_delete(requests, again)}
    return failed


def _delete(requests: Requests, keys: list[str]) -> dict[str, Exception]:
    try:
        answer = requests('delete_objects', Delete={'Objects': [{'Key': key} for key in keys], 'Quiet': True})
    except S3Failure as error:
        if error.code in UNSUPPORTED:
            return dict(_deleted_singly(requests, keys))
        return dict.fromkeys(keys, error)
    return {each['Key']: _failure(requests, each) for each in answer.get('Errors', ())}


def _deleted_singly(requests: Requests, keys: list[str]) -> Iterator[tuple[str, Exception]]:
    for key in keys:
        try:
            requests('delete_object', key)
        except S3Failure as error:
            yield key, error


def _failure(requests: Requests, answer: dict[str, Any]) -> S3Failure:
    key, code = answer['Key'], answer.get('Code', '')
    reason = f'{code}: {answer.get("Message", "")}'
    return S3Failure(f'cannot delete {requests.place(key)}: {reason}', key, code=code)
