"""Storages that fail, are slow, or kill the process, at a step of one's choice."""

from __future__ import annotations

import copy
import gc
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref
from typing import Any

import pytest

from depot.errors import BackendMissing, ConfigurationError, StorageFailure, UnknownStorage, WrongOption
from depot.io.contract import StorageContract
from depot.io.contract.samples import SAMPLE, LargeStream, pieces
from depot.io.faults import Fault, FaultyStorage, Step, delay, every_step
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.utils import utcnow_naive

from .simple import SimpleStorage


class TestAroundMemory(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        return FaultyStorage(MemoryFileStorage())


class TestAroundLocal(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name, 'files')
        return FaultyStorage(storage_path=self.root)

    def tearDown(self) -> None:
        assert not [*self.root.glob('.*')], 'something was left behind'


class TestAroundAStorageWithJustTheSixMethods(StorageContract, unittest.TestCase):
    def make_storage(self) -> FileStorage:
        return FaultyStorage(SimpleStorage())


class Recorder(MemoryFileStorage):
    """Knows in which pieces its contents came, and deletes in batches."""

    capabilities = MemoryFileStorage.capabilities | {'batch_delete'}

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[int] = []
        self.batches: list[int] = []

    def create(self, content: Any, filename: str | None = None, content_type: str | None = None) -> str:
        def read() -> Any:
            while block := content.read(1000):
                self.pieces.append(len(block))
                yield block

        return super().create(read(), filename, content_type)

    def delete_many(self, ids: Any) -> Any:
        ids = [*ids]
        self.batches.append(len(ids))
        return super().delete_many(ids)


@pytest.fixture
def storage() -> FaultyStorage:
    return FaultyStorage(MemoryFileStorage())


def use(storage: FileStorage) -> None:
    """Every operation that there is."""
    file_id = storage.create(b'one')
    storage.replace(file_id, b'two')
    with storage.get(file_id) as file:
        file.read()
    with storage.open_range(file_id, 0, 1) as part:
        part.read(1)
    storage.exists(file_id)
    storage.version(file_id)
    storage.list()
    storage.create(b'other')
    [*storage.iter_ids()]
    storage.url(file_id)
    storage.put_derived(file_id, 'key', b'small')
    storage.get_derived(file_id, 'key').close()
    storage.delete_derived(file_id)
    storage.sync(storage.list())
    storage.clean(utcnow_naive())
    storage.delete(file_id)
    storage.delete_many([file_id, *storage.list()])


def operations() -> list[str]:
    storage = FaultyStorage(MemoryFileStorage())
    use(storage)
    return [*dict.fromkeys(each.operation for each in storage.steps)]


# what is wrapped


def test_no_operation_of_a_storage_goes_round_the_faults() -> None:
    promised = {name for name, value in vars(FileStorage).items() if callable(value) and not name.startswith('_')}
    assert promised <= {*vars(FaultyStorage), 'fileid', 'fileinfo'}


def test_the_capabilities_are_those_of_the_wrapped_storage(tmp_path: pathlib.Path) -> None:
    for wrapped in MemoryFileStorage(), SimpleStorage(), LocalFileStorage(tmp_path, durable=False):
        assert FaultyStorage(wrapped).capabilities == wrapped.capabilities


def test_what_else_the_wrapped_storage_has_is_there(tmp_path: pathlib.Path) -> None:
    assert FaultyStorage(LocalFileStorage(tmp_path)).storage_path == tmp_path


def test_what_it_has_not_is_missing(storage: FaultyStorage) -> None:
    with pytest.raises(AttributeError, match='bucket'):
        storage.bucket  # noqa: B018
    assert copy.copy(storage).storage is storage.storage


def test_a_file_is_the_one_that_the_wrapped_storage_gives(tmp_path: pathlib.Path) -> None:
    storage = FaultyStorage(LocalFileStorage(tmp_path))
    with storage.get(storage.create(SAMPLE)) as file:
        assert type(file).__name__ == 'LocalStoredFile'


def test_a_forgotten_file_is_closed_at_once(storage: FaultyStorage) -> None:
    file = storage.get(storage.create(SAMPLE))
    file.read(1)
    forgotten = weakref.ref(file)
    gc.disable()
    try:
        del file
        assert forgotten() is None
    finally:
        gc.enable()


# faults


@pytest.mark.parametrize('operation', operations())
@pytest.mark.parametrize('when', ['before', 'after'])
def test_every_operation_can_fail_before_and_after(operation: str, when: str) -> None:
    fault = Fault(operation, when, does=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt, match=f'{when} {operation}'):
        use(FaultyStorage(MemoryFileStorage(), fault))
    assert fault.fired == 1


@pytest.mark.parametrize('operation', ['create', 'replace', 'sync', 'iter_ids', 'delete_many'])
def test_what_can_be_half_done_can_fail_there(operation: str) -> None:
    fault = Fault(operation, 'middle', does=KeyboardInterrupt)
    storage = FaultyStorage(MemoryFileStorage(), fault)
    with pytest.raises(KeyboardInterrupt, match=f'in the middle of {operation}'):
        use(storage)
    assert storage.steps[-1] == Step(operation, 'middle')


def test_before_an_operation_nothing_is_done(storage: FaultyStorage) -> None:
    file_id = storage.create(b'old')
    storage.faults = [Fault(each) for each in ('create', 'replace', 'delete')]
    for operation in (lambda: storage.create(b'x'), lambda: storage.replace(file_id, b'new')):
        with pytest.raises(StorageFailure, match='before'):
            operation()
    with pytest.raises(StorageFailure, match='before delete'):
        storage.delete(file_id)
    assert storage.list() == [file_id]
    assert storage.get(file_id).read() == b'old'


def test_after_an_operation_all_is_done_and_nobody_knows(storage: FaultyStorage) -> None:
    file_id = storage.create(b'old')
    storage.faults = [Fault(each, 'after') for each in ('create', 'replace')]
    with pytest.raises(StorageFailure, match='after create'):
        storage.create(b'x')
    with pytest.raises(StorageFailure, match='after replace'):
        storage.replace(file_id, b'new')
    assert len(storage.list()) == 2
    assert storage.get(file_id).read() == b'new'


@pytest.mark.parametrize(
    'content', [SAMPLE, io.BytesIO(SAMPLE), pieces(), LargeStream(len(SAMPLE))], ids=lambda each: type(each).__name__
)
def test_in_its_middle_a_create_has_read_some_of_the_content(content: Any) -> None:
    recorder = Recorder()
    with pytest.raises(StorageFailure):
        FaultyStorage(recorder, Fault('create', 'middle')).create(content)
    assert sum(recorder.pieces) < len(SAMPLE)
    assert recorder.list() == []


def test_in_its_middle_a_create_in_a_folder_is_unfinished(tmp_path: pathlib.Path) -> None:
    unfinished: list[pathlib.Path] = []

    def look() -> None:
        unfinished.extend(tmp_path.glob('.*.new/file'))

    storage = FaultyStorage(LocalFileStorage(tmp_path), Fault('create', 'middle', does=look))
    file_id = storage.create(SAMPLE)
    assert len(unfinished) == 1
    assert storage.get(file_id).read() == SAMPLE


def test_a_storage_may_read_the_content_as_it_likes() -> None:
    class Buffering(MemoryFileStorage):
        def create(self, content: Any, filename: str | None = None, content_type: str | None = None) -> str:
            return super().create(io.BufferedReader(content), filename, content_type)

    storage = FaultyStorage(Buffering())
    with storage.get(storage.create(SAMPLE)) as file:
        assert file.read() == SAMPLE


def test_an_empty_content_has_a_middle_too() -> None:
    for content in (b'', io.BytesIO(), iter(())):
        fault = Fault('create', 'middle')
        with pytest.raises(StorageFailure):
            FaultyStorage(MemoryFileStorage(), fault).create(content)


def test_in_its_middle_a_replace_keeps_the_old_content(storage: FaultyStorage) -> None:
    file_id = storage.create(b'old')
    storage.faults = [Fault('replace', 'middle')]
    with pytest.raises(StorageFailure):
        storage.replace(file_id, b'new')
    assert storage.get(file_id).read() == b'old'


def test_in_its_middle_a_sync_has_done_half(storage: FaultyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(storage.storage, 'sync', synced.extend)
    storage.faults = [Fault('sync', 'middle')]
    with pytest.raises(StorageFailure):
        storage.sync(iter('abcd'))
    assert synced == ['a', 'b']


def test_in_its_middle_a_listing_has_given_one_id(storage: FaultyStorage) -> None:
    ids = sorted(storage.create(b'x') for _ in range(3))
    storage.faults = [Fault('iter_ids', 'middle')]
    listing = storage.iter_ids()
    assert next(listing) == ids[0]
    with pytest.raises(StorageFailure):
        next(listing)


def test_a_read_fails_at_the_nth_block(storage: FaultyStorage) -> None:
    file_id = storage.create(SAMPLE)
    ways = storage.get, lambda each: storage.open_range(each, 0, 100), lambda each: storage.get(each).open_range(0, 100)
    for opened in ways:
        storage.faults = [Fault('read', nth=3)]
        with opened(file_id) as file:
            assert [file.read(4), file.read(4)] == [SAMPLE[:4], SAMPLE[4:8]]
            with pytest.raises(StorageFailure, match='before read'):
                file.read(4)


def test_what_was_opened_for_an_answer_that_is_lost_is_closed(tmp_path: pathlib.Path) -> None:
    storage = FaultyStorage(LocalFileStorage(tmp_path), Fault('open_range', 'after'))
    file_id = storage.create(SAMPLE)
    with pytest.raises(StorageFailure):
        storage.open_range(file_id, 0, 4)
    gc.collect()  # a ResourceWarning is an error


def test_a_part_of_a_stored_file_can_fail_to_open(storage: FaultyStorage) -> None:
    storage.faults = [Fault('open_range')]
    with storage.get(storage.create(SAMPLE)) as file:
        with pytest.raises(StorageFailure, match='before open_range'):
            file.open_range(0, 4)
        with file.open_range(0, 4) as part:
            assert part.read() == SAMPLE[:4]


def test_a_file_that_nobody_else_holds_is_read(storage: FaultyStorage) -> None:
    assert storage.get(storage.create(SAMPLE)).read() == SAMPLE


# deleting many


def test_delete_many_returns_what_failed_as_every_storage_does(storage: FaultyStorage) -> None:
    ids = [storage.create(b'x') for _ in range(3)]
    storage.faults = [Fault('delete', nth=2)]
    failures = storage.delete_many(ids)
    assert [*failures] == [ids[1]]
    assert isinstance(failures[ids[1]], StorageFailure)
    assert storage.list() == [ids[1]]


@pytest.mark.parametrize(('when', 'left'), [('before', 4), ('middle', 2), ('after', 0)])
def test_a_batch_that_fails_has_done_none_or_half_or_all(when: str, left: int) -> None:
    storage = FaultyStorage(Recorder(), Fault('delete_many', when))
    ids = [storage.create(b'x') for _ in range(4)]
    assert [*storage.delete_many(ids)] == ids
    assert len(storage.list()) == left


def test_batches_stay_batches() -> None:
    storage = FaultyStorage(Recorder())
    storage.delete_many([storage.create(b'x') for _ in range(10)])
    assert storage.batches == [5, 5]


# counting


def test_a_fault_is_at_the_nth_of_its_kind(storage: FaultyStorage) -> None:
    storage.faults = [Fault('create', nth=3)]
    storage.create(b'1')
    storage.list()
    storage.create(b'2')
    with pytest.raises(StorageFailure):
        storage.create(b'3')
    storage.create(b'4')
    assert len(storage.list()) == 3


def outcomes(storage: FileStorage, count: int) -> str:
    """A letter for each create: whether it worked, or failed."""
    letters = ''
    for _ in range(count):
        try:
            storage.create(b'x')
            letters += 'w'
        except StorageFailure:
            letters += 'f'
    return letters


def test_a_fault_may_last_for_some_times_or_for_ever(storage: FaultyStorage) -> None:
    storage.faults = [Fault('create', nth=2, times=3)]
    assert outcomes(storage, 6) == 'wfffww'
    storage.faults = [Fault('create', nth=3, times=None)]
    assert outcomes(storage, 6) == 'wwffff'


def test_faults_can_be_set_and_lifted_at_any_time(storage: FaultyStorage) -> None:
    storage.faults.append(Fault('create', times=None))
    assert outcomes(storage, 2) == 'ff'
    storage.faults.clear()
    assert outcomes(storage, 2) == 'ww'


def test_a_fault_of_several_storages_counts_the_steps_of_all() -> None:
    fault = Fault('create', nth=2)
    first, second = FaultyStorage(MemoryFileStorage(), fault), FaultyStorage(MemoryFileStorage(), fault)
    assert outcomes(first, 1) + outcomes(second, 1) == 'wf'


def test_the_steps_are_told_in_their_order(storage: FaultyStorage) -> None:
    storage.delete(storage.create(b'x'))
    told = ['before create', 'in the middle of create', 'after create', 'before delete', 'after delete']
    assert [str(each) for each in storage.steps] == told


def test_counts_are_right_under_threads() -> None:
    fault = Fault('exists', nth=500, times=100)
    storage = FaultyStorage(MemoryFileStorage(), fault)
    failed: list[BaseException] = []

    def ask() -> None:
        for _ in range(200):
            try:
                storage.exists('00000000-0000-0000-0000-000000000000')
            except StorageFailure as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (fault.met, fault.fired, len(failed)) == (1600, 100, 100)


def test_every_step_is_found_until_one_leaves_all_as_it_is() -> None:
    steps = []
    for fault in every_step(does=MemoryError):
        storage = FaultyStorage(MemoryFileStorage(), fault)
        try:
            storage.delete(storage.create(b'x'))
        except MemoryError:
            steps.append(str(storage.steps[-1]))
    assert steps == ['before create', 'in the middle of create', 'after create', 'before delete', 'after delete']
    assert storage.storage.list() == []


# what a fault does


@pytest.mark.parametrize('error', [OSError, KeyboardInterrupt, MemoryError, SystemExit, OSError('no route to host')])
def test_a_fault_raises_any_error(error: Any, storage: FaultyStorage) -> None:
    storage.faults = [Fault('list', does=error)]
    with pytest.raises(error if isinstance(error, type) else type(error)):
        storage.list()


def test_a_fault_calls_anything(storage: FaultyStorage) -> None:
    called: list[str] = []
    storage.faults = [Fault('list', times=2, does=lambda: called.append('now'))]
    assert [storage.list(), storage.list(), storage.list()] == [[], [], []]
    assert called == ['now', 'now']


def test_a_fault_lets_wait(storage: FaultyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr('time.sleep', slept.append)
    storage.faults = [Fault('list', does=delay(0.3))]
    assert storage.list() == []
    assert slept == [0.3]


KILLED = """
import sys
from depot.io.faults import Fault, FaultyStorage, kill
from depot.io.local import LocalFileStorage
storage = FaultyStorage(LocalFileStorage(sys.argv[1]), Fault('create', 'middle', does=kill))
storage.create(b'x' * 100_000)
"""


@pytest.mark.skipif(os.name == 'nt', reason='impossible here: Windows has no signals')
def test_a_fault_kills_the_process(tmp_path: pathlib.Path) -> None:
    killed = subprocess.run([sys.executable, '-c', KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    [unfinished] = tmp_path.iterdir()
    assert unfinished.suffix == '.new'
    assert 0 < (unfinished / 'file').stat().st_size < 100_000


# mistakes


def test_a_fault_where_there_can_be_none_is_refused_with_those_that_work() -> None:
    with pytest.raises(ConfigurationError, match="the operation 'remove'; choose from .*delete"):
        Fault('remove')
    with pytest.raises(ConfigurationError, match="the moment 'later'; choose from before"):
        Fault('create', 'later')
    with pytest.raises(ConfigurationError, match="the operation 'exists'; choose from create, replace"):
        Fault('exists', 'middle')


def test_a_fault_tells_what_it_is() -> None:
    assert repr(Fault('delete', nth=2)) == "<Fault 'delete', 'before', nth=2, times=1 met=0 fired=0>"


# in an application


@pytest.fixture
def configured() -> Any:
    DepotManager._clear()
    yield DepotManager
    DepotManager._clear()


def test_it_is_configured_like_every_storage(configured: Any, tmp_path: pathlib.Path) -> None:
    settings = {
        'depot.backend': 'depot.io.faults.FaultyStorage',
        'depot.storage': 'depot.io.local.LocalFileStorage',
        'depot.storage_path': str(tmp_path),
        'depot.durable': 'false',
    }
    storage = configured.configure('default', settings)
    assert isinstance(storage.storage, LocalFileStorage)
    assert 'sync' not in storage.capabilities
    with pytest.raises(WrongOption, match='bucket'):
        configured.configure('other', {**settings, 'depot.bucket': 'b'})
    with pytest.raises(BackendMissing):
        configured.configure('other', {**settings, 'depot.storage': 'nowhere.Storage'})


def test_it_takes_the_place_of_a_configured_storage_for_a_while(configured: Any) -> None:
    memory = 'depot.io.memory.MemoryFileStorage'
    usual = configured.configure('usual', {'depot.backend': memory})
    other = configured.configure('other', {'depot.backend': memory})
    configured.alias('uploads', 'other')
    with configured.override(FaultyStorage(usual)) as faulty:
        assert configured.get() is configured.get('usual') is faulty
        assert configured.get('other') is other
    fault = Fault('list', does=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), configured.override(FaultyStorage(other, fault), 'uploads'):
        configured.get('other').list()
    assert (configured.get('usual'), configured.get('other')) == (usual, other)


def test_it_takes_the_place_of_no_storage_that_there_is_not(configured: Any) -> None:
    configured.configure('usual', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    with pytest.raises(UnknownStorage), configured.override(MemoryFileStorage(), 'nowhere'):
        pass
    assert [*configured._depots] == ['usual']
