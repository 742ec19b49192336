"""Renditions: made on first demand, once, and kept under their original."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from depot.errors import (
    FileMissing,
    ImageTooLarge,
    InvalidImage,
    InvalidPath,
    InvalidVariant,
    StorageFailure,
    UnknownStorage,
    Unsupported,
)
from depot.images import decoding, originals, renditions
from depot.images.recipe import Variant
from depot.images.renditions import clear, find, make, make_variant, rendition
from depot.images.settings import configure_images
from depot.io.interfaces import FileStorage, StoredFile
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..io.simple import SimpleStorage
from ..services.storages import KINDS, MakeStorage
from ..services.storages import make_storage as make_storage
from .photos import THUMB, Counted, photo, size_of
from .photos import makings as makings
from .pictures import FORMATS, cornered, encoded

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    DepotManager._clear()
    yield
    DepotManager._clear()
    configure_images()


@pytest.fixture(params=KINDS)
def each_storage(request: pytest.FixtureRequest, make_storage: MakeStorage) -> FileStorage:
    """The default storage, of each kind."""
    return use(make_storage(request.param))


@pytest.fixture
def storage(tmp_path: Path) -> LocalFileStorage:
    """The default storage, in a folder."""
    return use(LocalFileStorage(tmp_path / 'files'))


def use(storage: Any) -> Any:
    DepotManager._depots['default'] = storage
    DepotManager.set_default('default')
    return storage


def stored(content: bytes | None = None, filename: str = 'photo.png') -> str:
    """The path of a new file."""
    return f'default/{DepotManager.require().create(photo() if content is None else content, filename)}'


def read(path: str, variant: Variant = THUMB) -> bytes:
    with rendition(path, variant) as file:
        return file.read()


def test_a_rendition_is_made_by_its_recipe(each_storage: FileStorage) -> None:
    path = stored()
    assert size_of(read(path)) == (20, 20)
    assert size_of(read(path, Variant(resize_to_limit=(16, 16)))) == (16, 12)


def test_a_rendition_is_made_once_and_kept_under_its_original(each_storage: FileStorage, makings: Counted) -> None:
    path = stored()
    assert read(path) == read(path)
    assert len(makings) == 1
    assert [f'default/{each}' for each in each_storage.list()] == [path]


def test_a_rendition_says_what_it_is(each_storage: FileStorage) -> None:
    path = stored(filename='summer.holiday.png')
    with rendition(path, Variant(resize_to_limit=(10, 10), format='jpeg')) as file:
        assert (file.filename, file.content_type) == ('summer.holiday.jpg', 'image/jpeg')
        assert f'default/{file.file_id}' == path
        assert file.content_length == len(file.read())


def test_recipes_that_mean_the_same_have_one_rendition(storage: LocalFileStorage, makings: Counted) -> None:
    path = stored()
    read(path, Variant(resize=(10, 10)))
    read(path, Variant(('resize_to_limit', [10, 10]), eager=True))
    assert len(makings) == 1


def test_what_is_not_made_yet_is_not_found(each_storage: FileStorage) -> None:
    path = stored()
    file_id = path.partition('/')[2]
    assert find(each_storage, file_id, THUMB) is None
    make_variant(path, THUMB.to_text())
    with find(each_storage, file_id, THUMB) as file:
        assert size_of(file.read()) == (20, 20)


def test_what_was_made_ahead_tells_whether_it_was_made_now(storage: LocalFileStorage) -> None:
    path = stored()
    assert make(path, THUMB) is True
    assert make(path, THUMB) is False


@pytest.mark.parametrize(
    'change', [FileStorage.delete, lambda storage, file_id: storage.replace(file_id, photo(blue=1))]
)
def test_a_rendition_goes_with_its_original(each_storage: FileStorage, change: Callable[..., Any]) -> None:
    path = stored()
    read(path)
    file_id = path.partition('/')[2]
    change = change if change is not FileStorage.delete else type(each_storage).delete
    change(each_storage, file_id)
    assert find(each_storage, file_id, THUMB) is None


def test_of_a_file_that_is_gone_there_is_no_rendition(each_storage: FileStorage) -> None:
    path = stored()
    each_storage.delete(path.partition('/')[2])
    with pytest.raises(FileMissing):
        rendition(path, THUMB)
    make_variant(path, THUMB.to_text())


@pytest.mark.parametrize('content', [b'', b'no image', photo()[:50], photo()[:-60]], ids=len)
def test_of_what_is_no_image_there_is_no_rendition(each_storage: FileStorage, content: bytes) -> None:
    path = stored(content)
    for _ in range(2):
        with pytest.raises(InvalidImage):
            rendition(path, THUMB)
    assert find(each_storage, path.partition('/')[2], THUMB) is None


@pytest.mark.parametrize(('path', 'error'), [('photo', InvalidPath), ('elsewhere/photo', UnknownStorage)])
def test_a_path_that_leads_nowhere_is_named(storage: LocalFileStorage, path: str, error: type[Exception]) -> None:
    for ask in (lambda: rendition(path, THUMB), lambda: clear(path), lambda: make_variant(path, THUMB.to_text())):
        with pytest.raises(error, match=path.partition('/')[0]):
            ask()


# Made once, whoever asks


def test_twenty_threads_that_ask_at_once_have_it_made_once(storage: LocalFileStorage, makings: Counted) -> None:
    path = stored()
    start = threading.Barrier(20)

    def ask(_number: int) -> bytes:
        start.wait()
        return read(path)

    with ThreadPoolExecutor(20) as threads:
        contents = set(threads.map(ask, range(20)))
    assert len(makings) == 1
    assert [size_of(each) for each in contents] == [(20, 20)]


class Maker:
    """Another process, which makes a rendition."""

    def __init__(self, folder: Path, path: str, *how: str) -> None:
        arguments = [str(folder), path, THUMB.to_text(), *how]
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'tests.images.maker', *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def hears(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self) -> None:
        assert self.hears() == 'ready'
        assert self.process.stdin is not None
        self.process.stdin.write('go\n')
        self.process.stdin.flush()

    def result(self) -> int:
        out, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return int(out.split()[-1])


def test_four_processes_that_ask_at_once_have_it_made_once(storage: LocalFileStorage) -> None:
    path = stored(photo(800, 600))
    makers = [Maker(Path(storage.storage_path), path) for _ in range(4)]
    for each in makers:
        each.start()
    assert sorted(each.result() for each in makers) == [0, 0, 0, 1]


def test_what_a_process_was_making_that_is_killed_is_made_by_the_next(
    storage: LocalFileStorage, makings: Counted
) -> None:
    path = stored()
    killed = Maker(Path(storage.storage_path), path, 'for-ever')
    killed.start()
    assert killed.hears() == 'making'
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(read, path)
        assert len(makings) == 0
        killed.process.kill()
        killed.process.communicate()
        assert size_of(waiting.result(60)) == (20, 20)
    assert len(makings) == 1


def test_what_a_process_is_making_that_hangs_is_made_by_another(storage: LocalFileStorage, makings: Counted) -> None:
    path = stored()
    hangs = Maker(Path(storage.storage_path), path, 'for-ever')
    hangs.start()
    assert hangs.hears() == 'making'
    configure_images(seconds=0.1)
    try:
        assert size_of(read(path)) == (20, 20)
        assert len(makings) == 1
        assert hangs.process.poll() is None
    finally:
        hangs.process.kill()
        hangs.process.communicate()


def test_other_renditions_do_not_wait(storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = stored(), stored()
    begun, go_on = threading.Event(), threading.Event()

    def slow(source: Any, variant: Variant) -> Any:
        if variant == THUMB:
            begun.set()
            assert go_on.wait(60)
        return Counted()(source, variant)

    monkeypatch.setattr(decoding, 'transformed', slow)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(read, path)
        assert begun.wait(60)
        assert size_of(read(other, Variant(resize_to_fill=(7, 7)))) == (7, 7)
        go_on.set()
        assert size_of(waiting.result(60)) == (20, 20)


# While it is made


def after_decoding(monkeypatch: pytest.MonkeyPatch, *changes: Callable[[], object]) -> None:
    """Has something done each time an image was decoded."""
    left = iter(changes)

    def transformed(source: Any, variant: Variant) -> Any:
        made = Counted()(source, variant)
        next(left, lambda: None)()
        return made

    monkeypatch.setattr(decoding, 'transformed', transformed)


def test_a_rendition_of_a_file_that_is_replaced_meanwhile_is_of_the_new_content(
    each_storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()
    file_id = path.partition('/')[2]
    after_decoding(monkeypatch, lambda: each_storage.replace(file_id, photo(30, 60), 'other.png'))
    variant = Variant(resize_to_limit=(20, 20))
    with rendition(path, variant) as file:
        assert size_of(file.read()) == (10, 20)
        assert file.filename == 'other.png'


def test_of_a_file_that_is_deleted_meanwhile_nothing_is_left(
    each_storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()
    file_id = path.partition('/')[2]
    after_decoding(monkeypatch, lambda: each_storage.delete(file_id))
    with pytest.raises(FileMissing):
        rendition(path, THUMB)
    assert not each_storage.exists(file_id)
    assert each_storage.list() == []


def test_a_file_that_is_replaced_again_and_again_is_given_up(
    storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()
    contents = (photo(blue=each / 100) for each in range(1, 101))
    after_decoding(monkeypatch, *[lambda: storage.replace(path.partition('/')[2], next(contents))] * 100)
    with pytest.raises(FileMissing, match='again and again'):
        rendition(path, THUMB)


def test_a_file_that_goes_before_it_is_opened_is_missing_and_no_broken_image(
    storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()

    def transformed(source: Any, variant: Variant) -> Any:
        storage.delete(path.partition('/')[2])
        return Counted()(source, variant)

    monkeypatch.setattr(decoding, 'transformed', transformed)
    with pytest.raises(FileMissing):
        rendition(path, THUMB)


def test_a_file_that_is_replaced_while_it_is_found_broken_is_read_anew(
    each_storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()

    def break_off() -> None:
        each_storage.replace(path.partition('/')[2], photo(blue=1))
        raise InvalidImage('Not a JPEG file')

    after_decoding(monkeypatch, break_off)
    assert size_of(read(path)) == (20, 20)


def test_a_file_that_is_deleted_while_it_is_found_broken_is_missing(
    each_storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()

    def break_off() -> None:
        each_storage.delete(path.partition('/')[2])
        raise InvalidImage('unable to open')

    after_decoding(monkeypatch, break_off)
    with pytest.raises(FileMissing):
        read(path)


def test_a_large_original_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    use(MemoryFileStorage())
    path = stored()
    sources = []

    def transformed(source: Any, variant: Variant) -> Any:
        sources.append(source.read_bytes())
        return Counted()(source, variant)

    monkeypatch.setattr(decoding, 'transformed', transformed)
    monkeypatch.setattr(originals, '_IN_MEMORY', 10)
    assert size_of(read(path)) == (20, 20)
    assert sources == [photo()]


def test_a_temporary_folder_that_is_missing_is_not_a_file_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, 'tempdir', '/nowhere')
    use(MemoryFileStorage())
    assert size_of(read(stored())) == (20, 20)
    for worker, in_memory in (True, 10**6), (True, 10), (False, 10):
        configure_images(worker=worker)
        monkeypatch.setattr(originals, '_IN_MEMORY', in_memory)
        with pytest.raises(FileNotFoundError, match='/nowhere'):
            read(stored())


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('worker', [False, True])
@pytest.mark.parametrize('names', [True, False])
def test_the_copy_of_a_large_original_is_not_found_by_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, worker: bool, names: bool
) -> None:
    """So it does not stay when the process is killed; where an open file has no name, it has one of its own."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    monkeypatch.setattr(originals, '_IN_MEMORY', 10)
    if not names:
        monkeypatch.setattr(originals, '_OPEN_FILES', tmp_path / 'proc')
    use(MemoryFileStorage())
    found = []

    def transformed(source: Any, variant: Variant) -> Any:
        found.extend(tmp_path.glob('depot-original-*'))
        return Counted()(source, variant)

    monkeypatch.setattr(decoding, 'transformed', transformed)
    configure_images(worker=worker)
    assert size_of(read(stored(encoded(cornered(), kind)), THUMB)) == (20, 20)
    assert bool(found) is not names
    assert list(tmp_path.glob('depot-original-*')) == []


# Originals that are far away


class Far(StoredFile):
    """A file without end, which counts what is read of it."""

    head = photo()
    length: int | None = None
    taken = 0

    def __init__(self, file_id: str) -> None:
        super().__init__(file_id, 'holiday.png', content_length=self.length)

    def read(self, n: int = -1) -> bytes:
        assert n > 0, 'all of it'
        first, type(self).taken = not self.taken, self.taken + n
        return self.head[:10] if first else self.head[10:] + bytes(n - len(self.head) + 10)

    def close(self) -> None: ...

    @property
    def closed(self) -> bool:
        return False


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> type[Far]:
    """What the default storage has, whatever the id."""
    monkeypatch.setattr(MemoryFileStorage, 'get', lambda _, file_id: Far(file_id))
    monkeypatch.setattr(Far, 'taken', 0)
    use(MemoryFileStorage())
    return Far


def test_of_an_original_that_is_too_long_nothing_is_read(far: type[Far], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Far, 'length', 10**10)
    with pytest.raises(ImageTooLarge, match='10000000000 bytes'):
        rendition(stored(), THUMB)
    assert far.taken == 0


@pytest.mark.parametrize('length', [None, 100, 10**7])
def test_an_original_that_does_not_say_how_long_it_is_is_read_up_to_the_limit(
    far: type[Far], monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    monkeypatch.setattr(Far, 'length', length)
    configure_images(bytes=20_000_000)
    with pytest.raises(ImageTooLarge, match='20000000 are allowed'):
        rendition(stored(), THUMB)
    assert 20 * 10**6 < far.taken < 21 * 10**6


@pytest.mark.parametrize('length', [None, 10**7])
def test_of_what_is_no_image_only_the_beginning_is_read(
    far: type[Far], monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    monkeypatch.setattr(Far, 'length', length)
    monkeypatch.setattr(Far, 'head', b'a video')
    with pytest.raises(InvalidImage, match='is not an image'):
        rendition(stored(), THUMB)
    assert far.taken < 10**6


def test_for_an_overlay_that_is_missing_nothing_is_read(far: type[Far]) -> None:
    with pytest.raises(InvalidVariant, match='no overlay'):
        rendition(stored(), Variant(composite='mark.png'))
    assert far.taken == 0


# Storages that keep none


class Plain(SimpleStorage):
    """A storage of old: the six methods, and errors of its own."""


@pytest.fixture
def plain() -> Iterator[FileStorage]:
    renditions._warned.clear()
    yield use(Plain())
    renditions._warned.clear()


def test_a_storage_that_keeps_none_has_it_made_anew_and_that_is_said_once(
    plain: FileStorage, makings: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    path = stored()
    with caplog.at_level(logging.WARNING, 'depot.images'):
        assert [size_of(read(path)) for _ in range(3)] == [(20, 20)] * 3
    assert len(makings) == 3
    assert [each.getMessage() for each in caplog.records] == [
        "the storage 'default' keeps no derived files: each rendition is made anew when it is asked for"
    ]


def test_a_rendition_that_is_not_kept_is_a_stored_file_like_others(plain: FileStorage) -> None:
    path = stored()
    with rendition(path, Variant(resize_to_limit=(10, 10), format='webp')) as file:
        content = file.read()
        assert (file.filename, file.content_type, file.content_length) == ('photo.webp', 'image/webp', len(content))
        assert (f'default/{file.file_id}', file.public_url, file.local_path) == (path, None, None)
        for start, stop in (0, 5), (5, 10), (5, 5), (len(content), len(content) + 5):
            with file.open_range(start, stop) as part:
                assert part.read() == content[start:stop]
        part = file.open_range(0, 4)
    with part:
        assert part.read() == content[:4]
    for ask in (file.read, lambda: file.open_range(0, 1)):
        with pytest.raises(ValueError, match='closed file'):
            ask()


def test_a_storage_that_keeps_none_has_none_made_ahead(plain: FileStorage, makings: Counted) -> None:
    path = stored()
    with pytest.raises(Unsupported, match='keeps no derived files'):
        make(path, THUMB)
    make_variant(path, THUMB.to_text())
    clear(path)
    assert len(makings) == 0


def test_a_storage_that_keeps_none_says_that_a_file_is_missing(
    plain: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored()
    for error in OSError('not there'), ValueError('no id'):
        monkeypatch.setattr(Plain, 'get', lambda *_, error=error: (_ for _ in ()).throw(error))
        with pytest.raises(FileMissing):
            rendition(path, THUMB)
    monkeypatch.setattr(Plain, 'get', lambda *_: (_ for _ in ()).throw(StorageFailure('the disk')))
    with pytest.raises(StorageFailure):
        rendition(path, THUMB)


# For queues of tasks, and clearing


def test_a_task_can_be_sent_to_another_process(storage: LocalFileStorage) -> None:
    path = stored()
    function, arguments = pickle.loads(pickle.dumps((make_variant, (path, THUMB.to_text()))))
    function(*arguments)
    assert find(storage, path.partition('/')[2], THUMB) is not None


def test_what_was_cleared_is_made_anew(each_storage: FileStorage, makings: Counted) -> None:
    path, other = stored(), Variant(resize_to_limit=(5, 5))
    for variant in THUMB, other:
        read(path, variant)
    clear(path, THUMB)
    file_id = path.partition('/')[2]
    assert find(each_storage, file_id, THUMB) is None
    find(each_storage, file_id, other).close()
    clear(path)
    assert find(each_storage, file_id, other) is None
    assert size_of(read(path)) == (20, 20)
    assert len(makings) == 3
