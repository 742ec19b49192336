"""Under asyncio: the loop goes on while a storage works."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from depot.errors import StorageFailure
from depot.fields.upload import UploadedFile
from depot.io.faults import Fault, FaultyStorage
from depot.manager import DepotManager

from ..ticking import FOREVER, Ticker
from .coroutines import SCENARIOS, each_scenario, field, replaces
from .coroutines import connect as connect
from .coroutines import driver as driver
from .coroutines import engine as engine
from .coroutines import forgetful as forgetful
from .laws import contents, holds
from .models import Document, Letter

pytestmark = pytest.mark.parametrize('storage', ['local'], indirect=True)


# -- the loop goes on


@pytest.fixture
def watched(storage: Any) -> Iterator[Ticker]:
    """What watches the loop while the storage works."""
    ticker = Ticker()
    with DepotManager.override(FaultyStorage(storage, Fault(when=None, times=None, does=ticker.step))):
        yield ticker


@each_scenario
def test_the_loop_goes_on(scenario: Any, connect: Any, engine: Engine, storage: Any, watched: Ticker) -> None:
    async def main() -> None:
        async with connect() as engine, watched.ticking(), AsyncSession(engine) as session:
            await scenario(session)

    asyncio.run(main())
    assert watched.blocked == []
    assert watched.steps > 0
    assert holds(storage, engine) == SCENARIOS[scenario]


def test_the_loop_goes_on_during_a_statement_of_a_connection(
    connect: Any, engine: Engine, storage: Any, watched: Ticker
) -> None:
    async def main() -> None:
        async with connect() as engine, watched.ticking():
            async with engine.begin() as connection:
                await connection.execute(insert(Document.__table__), [{'content': b'one'}, {'content': b'two'}])
            async with engine.begin() as connection:
                await connection.execute(delete(Document.__table__).where(Document.id == 1))

    asyncio.run(main())
    assert watched.blocked == []
    assert len(holds(storage, engine)) in (1, 2)


def test_what_watches_the_loop_sees_a_plain_assignment(connect: Any, watched: Ticker) -> None:
    async def main() -> None:
        async with connect() as engine, watched.ticking(), AsyncSession(engine) as session:
            session.add(Document(content=b'new'))
            await session.commit()

    asyncio.run(main())
    assert watched.blocked != []


# -- plain use


def test_a_plain_assignment_works(connect: Any, engine: Engine, storage: Any) -> None:
    async def main() -> None:
        async with connect() as engine, AsyncSession(engine, expire_on_commit=False) as session:
            document = Document(content=b'first')
            session.add(document)
            await session.commit()
            document.content = b'second'
            await session.commit()

    asyncio.run(main())
    assert holds(storage, engine) == [b'second']


def test_a_commit_has_removed_what_it_let_go_when_it_returns(connect: Any, storage: Any) -> None:
    async def main() -> list[bytes]:
        async with connect() as engine, AsyncSession(engine) as session:
            await replaces(session)
            return contents(storage)

    assert asyncio.run(main()) == [b'new']


def test_an_upload_that_fails_raises_from_its_await_and_leaves_the_session_usable(
    connect: Any, engine: Engine, storage: Any
) -> None:
    async def main() -> None:
        async with connect() as engine, AsyncSession(engine) as session:
            with (
                DepotManager.override(FaultyStorage(storage, Fault('create', 'middle'))),
                pytest.raises(StorageFailure),
            ):
                await field.upload_async(b'never')
            with DepotManager.override(FaultyStorage(storage, Fault('create'))):
                with pytest.raises(StorageFailure):
                    await session.execute(insert(Document).values(content=b'never'))
                session.add(Document(content=await field.upload_async(b'new')))
                await session.commit()

    asyncio.run(main())
    assert holds(storage, engine) == [b'new']


def test_a_file_that_cannot_be_made_durable_fails_the_commit(connect: Any, engine: Engine, storage: Any) -> None:
    async def main() -> None:
        async with connect() as engine, AsyncSession(engine) as session:
            session.add(Document(content=await field.upload_async(b'never')))
            with pytest.raises(StorageFailure):
                await session.commit()

    with DepotManager.override(FaultyStorage(storage, Fault('sync'))):
        asyncio.run(main())
    assert holds(storage, engine) == []


def test_an_upload_has_the_name_and_the_type_that_it_was_given(storage: Any) -> None:
    uploaded = asyncio.run(field.upload_async(b'new', 'name.txt', 'text/special'))
    assert isinstance(uploaded, UploadedFile)
    assert (uploaded.filename, uploaded.content_type) == ('name.txt', 'text/special')


def test_uploads_of_many_go_up_side_by_side(storage: Any) -> None:
    together = threading.Barrier(5, timeout=FOREVER)

    async def main() -> list[Any]:
        return await asyncio.gather(*(field.upload_async(str(each).encode()) for each in range(50)))

    with DepotManager.override(FaultyStorage(storage, Fault('create', times=None, does=together.wait))):
        stored = asyncio.run(main())
    assert len(stored) == 50
    assert contents(storage) == sorted(str(each).encode() for each in range(50))


def test_the_contents_of_a_statement_go_up_side_by_side(connect: Any, engine: Engine, storage: Any) -> None:
    together = threading.Barrier(5, timeout=FOREVER)

    async def main() -> None:
        async with connect() as engine, AsyncSession(engine) as session:
            await session.execute(insert(Document), [{'content': str(each).encode()} for each in range(10)])
            await session.commit()

    with DepotManager.override(FaultyStorage(storage, Fault('create', times=None, does=together.wait))):
        asyncio.run(main())
    assert holds(storage, engine) == [str(each).encode() for each in range(10)]


# -- who is forgotten


async def until_removed(storage: Any) -> None:
    """Waits until what was forgotten has gone: a thread removes it."""
    while storage.list():
        gc.collect()
        await asyncio.sleep(0.01)


# What SQLAlchemy and psycopg say of the connection.
@pytest.mark.filterwarnings('ignore:.* was deleted while still open:ResourceWarning')
@pytest.mark.filterwarnings('ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning')
@pytest.mark.usefixtures('forgetful')
@pytest.mark.parametrize('got_to', ['nowhere', 'session', 'row'])
def test_a_forgotten_session_removes_its_files_while_the_loop_goes_on(
    got_to: str, connect: Any, storage: Any, watched: Ticker
) -> None:
    async def forget(engine: AsyncEngine) -> None:
        session = AsyncSession(engine)
        document = Document(content=await field.upload_async(b'never'))
        if got_to != 'nowhere':
            session.add(document)
        if got_to == 'row':
            await session.flush()
            raw = await (await session.connection()).get_raw_connection()
            connections.add(raw.driver_connection)

    async def main() -> None:
        async with connect() as engine, watched.ticking():
            await forget(engine)
            await until_removed(storage)
            while connections:  # for whose locks the next test would wait
                gc.collect()
                await asyncio.sleep(0.01)

    connections: weakref.WeakSet[Any] = weakref.WeakSet()
    asyncio.run(asyncio.wait_for(main(), FOREVER))
    assert watched.blocked == []


# -- cancellation


@pytest.mark.skipif(sys.version_info < (3, 11), reason='impossible here: no asyncio.timeout')
def test_a_timeout_during_an_upload_is_a_timeout(connect: Any, engine: Engine, storage: Any) -> None:
    async def main() -> None:
        is_over = threading.Event()
        loop = asyncio.get_running_loop()

        def expire() -> None:
            loop.call_soon_threadsafe(timeout.reschedule, loop.time())
            loop.call_soon_threadsafe(loop.call_later, 0.05, is_over.set)
            assert is_over.wait(FOREVER)

        async with connect() as engine, AsyncSession(engine) as session:
            with DepotManager.override(FaultyStorage(storage, Fault('create', does=expire))):
                async with asyncio.timeout(None) as timeout:
                    session.add(Letter())
                    await session.commit()

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert holds(storage, engine) == []


@pytest.mark.parametrize(('step', 'left'), [('sync', []), ('delete', [b'new'])])
def test_a_cancellation_rolls_back_until_commit_is_sent_and_no_later(
    step: Any, left: Any, connect: Any, engine: Engine, storage: Any
) -> None:
    async def main() -> None:
        is_noticed = threading.Event()
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)
            loop.call_soon_threadsafe(loop.call_later, 0.05, is_noticed.set)
            assert is_noticed.wait(FOREVER)

        async def work() -> None:
            async with connect() as engine, AsyncSession(engine) as session:
                document = Document(content=await field.upload_async(b'old'))
                session.add(document)
                await session.flush()
                document.content = await field.upload_async(b'new')
                with DepotManager.override(FaultyStorage(storage, Fault(step, does=cancel))):
                    await session.commit()
                    await asyncio.sleep(0)

        task = asyncio.ensure_future(work())
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert holds(storage, engine) == left


def test_a_cancelled_gather_of_uploads_leaves_nothing(storage: Any) -> None:
    async def main() -> None:
        uploads = asyncio.gather(*(field.upload_async(b'never') for _ in range(50)))
        while not storage.list():
            await asyncio.sleep(0)
        uploads.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploads
        del uploads
        await until_removed(storage)

    asyncio.run(asyncio.wait_for(main(), FOREVER))


def test_when_one_upload_of_many_fails_the_others_are_removed(storage: Any) -> None:
    async def main() -> None:
        with pytest.raises(StorageFailure):
            await asyncio.gather(*(field.upload_async(b'never') for _ in range(50)))
        await until_removed(storage)

    with DepotManager.override(FaultyStorage(storage, Fault('create', nth=20))):
        asyncio.run(asyncio.wait_for(main(), FOREVER))


def test_a_cancelled_upload_of_a_file_that_is_stored_keeps_it(storage: Any) -> None:
    async def main() -> None:
        stored = await field.upload_async(b'stored')
        again = asyncio.ensure_future(field.upload_async(stored))
        await asyncio.sleep(0)
        again.cancel()
        with pytest.raises(asyncio.CancelledError):
            await again
        assert contents(storage) == [b'stored']

    asyncio.run(main())
