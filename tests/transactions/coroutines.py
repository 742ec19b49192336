"""What is done under asyncio, with each driver, and what the storage holds after it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from ..services.sqlite import with_real_transactions
from .models import Album, Document, Letter

#: By the name of the driver: the kind of database.
DRIVERS = {'aiosqlite': 'sqlite', 'asyncpg': 'postgresql', 'psycopg': 'postgresql'}

field: Any = Document.__table__.c.content.type


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """The name of a driver for asyncio."""
    name: str = request.param
    return name


@pytest.fixture
def engine(driver: str, make_engine: Callable[..., Engine]) -> Engine:
    """The driver's database, without asyncio."""
    return make_engine(DRIVERS[driver])


@pytest.fixture
def connect(engine: Engine, driver: str) -> Callable[[], contextlib.AbstractAsyncContextManager[AsyncEngine]]:
    """Opens the database for asyncio; to be called, and left, in one loop."""

    @contextlib.asynccontextmanager
    async def connected() -> AsyncIterator[AsyncEngine]:
        query = {} if driver == 'asyncpg' else engine.url.query
        connected = create_async_engine(engine.url.set(drivername=f'{DRIVERS[driver]}+{driver}', query=query))
        if driver == 'aiosqlite':
            with_real_transactions(connected.sync_engine)
        try:
            yield connected
        finally:
            await connected.dispose()

    return connected


@pytest.fixture
def forgetful() -> Iterator[None]:
    """No log keeps a connection or an error, and the garbage collector looks only at what the test makes."""
    logging.disable()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    logging.disable(logging.NOTSET)


async def document(session: AsyncSession, content: bytes) -> Document:
    """A committed row."""
    document = Document(content=await field.upload_async(content))
    session.add(document)
    await session.commit()
    await session.refresh(document)
    return document


async def uploads(session: AsyncSession) -> None:
    session.add(Document(content=await field.upload_async(b'new')))
    await session.commit()


async def flushes_what_a_default_stores(session: AsyncSession) -> None:
    session.add(Letter())
    await session.flush()
    await session.commit()


async def inserts_contents(session: AsyncSession) -> None:
    await session.execute(insert(Document), [{'content': b'one'}, {'content': b'two'}])
    await session.commit()


async def updates_with_a_content(session: AsyncSession) -> None:
    old = await document(session, b'old')
    await session.execute(update(Document).where(Document.id == old.id).values(content=b'new'))
    await session.commit()


async def deletes_by_a_statement(session: AsyncSession) -> None:
    await document(session, b'old')
    await session.execute(delete(Document))
    await session.commit()


async def replaces(session: AsyncSession) -> None:
    old = await document(session, b'old')
    old.content = await field.upload_async(b'new')
    await session.commit()


async def deletes(session: AsyncSession) -> None:
    await session.delete(await document(session, b'old'))
    await session.commit()


async def rolls_back(session: AsyncSession) -> None:
    session.add(Document(content=await field.upload_async(b'never')))
    await session.flush()
    await session.rollback()


async def rolls_back_before_any_flush(session: AsyncSession) -> None:
    session.add(Document(content=await field.upload_async(b'never')))
    await session.rollback()


async def rolls_back_a_savepoint(session: AsyncSession) -> None:
    kept = await document(session, b'kept')
    async with session.begin_nested() as savepoint:
        kept.content = await field.upload_async(b'tried')
        await session.flush()
        await savepoint.rollback()
    await session.commit()


async def releases_a_savepoint(session: AsyncSession) -> None:
    old = await document(session, b'old')
    async with session.begin_nested():
        old.content = await field.upload_async(b'new')
    await session.commit()


async def is_closed(session: AsyncSession) -> None:
    session.add(Document(content=await field.upload_async(b'never')))
    await session.flush()
    await session.close()


async def is_left(session: AsyncSession) -> None:
    session.add(Document(content=await field.upload_async(b'never')))
    await session.flush()


async def fails(session: AsyncSession) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with session.begin():
            session.add(Document(content=await field.upload_async(b'never')))
            await session.flush()
            raise ZeroDivisionError


async def assigns_where_sqlalchemy_can_await(session: AsyncSession) -> None:
    await session.run_sync(lambda session: session.add(Document(content=b'new')))
    await session.commit()


async def many_in_one(session: AsyncSession) -> None:
    photos = await asyncio.gather(*(field.upload_async(each.encode()) for each in 'abcdefgh'))
    session.add(Album(photos=photos))
    await session.commit()


SCENARIOS: dict[Callable[[AsyncSession], Awaitable[None]], list[bytes]] = {
    uploads: [b'new'],
    flushes_what_a_default_stores: [b'default'],
    inserts_contents: [b'one', b'two'],
    updates_with_a_content: [b'new'],
    deletes_by_a_statement: [],
    replaces: [b'new'],
    deletes: [],
    rolls_back: [],
    rolls_back_before_any_flush: [],
    rolls_back_a_savepoint: [b'kept'],
    releases_a_savepoint: [b'new'],
    is_closed: [],
    is_left: [],
    fails: [],
    assigns_where_sqlalchemy_can_await: [b'new'],
    many_in_one: [bytes([each]) for each in b'abcdefgh'],
}

each_scenario = pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda each: each.__name__)
