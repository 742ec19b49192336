"""Cancelled at its first await, its second, its third …: a transaction leaves no file without a row, nor the other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from depot.transactions.ledger import Ledger

from ..cancelling import Cancel, Cancellation, each_way_to_cancel
from ..ticking import FOREVER
from .coroutines import (
    SCENARIOS,
    assigns_where_sqlalchemy_can_await,
    deletes_by_a_statement,
    fails,
    is_closed,
    replaces,
    rolls_back_before_any_flush,
    uploads,
)
from .coroutines import connect as connect
from .coroutines import driver as driver
from .coroutines import engine as engine
from .coroutines import forgetful as forgetful
from .laws import holds
from .models import Base

pytestmark = [
    pytest.mark.parametrize('storage', ['local'], indirect=True),
    pytest.mark.usefixtures('forgetful'),
    # What a driver, or SQLAlchemy, has to say about a connection whose closing was cancelled.
    pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning'),
    pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning'),
    pytest.mark.filterwarnings('ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning'),
]


async def finish(task: asyncio.Task[Any]) -> None:
    """Returns when the task, and what it left to other tasks, is done, cancelled or not."""
    others = {task}
    while others:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(others)
        others = asyncio.all_tasks() - {asyncio.current_task()}
    # psycopg asserts that nobody cancels it while it begins a pipeline.
    with contextlib.suppress(asyncio.CancelledError, AssertionError):
        task.result()


Check = Callable[[], object]


async def cancel_at_each_await(scenario: Any, cancel: Cancel, connect: Any, check: Check, empty: Check) -> None:
    """Runs the scenario, cancelled at its first await, its second …, until it passes untouched; checks each time."""

    async def run() -> None:
        async with AsyncSession(engine) as session:
            await scenario(session)

    async def cancelled(cancellation: Cancellation) -> None:
        await cancellation.during(run())

    async with connect() as engine:
        for nth in itertools.count(1):
            cancellation = Cancellation(nth, cancel)
            await finish(asyncio.ensure_future(cancelled(cancellation)))
            await at_rest(check)
            if not cancellation.has_come:
                break
            empty()
    assert nth > 3


async def at_rest(check: Check) -> None:
    """Checks, but gives the garbage collector, and what it leaves to threads, some time before it fails."""
    deadline = time.monotonic() + FOREVER
    while time.monotonic() < deadline:
        gc.collect()
        with contextlib.suppress(AssertionError):
            check()
            return
        await asyncio.sleep(0.01)
    check()


def empty(engine: Engine, storage: Any, *tables: Table) -> None:
    for some in reversed(Base.metadata.sorted_tables), tables:  # a ledger after the rows that it counts
        with engine.begin() as connection:
            for table in some:
                connection.execute(table.delete())
    assert not storage.delete_many(storage.list())


# What awaits the same as others do.
ALIKE = {is_closed, fails, rolls_back_before_any_flush, assigns_where_sqlalchemy_can_await, deletes_by_a_statement}


@each_way_to_cancel
@pytest.mark.parametrize('scenario', [each for each in SCENARIOS if each not in ALIKE], ids=lambda each: each.__name__)
def test_a_cancellation_at_any_await_breaks_no_law(
    scenario: Any, cancel: Cancel, connect: Any, engine: Engine, storage: Any
) -> None:
    check = partial(holds, storage, engine)
    asyncio.run(cancel_at_each_await(scenario, cancel, connect, check, partial(empty, engine, storage)))
    assert check() == SCENARIOS[scenario]


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    """A ledger for the models."""
    ledger = Ledger(MetaData(), Base.metadata)
    ledger.table.metadata.create_all(engine)
    yield ledger
    ledger.table.metadata.drop_all(engine)
    Base.metadata.info.clear()


def agrees(ledger: Ledger, engine: Engine, storage: Any) -> None:
    """Fails unless the ledger counts one row of each file in the storage, and has marked none."""
    holds(storage, engine)
    with engine.connect() as connection:
        entries = connection.execute(select(ledger.table)).all()
    assert {each.file for each in entries} == {f'default/{each}' for each in storage.list()}
    assert {(each.state, each.refs) for each in entries} <= {('live', 1)}


@each_way_to_cancel
@pytest.mark.parametrize('scenario', [uploads, replaces, deletes_by_a_statement], ids=lambda each: each.__name__)
def test_the_ledger_agrees_after_a_cancellation_at_any_await(
    scenario: Any, cancel: Cancel, connect: Any, engine: Engine, storage: Any, ledger: Ledger
) -> None:
    check = partial(agrees, ledger, engine, storage)
    clear = partial(empty, engine, storage, ledger.table)
    asyncio.run(cancel_at_each_await(scenario, cancel, connect, check, clear))
