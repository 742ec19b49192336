"""Parts of files."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.errors import FileMissing, InvalidRange
from depot.io.contract.samples import ShortReads
from depot.io.memory import MemoryFileStorage
from depot.io.ranges import RangeReader, checked_range, skip

from .simple import SimpleStorage

POSITIONS = st.integers(0, 60)


@given(st.binary(max_size=50), POSITIONS, POSITIONS)
def test_a_range_is_a_slice(data: bytes, start: int, length: int) -> None:
    for storage in (MemoryFileStorage(), SimpleStorage()):
        with storage.open_range(storage.create(data), start, start + length) as part:
            assert part.read() == data[start : start + length]


@given(st.binary(max_size=50), POSITIONS, POSITIONS)
def test_skipping_and_reading_is_a_slice_for_short_reads_too(data: bytes, start: int, length: int) -> None:
    file = ShortReads(data)
    skip(file, start)
    part = RangeReader(_closing(file), length)
    assert part.readall() == data[start : start + length]
    part.close()


def _closing(file: ShortReads) -> ShortReads:
    file.close = lambda: None  # type: ignore[attr-defined]
    return file


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_a_range_needs_an_order(start: int, stop: int) -> None:
    if 0 <= start <= stop:
        assert checked_range(start, stop) == stop - start
    else:
        with pytest.raises(InvalidRange, match=f'no bytes from {start} up to {stop}'):
            checked_range(start, stop)


@pytest.mark.parametrize('bad', [0.0, True, None, '0', b'0'])
def test_a_range_needs_integers(bad: object) -> None:
    for start, stop in ((bad, 1), (0, bad)):
        with pytest.raises(InvalidRange, match='integers'):
            checked_range(start, stop)  # type: ignore[arg-type]


def test_closing_a_range_closes_its_file() -> None:
    file = io.BytesIO(b'abc')
    with RangeReader(file, 2) as part:
        assert part.readable()
        assert part.read() == b'ab'
    assert file.closed
    with pytest.raises(ValueError, match='closed'):
        part.read()


def test_a_range_can_be_read_through_a_buffer() -> None:
    with io.BufferedReader(RangeReader(io.BytesIO(b'one\ntwo\nthree'), 8)) as part:
        assert [*part] == [b'one\n', b'two\n']


def test_a_range_that_cannot_be_reached_closes_the_file() -> None:
    class Failing(SimpleStorage):
        def get(self, file_or_id):  # type: ignore[no-untyped-def]
            self.opened = super().get(file_or_id)
            self.opened.read = self._fail  # type: ignore[method-assign]
            return self.opened

        def _fail(self, size: int = -1) -> bytes:
            raise OSError('no')

    storage = Failing()
    file_id = storage.create(b'abc')
    with pytest.raises(OSError, match='no'):
        storage.open_range(file_id, 1, 2)
    assert storage.opened.closed


# Parts of the stored files of other storages


@given(st.binary(max_size=50), POSITIONS, POSITIONS)
def test_a_part_of_any_stored_file_is_a_slice(data: bytes, start: int, length: int) -> None:
    for storage in (MemoryFileStorage(), SimpleStorage()):
        with storage.get(storage.create(data)) as file, file.open_range(start, start + length) as part:
            assert part.readall() == data[start : start + length]


def test_a_file_that_is_read_for_its_parts_opens_one() -> None:
    storage = SimpleStorage()
    with storage.get(storage.create(b'0123456789')) as file:
        with file.open_range(2, 5) as part:
            assert part.read() == b'234'
        with pytest.raises(io.UnsupportedOperation, match='one range'):
            file.open_range(2, 5)
        assert not file.closed


def test_a_file_that_is_described_anew_when_it_is_read_opens_no_part_of_another_content() -> None:
    class Redescribed(SimpleStorage):
        def get(self, file_or_id):  # type: ignore[no-untyped-def]
            file = super().get(file_or_id)
            read = file.read

            def read_and_describe(n: int = -1) -> bytes:
                block = read(n)
                file.content_length = self._records[file.file_id]['content_length']
                return block

            file.read = read_and_describe  # type: ignore[method-assign]
            return file

    storage = Redescribed()
    with storage.get(storage.create(b'old')) as file:
        storage.replace(file, b'another')
        with pytest.raises(FileMissing, match='was replaced'):
            file.open_range(0, 0)
