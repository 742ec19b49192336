"""Rows whose file is missing are found, and the storage is not asked more than it has to be."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from .ledgers import Counted
from .ledgers import counted as counted
from .ledgers import engine as engine
from .ledgers import session as session
from .ledgers import storage as storage
from .test_sweeper import DAY, HOUR, by_raw_sql, info, stored, told
from .test_sweeper import run as run


@pytest.fixture
def asked(storage: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that the storage was asked for one by one."""
    asked: list[str] = []
    exists = storage.storage.exists
    monkeypatch.setattr(storage.storage, 'exists', lambda file_id: asked.append(file_id) or exists(file_id))
    return asked


@pytest.fixture
def in_order(storage: Any) -> None:
    storage.capabilities = frozenset({'sorted_ids'})


def lost(storage: Any, age: timedelta, version: int = 7) -> str:
    """A file that is gone."""
    file_id = stored(storage, age, version)
    del storage.files[file_id]
    return file_id


@pytest.mark.usefixtures('in_order')
def test_a_storage_that_lists_in_order_is_asked_only_for_what_it_did_not_list(
    session: Session, counted: Counted, run: Any, storage: Any, asked: list[str]
) -> None:
    there = [stored(storage, age * HOUR, version) for age in range(30, 50) for version in (4, 7)]
    gone = [lost(storage, 40 * HOUR), lost(storage, HOUR), lost(storage, 99 * HOUR), lost(storage, DAY, 4)]
    by_raw_sql(session, counted, *(info(each) for each in there + gone))
    assert told(run()) == [('missing', f'default/{each}') for each in sorted(gone)]
    assert asked == sorted(gone)


def test_a_storage_that_lists_in_no_order_is_asked_for_each_file(
    session: Session, counted: Counted, run: Any, storage: Any, asked: list[str]
) -> None:
    assert 'sorted_ids' not in storage.capabilities
    there, gone = stored(storage, DAY), lost(storage, DAY)
    by_raw_sql(session, counted, info(there), info(gone))
    assert told(run()) == [('missing', f'default/{gone}')]
    assert asked == sorted([there, gone])


@pytest.mark.parametrize('capabilities', [frozenset(), frozenset({'sorted_ids'})], ids=['unsorted', 'sorted'])
def test_only_what_is_newer_than_the_last_sweep_is_looked_for(
    session: Session, counted: Counted, run: Any, storage: Any, capabilities: Any, asked: list[str]
) -> None:
    storage.capabilities = capabilities
    old, without_time, new = (
        lost(storage, 9 * DAY),
        str(uuid.UUID(int=15 << 124 | 4 << 76 | 2 << 62)),
        lost(storage, HOUR),
    )
    by_raw_sql(session, counted, *(info(each) for each in (old, without_time, new)))
    assert {each for _, each in told(run())} == {f'default/{each}' for each in (old, without_time, new)}
    asked.clear()
    for _ in range(2):
        assert told(run()) == [('missing', f'default/{each}') for each in (new, without_time)]
    assert asked == 2 * [new, without_time]
    assert told(run(full=True)) == [('missing', f'default/{each}') for each in (old, new, without_time)]


def test_a_full_sweep_looks_at_old_files_too(run: Any, storage: Any) -> None:
    assert run().findings == []
    file_id = stored(storage, 9 * DAY)  # from a backup, say
    assert run().findings == []
    assert told(run(full=True)) == [('removed', f'default/{file_id}')]


@pytest.mark.usefixtures('in_order')
def test_an_id_in_capitals_is_found_where_it_is_listed(
    session: Session, counted: Counted, run: Any, storage: Any, asked: list[str]
) -> None:
    by_raw_sql(session, counted, info(stored(storage, DAY).upper()))
    assert run().findings == []
    assert asked == []
