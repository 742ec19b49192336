"""Whatever happens in the middle of a replace or a delete: the file is whole, and old or new."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from gridfs import GridFS
from pymongo.errors import AutoReconnect

from depot.errors import FileMissing, StorageFailure
from depot.io.contract.samples import FarFile
from depot.io.gridfs import GridFSStorage

from .mongodb import content_of, is_at_rest, watched

OLD, NEW, OTHER = b'the old content, ' * 3, b'new content ' * 7, b'another one ' * 5

Work = Callable[[GridFSStorage, str], object]
MakeStorage = Callable[[], GridFSStorage]

#: How the steps begin that count. After one is before the next, unless its answer is what gets lost.
Moments = tuple[str, ...]


class Crash(BaseException):
    """The process is no more: nothing that it would do afterwards happens."""


@pytest.fixture
def here(mongo_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeStorage]:
    """Makes storages in one place, whose chunks are so small that every file has several."""
    monkeypatch.setattr('depot.io.mongodb.writing.CHUNK_SIZE', 10)
    monkeypatch.setattr('depot.io.mongodb.records.CHUNK_SIZE', 10)
    monkeypatch.setattr('depot.io.mongodb.writing.BATCH', 3)
    monkeypatch.setattr('depot.io.mongodb.chunks.BATCH', 2)
    with contextlib.ExitStack() as made:

        def make() -> GridFSStorage:
            return made.enter_context(contextlib.closing(GridFSStorage(mongo_database_url)))

        yield make


def replace(storage: GridFSStorage, file_id: str) -> object:
    return storage.replace(file_id, NEW, 'new.txt')


def copy(storage: GridFSStorage, file_id: str) -> object:
    file = FarFile(file_id, NEW)
    return storage.replace(file, file)


def delete(storage: GridFSStorage, file_id: str) -> object:
    return storage.delete(file_id)


def delete_many(storage: GridFSStorage, file_id: str) -> object:
    failures = storage.delete_many([file_id])
    for each in failures.values():
        raise each
    return None


def created(storage: GridFSStorage) -> str:
    return storage.create(OLD, 'old.txt')


def replaced(storage: GridFSStorage) -> str:
    return storage.replace(storage.create(OTHER), OLD, 'old.txt')


def replaced_and_cut_off(storage: GridFSStorage) -> str:
    """A replace that crashed as it moved its chunks."""
    file_id = storage.create(OTHER)
    _crashed(storage, 'in the middle of update_many', lambda: storage.replace(file_id, OLD, 'old.txt'))
    return file_id


def replaced_twice_and_cut_off(storage: GridFSStorage) -> str:
    """Two replaces that crashed, the second as it removed what the first had left."""
    file_id = storage.create(b'longer than any that follows ' * 10)
    _crashed(storage, 'in the middle of update_many', lambda: storage.replace(file_id, OTHER))
    _crashed(storage, 'in the middle of delete_many', lambda: storage.replace(file_id, OLD, 'old.txt'))
    return file_id


def deleted_and_cut_off(storage: GridFSStorage) -> str:
    file_id = storage.replace(storage.create(OTHER), OLD)
    _crashed(storage, 'in the middle of delete_many', lambda: storage.delete(file_id))
    return file_id


def derived_from(storage: GridFSStorage) -> str:
    """A file under which two others are."""
    file_id = storage.replace(storage.create(OTHER), OLD, 'old.txt')
    for key in 'a', 'b':
        storage.put_derived(file_id, key, OTHER)
    return file_id


def _crashed(storage: GridFSStorage, moment: str, work: Callable[[], object]) -> None:
    def meet(step: str) -> None:
        if step == moment:
            raise Crash

    watched(storage, meet)
    with pytest.raises(Crash):
        work()
    watched(storage, lambda step: None)


STARTS = (created, replaced, replaced_and_cut_off, replaced_twice_and_cut_off, deleted_and_cut_off, derived_from)
WORKS = (replace, copy, delete, delete_many)

#: What may be there if the work was not done, and if it was; None is no file.
BEFORE: dict[Any, bytes | None] = dict.fromkeys(STARTS, OLD) | {deleted_and_cut_off: None}
AFTER: dict[Any, bytes | None] = {replace: NEW, copy: NEW, delete: None, delete_many: None}

CASES = [pair for pair in itertools.product(STARTS, WORKS) if pair != (deleted_and_cut_off, replace)]
every_case = pytest.mark.parametrize(('start', 'work'), CASES, ids=lambda each: each.__name__)

# Which of two writers is right does not depend on more.
few_cases = pytest.mark.parametrize(
    ('start', 'work'),
    [pair for pair in CASES if pair[0] not in (replaced, replaced_twice_and_cut_off)],
    ids=lambda each: each.__name__,
)


def _soon() -> datetime:
    return datetime.now(timezone.utc) + timedelta(hours=1)


@every_case
def test_a_crash_at_any_step_leaves_the_old_or_the_new_file(here: MakeStorage, start: Any, work: Work) -> None:
    storage, crashing = here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        steps = _fails(crashing, range(nth, 1000), Crash, ('before', 'in'))
        with contextlib.suppress(Crash):
            work(crashing, file_id)
        found = content_of(storage, file_id)
        assert found in (BEFORE[start], AFTER[work]), steps
        storage.clean(_soon())
        assert content_of(storage, file_id) == found, steps
        assert is_at_rest(storage, file_id), steps
        storage.delete(file_id)
        if len(steps) <= nth:
            break
    assert nth > 2


@every_case
def test_an_error_at_any_step_leaves_the_old_or_the_new_file(here: MakeStorage, start: Any, work: Work) -> None:
    storage, failing = here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        steps = _fails(failing, [nth], AutoReconnect)
        try:
            work(failing, file_id)
            expected = (AFTER[work],)
        except StorageFailure:
            expected = (BEFORE[start], AFTER[work])
        found = content_of(storage, file_id)
        assert found in expected, steps
        storage.clean(_soon())
        assert content_of(storage, file_id) == found, steps
        assert is_at_rest(storage, file_id), steps
        storage.delete(file_id)
        if len(steps) <= nth:
            break
    assert nth > 2


def _fails(storage: GridFSStorage, which: Any, error: type[BaseException], moments: Moments = ('',)) -> list[str]:
    """Lets some steps of a storage fail; returns the list in which they all are going to be."""

    def act(step: str) -> None:
        raise error(step)

    return _interrupted(storage, which, act, moments)


def other_replace(storage: GridFSStorage, file_id: str) -> None:
    with contextlib.suppress(FileMissing):
        storage.replace(file_id, OTHER)


def comes_back(storage: GridFSStorage, file_id: str) -> None:
    """Deleted, and restored from a backup."""
    storage.delete(file_id)
    file = FarFile(file_id, OTHER)
    storage.replace(file, file)


@few_cases
@pytest.mark.parametrize('beside', [other_replace, delete, delete_many, comes_back], ids=lambda each: each.__name__)
def test_two_writers_leave_the_file_of_one_of_them(here: MakeStorage, start: Any, work: Work, beside: Work) -> None:
    """One does all of its work between any two steps of the other."""
    storage, other, interrupted = here(), here(), here()
    for nth in itertools.count():
        file_id = start(storage)
        act = functools.partial(_beside, beside, other, file_id)
        steps = _interrupted(interrupted, [nth], act, ('before', 'in'))
        with contextlib.suppress(FileMissing):
            work(interrupted, file_id)
        allowed = {AFTER[work], None if beside in (delete, delete_many) else OTHER}
        if start is deleted_and_cut_off or AFTER[work] is None:
            allowed.add(None)
        assert content_of(storage, file_id) in allowed, steps[: nth + 1]
        assert is_at_rest(storage, file_id), steps[: nth + 1]
        storage.delete(file_id)
        if len(steps) <= nth:
            break
    assert nth > 2


def _beside(work: Work, storage: GridFSStorage, file_id: str, _step: str) -> None:
    work(storage, file_id)


def _interrupted(storage: GridFSStorage, which: Any, act: Callable[[str], object], moments: Moments) -> list[str]:
    steps: list[str] = []

    def meet(step: str) -> None:
        if step.startswith(moments):
            steps.append(step)
            if len(steps) - 1 in which:
                act(step)

    watched(storage, meet)
    return steps


@pytest.mark.parametrize('start', [created, replaced, replaced_and_cut_off], ids=lambda each: each.__name__)
def test_readers_see_the_whole_old_or_new_file_at_any_step(here: MakeStorage, start: Any) -> None:
    reader, writer = here(), here()
    file_id = start(reader)
    found = []
    watched(writer, lambda step: found.append((reader.exists(file_id), content_of(reader, file_id))))
    replace(writer, file_id)
    assert {*found} == {(True, OLD), (True, NEW)}


@pytest.mark.parametrize('work', [replace, delete], ids=lambda each: each.__name__)
def test_parts_of_a_file_are_of_the_old_content_or_missing_at_any_step(here: MakeStorage, work: Work) -> None:
    reader, writer = here(), here()
    file_id = created(reader)
    found = []

    def meet(_step: str) -> None:
        try:
            with file.open_range(12, 34) as part:
                found.append(part.read())
        except FileMissing:
            found.append(None)

    with reader.get(file_id) as file:
        watched(writer, meet)
        work(writer, file_id)
        meet('afterwards')
    assert {*found} == {OLD[12:34], None}
    assert found == sorted(found, key=lambda each: each is None)  # what is gone does not come back


def _whole(file: Any) -> Any:
    return contextlib.nullcontext(file)


def _part(file: Any) -> Any:
    return file.open_range(0, len(OLD))


@pytest.mark.parametrize('opened', [_whole, _part])
@pytest.mark.parametrize('work', [replace, delete], ids=lambda each: each.__name__)
def test_a_reader_in_the_middle_goes_on_with_the_old_file_or_fails(
    here: MakeStorage, work: Work, opened: Callable[[Any], Any]
) -> None:
    reader, writer = here(), here()
    for taken in range(1, len(OLD), 9):
        file_id = created(reader)
        with reader.get(file_id) as described, opened(described) as file:
            found = file.read(taken)
            work(writer, file_id)
            try:
                found += file.read()
            except StorageFailure:
                with pytest.raises(StorageFailure, match='deleted' if work is delete else 'replaced'):
                    file.read()  # and not as if the file ended here
            else:
                assert found == OLD
        reader.delete(file_id)


def test_a_reader_follows_chunks_that_move(here: MakeStorage) -> None:
    reader, writer = here(), here()
    file_id = created(reader)
    files: list[Any] = []

    def meet(step: str) -> None:
        file = reader.get(file_id)
        files.append((file, file.read(15)))

    watched(writer, meet)
    replace(writer, file_id)
    followed = [file for file, begun in files if begun == NEW[:15]]
    assert [file.read() for file in followed] == [NEW[15:]] * len(followed)
    assert 1 < len(followed) < len(files)
    for file, _ in files:
        file.close()


def test_many_writers_and_readers_at_once(here: MakeStorage) -> None:
    contents = [b'%03d' % number * (10 + number) for number in range(30)]
    file_id = here().create(contents[0])
    with ThreadPoolExecutor(5) as threads:
        writers = [threads.submit(_replace_with, here(), file_id, contents[first::2]) for first in (0, 1)]
        readers = [
            threads.submit(_read_until, here(), file_id, lambda: all(each.done() for each in writers)) for _ in range(3)
        ]
        for each in writers:
            each.result()
        assert {content for each in readers for content in each.result()} <= {*contents}
    assert is_at_rest(here(), file_id)


def _replace_with(storage: GridFSStorage, file_id: str, contents: list[bytes]) -> None:
    for each in contents:
        storage.replace(file_id, each)


def _read_until(storage: GridFSStorage, file_id: str, done: Callable[[], bool]) -> list[bytes | None]:
    found = []
    while not done():
        with contextlib.suppress(StorageFailure):  # replaced in the middle
            found.append(content_of(storage, file_id))
    return found


def test_a_file_that_another_tool_put_can_be_replaced_and_deleted(here: MakeStorage) -> None:
    storage = here()
    file_id = str(GridFS(storage._db, 'filedepot').put(OLD, chunk_size=7, md5='of the old content'))
    storage.replace(file_id, NEW)
    assert 'md5' not in (storage._db['filedepot.files'].find_one({}) or {})
    assert is_at_rest(storage, file_id)
    storage.delete(file_id)
    assert is_at_rest(storage, file_id)


def test_the_published_package_replaces_what_we_have_replaced(here: MakeStorage) -> None:
    storage, plain = here(), GridFS(here()._db, 'filedepot')
    file_id = storage.replace(created(storage), NEW)
    plain.delete(ObjectId(file_id))
    plain.put(OTHER, _id=ObjectId(file_id))
    assert content_of(storage, file_id) == OTHER
    storage.replace(file_id, OLD)
    assert is_at_rest(storage, file_id)
