"""Whatever happens in the middle of a put under a file: what is derived is whole, and goes with the file."""

from __future__ import annotations

import contextlib
import functools
import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from gridfs import GridFS
from pymongo.errors import AutoReconnect

from depot.errors import FileMissing, StorageFailure
from depot.io.gridfs import GridFSStorage

from .mongodb import content_of, derived_documents, is_at_rest, watched
from .test_gridfs_replace import NEW, OLD, OTHER, WORKS, Crash, MakeStorage, Work, created, derived_from, replaced
from .test_gridfs_replace import here as here

SMALL = b'small ' * 9
STARTS = (created, replaced, derived_from)

every_start = pytest.mark.parametrize('start', STARTS, ids=lambda each: each.__name__)
every_work = pytest.mark.parametrize('work', WORKS, ids=lambda each: each.__name__)


def put(storage: GridFSStorage, file_id: str) -> None:
    storage.put_derived(file_id, 'a', SMALL)


def derived(storage: GridFSStorage, file_id: str, key: str = 'a') -> bytes | None:
    try:
        with storage.get_derived(file_id, key) as file:
            return file.read()
    except FileMissing:
        return None


def delete_derived(storage: GridFSStorage, file_id: str) -> None:
    storage.delete_derived(file_id)


def _soon() -> datetime:
    return datetime.now(timezone.utc) + timedelta(hours=1)


def _acting(storage: GridFSStorage, which: Any, act: Any) -> list[str]:
    """Does something before some of the storage's steps; returns the list in which they are all going to be."""
    steps: list[str] = []

    def meet(step: str) -> None:
        if step.startswith(('before', 'in')):
            steps.append(step)
            if len(steps) - 1 in which:
                act(step)

    watched(storage, meet)
    return steps


def _raising(error: type[BaseException]) -> Any:
    def act(step: str) -> None:
        raise error(step)

    return act


def _beside(work: Work, storage: GridFSStorage, file_id: str, _step: str) -> None:
    work(storage, file_id)


@every_start
@pytest.mark.parametrize('work', [put, delete_derived], ids=lambda each: each.__name__)
def test_a_crash_at_any_step_leaves_the_old_or_the_new_one(here: MakeStorage, start: Any, work: Work) -> None:
    storage, crashing = here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        before = derived(storage, file_id)
        steps = _acting(crashing, range(nth, 1000), _raising(Crash))
        with contextlib.suppress(Crash):
            work(crashing, file_id)
        found = derived(storage, file_id) if work is put else before
        assert found in (before, SMALL), steps
        storage.clean(_soon())
        assert is_at_rest(storage, file_id), steps
        assert content_of(storage, file_id) == OLD
        assert work is not put or derived(storage, file_id) == found, steps
        storage.delete(file_id)
        assert is_at_rest(storage, file_id), steps
        if len(steps) <= nth:
            break
    assert nth > 0


@every_start
def test_an_error_at_any_step_leaves_the_old_or_the_new_one(here: MakeStorage, start: Any) -> None:
    storage, failing = here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        allowed: tuple[Any, ...] = (SMALL,)
        steps = _acting(failing, [nth], _raising(AutoReconnect))
        try:
            put(failing, file_id)
        except StorageFailure:
            allowed = (SMALL, OTHER if start is derived_from else None)
        assert derived(storage, file_id) in allowed, steps
        storage.clean(_soon())
        assert derived(storage, file_id) in allowed, steps
        assert is_at_rest(storage, file_id), steps
        storage.delete(file_id)
        if len(steps) <= nth:
            break
    assert nth > 2


@every_start
@every_work
def test_a_put_between_any_two_steps_goes_with_the_file(here: MakeStorage, start: Any, work: Work) -> None:
    storage, other, interrupted = here(), here(), here()

    def beside(_step: str) -> None:
        with contextlib.suppress(FileMissing):
            put(other, file_id)

    for nth in itertools.count():
        file_id = start(storage)
        with storage.get(file_id) as made_from:
            steps = _acting(interrupted, [nth], beside)
            work(interrupted, file_id)
            assert is_at_rest(storage, file_id), steps[: nth + 1]
            with pytest.raises(FileMissing):
                storage.get_derived(made_from, 'a')
        storage.delete(file_id)
        assert is_at_rest(storage, file_id), steps[: nth + 1]
        if len(steps) <= nth:
            break
    assert nth > 2


@every_start
@every_work
def test_whatever_is_done_between_any_two_steps_of_a_put_takes_it_along(
    here: MakeStorage, start: Any, work: Work
) -> None:
    storage, other, interrupted = here(), here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        with storage.get(file_id) as made_from:
            steps = _acting(interrupted, [nth], functools.partial(_beside, work, other, file_id))
            with contextlib.suppress(FileMissing):
                interrupted.put_derived(made_from.file_id, 'a', SMALL)
            if len(steps) <= nth:
                break
            found = derived(storage, file_id)
            assert found is None or (content_of(storage, file_id), found) == (NEW, SMALL), steps
            assert is_at_rest(storage, file_id), steps[: nth + 1]
        storage.delete(file_id)
    assert nth > 2


def test_a_reader_in_the_middle_fails_or_goes_on(here: MakeStorage) -> None:
    storage = here()
    file_id = created(storage)
    for act in put, delete_derived, lambda storage, file_id: storage.delete(file_id):
        storage.put_derived(file_id, 'a', OTHER)
        with storage.get_derived(file_id, 'a') as file:
            begun = file.read(10)
            act(storage, file_id)
            try:
                found = file.read()
            except StorageFailure:
                with pytest.raises(StorageFailure, match='replaced'):
                    file.read()
            else:
                assert begun + found == OTHER


def test_what_a_crash_left_is_removed_when_it_is_old(here: MakeStorage) -> None:
    storage, crashing = here(), here()
    file_id = created(storage)
    storage.put_derived(file_id, 'b', OTHER)

    def meet(step: str) -> None:
        if step == 'before find_one_and_update':
            raise Crash

    watched(crashing, meet)
    with pytest.raises(Crash):
        put(crashing, file_id)
    assert not is_at_rest(storage, file_id)
    assert storage.clean(datetime.now(timezone.utc) - timedelta(hours=1)) == []
    assert len(storage.clean(_soon(), dry_run=True)) == 1
    assert not is_at_rest(storage, file_id)
    assert len(storage.clean(_soon())) == 1
    assert is_at_rest(storage, file_id)
    assert [*derived_documents(storage, file_id)] == ['b']


def test_from_a_file_that_another_tool_put_something_is_derived(here: MakeStorage) -> None:
    storage = here()
    file_id = str(GridFS(storage._db, 'filedepot').put(OLD, chunk_size=7))
    put(storage, file_id)
    assert derived(storage, file_id) == SMALL
    assert is_at_rest(storage, file_id)
    storage.delete(file_id)
    assert is_at_rest(storage, file_id)


def test_what_the_published_package_deletes_leaves_nothing_for_good(here: MakeStorage) -> None:
    storage = here()
    file_id = derived_from(storage)
    GridFS(storage._db, 'filedepot').delete(ObjectId(file_id))
    assert derived(storage, file_id) is None
    assert len(storage.clean(_soon())) == 2
    assert is_at_rest(storage, file_id)


def test_a_file_without_derived_ones_is_deleted_by_as_many_operations_as_ever(here: MakeStorage) -> None:
    storage = here()
    first, *others = (created(storage) for _ in range(3))
    steps = _acting(storage, [], None)
    storage.delete(first)
    assert [each for each in steps if each.startswith('before')] == ['before find_one_and_delete', 'before delete_many']
    steps.clear()
    storage.delete_many(others)
    operations = ['find', 'bulk_write', 'bulk_write', 'find']
    assert [each for each in steps if each.startswith('before')] == [f'before {each}' for each in operations]
