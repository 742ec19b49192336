"""What a decision about files does to the storages: durable before, removed after."""

from __future__ import annotations

import itertools
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..manager import DepotManager

log = logging.getLogger('depot.transactions')


def sync(files: Iterable[str]) -> None:
    """Returns when these files, given as ``'storage/id'``, would survive a power loss.

    Raises what a storage raises.
    """
    for name, ids in _by_storage(files).items():
        storage = DepotManager.require(name)
        if 'sync' in _capabilities(storage):
            storage.sync(ids)


def remove(files: Iterable[str]) -> dict[str, BaseException]:
    """Removes these files, given as ``'storage/id'``; returns those that it could not, with the reason.

    Tries all, logs what fails, and raises nothing but an interruption such as
    KeyboardInterrupt, and that only after all were tried.
    """
    failures: dict[str, BaseException] = {}
    for name, ids in _by_storage(files).items():
        failed = {f'{name}/{file_id}': error for file_id, error in _remove(name, ids).items()}
        _remember(file for file in (f'{name}/{each}' for each in ids) if file not in failed)
        failures.update(failed)
    for file, error in failures.items():
        log.error('could not remove %s, it stays in the storage', file, exc_info=error)
    for error in failures.values():
        if not isinstance(error, Exception):
            raise error
    return failures


def may_be_removed(file: str) -> bool:
    """Whether this process removed the file, given as ``'storage/id'``, not long ago; :func:`is_removed` asks on."""
    return file in _removed


def is_removed(file: str) -> bool:
    """Whether the file is not in its storage."""
    name, _, file_id = file.partition('/')
    return not DepotManager.require(name).exists(file_id)


# The files that were removed last, in that order: what may still be in some object's memory.
_removed: dict[str, None] = {}
_REMEMBERED = 10_000


def _remember(files: Iterable[str]) -> None:
    _removed.update(dict.fromkeys(files))
    for oldest in list(itertools.islice(_removed, max(0, len(_removed) - _REMEMBERED))):
        _removed.pop(oldest, None)


def _remove(name: str, ids: Collection[str]) -> Mapping[str, BaseException]:
    try:
        storage = DepotManager.require(name)
        if len(ids) > 1 and 'batch_delete' in _capabilities(storage):
            return dict(storage.delete_many(ids))
    except BaseException as error:
        return dict.fromkeys(ids, error)
    return _delete_each(storage, ids)


def _delete_each(storage: Any, ids: Iterable[str]) -> dict[str, BaseException]:
    failures: dict[str, BaseException] = {}
    for file_id in ids:
        try:
            storage.delete(file_id)
        except BaseException as error:
            failures[file_id] = error
    return failures


def _by_storage(files: Iterable[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files):
        name, _, file_id = file.partition('/')
        grouped[name].append(file_id)
    return grouped


def _capabilities(storage: Any) -> Any:
    # A storage that an application wrote for the published package may not even derive from FileStorage.
    return getattr(storage, 'capabilities', ())
