"""Transactions of many threads, as a threaded server has them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ..services.sqlite import sqlite_engine
from .laws import holds, in_memory
from .models import Base, Document, OtherBase


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@in_memory
@pytest.mark.usefixtures('hasty')
def test_transactions_of_many_threads_do_not_disturb_each_other(storage: Any, tmp_path: Path) -> None:
    engines = [sqlite_engine(tmp_path / f'{number}.sqlite') for number in range(6)]
    for engine in engines:
        for base in Base, OtherBase:
            base.metadata.create_all(engine)

    def work(engine: Any) -> None:
        for _ in range(100):
            with Session(engine) as session:
                session.add(Document(content=b'new'))
                session.commit()

    with ThreadPoolExecutor(len(engines)) as pool:
        assert list(pool.map(work, engines)) == [None] * len(engines)
    assert len(holds(storage, *engines)) == 600
    for engine in engines:
        engine.dispose()
