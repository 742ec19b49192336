"""What a decision about files does to the storages: durable before, removed after."""

from __future__ import annotations

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


def remove(files: Iterable[str]) -> None:
    """Removes these files, given as ``'storage/id'``: tries all, logs what fails, raises nothing."""
    for name, ids in _by_storage(files).items():
        for file_id, error in _remove(name, ids).items():
            log.error('could not remove %s/%s, it stays in the storage', name, file_id, exc_info=error)


def _remove(name: str, ids: Collection[str]) -> Mapping[str, Exception]:
    try:
        storage = DepotManager.require(name)
        if len(ids) > 1 and 'batch_delete' in _capabilities(storage):
            return storage.delete_many(ids)
    except Exception as error:
        return dict.fromkeys(ids, error)
    return _delete_each(storage, ids)


def _delete_each(storage: Any, ids: Iterable[str]) -> dict[str, Exception]:
    failures: dict[str, Exception] = {}
    for file_id in ids:
        try:
            storage.delete(file_id)
        except Exception as error:
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
