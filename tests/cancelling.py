"""Cancels a coroutine when it awaits for the first time, the second time, the third time …"""

from __future__ import annotations

import asyncio
import itertools
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

Cancel = Callable[[asyncio.Task[Any], Any], object]


def before_the_answer(task: asyncio.Task[Any], _awaited: Any) -> None:
    task.cancel()


def after_the_answer(task: asyncio.Task[Any], awaited: Any) -> None:
    """When what is awaited is done, but the task does not know yet."""
    if awaited is None:
        task.cancel()
    else:
        awaited.add_done_callback(lambda _: task.cancel())


def all_that_run(_task: asyncio.Task[Any], _awaited: Any) -> None:
    """As a loop that shuts down does."""
    for each in asyncio.all_tasks():
        each.cancel()


class Cancellation:
    """Comes when a coroutine awaits for the ``nth`` time."""

    def __init__(self, nth: int, cancel: Cancel) -> None:
        self.has_come = False
        self._nth = nth
        self._cancel = cancel

    @types.coroutine
    def during(self, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        go_on, result = coroutine.send, None
        for count in itertools.count(1):
            try:
                awaited = go_on(result)
            except StopIteration:
                return
            if count == self._nth:
                self.has_come = True
                self._cancel(asyncio.current_task(), awaited)
            try:
                go_on, result = coroutine.send, (yield awaited)
            except BaseException as error:
                go_on, result = coroutine.throw, error


each_way_to_cancel = pytest.mark.parametrize(
    'cancel', [before_the_answer, after_the_answer, all_that_run], ids=lambda each: each.__name__
)
