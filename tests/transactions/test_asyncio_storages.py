"""Under asyncio, on the storages that are servers: their work is done by threads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from ..services.storages import KINDS
from .coroutines import SCENARIOS, each_scenario
from .coroutines import connect as connect
from .coroutines import driver as driver
from .coroutines import engine as engine
from .laws import holds

pytestmark = [
    pytest.mark.parametrize('driver', ['aiosqlite'], indirect=True),
    pytest.mark.parametrize('storage', [each for each in KINDS if each not in ('memory', 'local')], indirect=True),
]


@each_scenario
def test_the_storage_holds_what_the_transaction_left(scenario: Any, connect: Any, engine: Engine, storage: Any) -> None:
    async def main() -> None:
        async with connect() as engine, AsyncSession(engine) as session:
            await scenario(session)

    asyncio.run(main())
    assert holds(storage, engine) == SCENARIOS[scenario]
