"""Answers of this second: a small file that many ask for at once is read once, and looked at each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from ..errors import InvalidFileId
from ..io.settings import StorageSettings
from ..manager import DepotManager
from .delivery import Delivery

#: Bytes of contents that are kept, at most.
_MOST_BYTES = 16 * 1024 * 1024


class _Recent(NamedTuple):
    """An answer, and all that it depends on but the path."""

    storage: Any
    settings: StorageSettings
    version: tuple[int, ...]
    delivery: Delivery


class RecentAnswers:
    """The answers to plain requests for public files, each for a second, and only while nothing has changed.

    Whether a file has changed is asked of its storage each time, which has to
    tell it without reading: see :meth:`depot.io.local.LocalFileStorage.version`.
    Of other storages nothing is kept. Threads need not wait for one another:
    the worst that can happen is that something is made anew.
    """

    def __init__(self) -> None:
        self._second = 0
        self._answers: dict[str, _Recent] = {}
        self._free = _MOST_BYTES

    def answer(self, path: str, settings: StorageSettings, make: Callable[[], Delivery]) -> Delivery:
        """The answer to a GET for this path; ``make`` makes it."""
        name, _, file_id = path.partition('/')
        storage = DepotManager.get(name)
        version = _version(storage, file_id)
        if version is None:
            return make()
        answers = self._of_this_second()
        recent = answers.get(path)
        if recent is not None and recent[:3] == (storage, settings, version):
            return recent.delivery._replace(headers=[*recent.delivery.headers])
        delivery = make()
        if version == _version(storage, file_id):
            self._keep(answers, path, _Recent(storage, settings, version, delivery))
        return delivery

    def _of_this_second(self) -> dict[str, _Recent]:
        second = int(time.time())
        if second != self._second:
            self._second, self._answers, self._free = second, {}, _MOST_BYTES
        return self._answers

    def _keep(self, answers: dict[str, _Recent], path: str, recent: _Recent) -> None:
        status, headers, body = recent.delivery
        if status is HTTPStatus.OK and isinstance(body, bytes) and len(body) <= self._free:
            self._free -= len(body)
            answers[path] = recent._replace(delivery=Delivery(status, [*headers], body))


def _version(storage: Any, file_id: str) -> tuple[int, ...] | None:
    version_of = getattr(storage, 'version', None)
    try:
        version = version_of(file_id) if version_of else None
    except InvalidFileId:
        return None
    return version if isinstance(version, tuple) else None
