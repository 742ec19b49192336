"""The storage contract: parts of a file, of the storage's and of one that was described before."""

from __future__ import annotations

import io
import pathlib
from typing import Any

from ...errors import FileMissing, InvalidRange
from .readers import VERSIONS, ReadersBase
from .samples import SAMPLE

_SIZE = len(SAMPLE)

_RANGES = ((0, 0), (0, 1), (0, _SIZE), (5, 5), (5, 300), (_SIZE - 1, _SIZE), (_SIZE, _SIZE))

# A flag is a number to Python, and a mistake here.
_NO_RANGES: tuple[tuple[Any, Any], ...] = (
    (-1, 5),
    (5, 4),
    (-5, -1),
    (0.0, 5),
    (0, 5.0),
    (False, 5),
    (0, True),
    (None, 5),
    (0, None),
    ('0', '5'),
)


class RangesContract(ReadersBase):
    """Parts of a file: by its id, or of a stored file, and then of the content that this describes."""

    def test_a_range_has_the_bytes_from_start_up_to_stop(self) -> None:
        file_id = self.storage.create(SAMPLE)
        for start, stop in _RANGES:
            with self.subTest(start=start, stop=stop):
                self.assertEqual(self._range(file_id, start, stop), SAMPLE[start:stop])

    def test_a_range_ends_with_the_file(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.assertEqual(self._range(file_id, _SIZE - 3, _SIZE + 1000), SAMPLE[-3:])
        self.assertEqual(self._range(file_id, _SIZE + 10, _SIZE + 1000), b'')
        self.assertEqual(self._range(file_id, 2**70, 2**80), b'')
        self.assertEqual(self._range(self.storage.create(b''), 0, 10), b'')

    def test_a_range_is_read_in_pieces(self) -> None:
        with self.storage.open_range(self.storage.create(SAMPLE), 10, 30) as part:
            self.assertEqual([part.read(15), part.read(15), part.read(15)], [SAMPLE[10:25], SAMPLE[25:30], b''])

    def test_a_range_can_be_closed(self) -> None:
        part = self.storage.open_range(self.storage.create(SAMPLE), 10, 30)
        part.close()
        with self.assertRaises(ValueError):
            part.read(1)

    def test_a_range_that_is_none_is_refused(self) -> None:
        file_id = self.storage.create(SAMPLE)
        for start, stop in _NO_RANGES:
            with self.subTest(start=start, stop=stop), self.assertRaises(InvalidRange):
                self.storage.open_range(file_id, start, stop).close()

    def test_a_range_of_a_missing_file_says_so(self) -> None:
        with self.assertRaises(FileMissing), self.storage.open_range(self.missing_id(), 0, 1) as part:
            part.read()

    def test_a_part_of_a_stored_file_has_the_bytes_from_start_up_to_stop(self) -> None:
        file_id = self.storage.create(SAMPLE)
        for start, stop in _RANGES:
            with self.subTest(start=start, stop=stop):
                self.assertEqual(self._part(file_id, start, stop), SAMPLE[start:stop])

    def test_a_part_of_a_stored_file_ends_with_it(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.assertEqual(self._part(file_id, _SIZE - 3, _SIZE + 1000), SAMPLE[-3:])
        self.assertEqual(self._part(file_id, _SIZE + 10, _SIZE + 1000), b'')
        self.assertEqual(self._part(file_id, 2**70, 2**80), b'')
        self.assertEqual(self._part(self.storage.create(b''), 0, 10), b'')

    def test_a_part_of_a_stored_file_is_read_in_pieces(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file, file.open_range(10, 30) as part:
            self.assertTrue(part.readable())
            self.assertEqual([part.read(15), part.read(15), part.read(15)], [SAMPLE[10:25], SAMPLE[25:30], b''])

    def test_a_part_of_a_stored_file_can_be_closed(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            part = file.open_range(10, 30)
            part.close()
            with self.assertRaises(ValueError):
                part.read(1)

    def test_a_part_of_a_stored_file_that_is_none_is_refused(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            for start, stop in _NO_RANGES:
                with self.subTest(start=start, stop=stop), self.assertRaises(InvalidRange):
                    file.open_range(start, stop).close()

    def test_a_closed_file_opens_no_part(self) -> None:
        file = self.storage.get(self.storage.create(SAMPLE))
        file.close()
        with self.assertRaises(ValueError):
            file.open_range(0, 1).close()

    def test_several_parts_of_a_stored_file_are_read_at_a_time(self) -> None:
        self.needs('ranges')
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            first = file.read(100)
            with file.open_range(500, 1500) as one, file.open_range(10, 600) as other:
                halves = one.read(300), other.read(300)
                self.assertEqual(_all(halves[0], one), SAMPLE[500:1500])
                self.assertEqual(_all(halves[1], other), SAMPLE[10:600])
            self.assertEqual(first + file.read(), SAMPLE)

    def test_a_part_is_read_when_its_file_is_closed(self) -> None:
        self.needs('ranges')
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            part = file.open_range(5, 300)
        with part:
            self.assertEqual(part.read(300), SAMPLE[5:300])

    def test_a_part_is_of_the_content_that_was_described(self) -> None:
        self.needs('ranges')
        for start, stop in ((0, _SIZE), (0, 0), (0, 1), (_SIZE - 1, _SIZE)):
            file_id = self.storage.create(SAMPLE)
            with self.subTest(start=start, stop=stop), self.storage.get(file_id) as file:
                self.storage.replace(file_id, b'another one')
                with self.assertRaises(FileMissing):
                    file.open_range(start, stop).close()
                self.assertEqual(self._part(file_id, 0, 7), b'another')

    def test_a_part_of_a_file_that_was_deleted_says_so(self) -> None:
        self.needs('ranges')
        for start, stop in ((0, _SIZE), (0, 0), (5, 10)):
            file_id = self.storage.create(SAMPLE)
            with self.subTest(start=start, stop=stop), self.storage.get(file_id) as file:
                self.storage.delete(file_id)
                with self.assertRaises(FileMissing):
                    file.open_range(start, stop).close()

    def test_once_it_is_read_a_part_is_of_the_content_that_was_read(self) -> None:
        self.needs('ranges')
        self.needs('atomic_replace')
        file_id = self.storage.create(SAMPLE)
        with self.storage.get(file_id) as file:
            self.storage.replace(file_id, b'another one')
            file.read(1)
            with file.open_range(1, 7) as part:
                self.assertEqual(part.read(), b'nother')

    def test_while_a_file_is_replaced_parts_are_of_the_content_that_was_described(self) -> None:
        self.needs('ranges')
        self.needs('atomic_replace')
        file_id = self.storage.create(VERSIONS['old.txt'], 'old.txt')
        for name, part in self.while_replaced(file_id, lambda: self._part_with_name(file_id)):
            self.assertIn(part, {VERSIONS[name][1000:2000], None})

    def test_a_local_path_is_where_the_content_is(self) -> None:
        path = self.described(self.storage.create(SAMPLE)).local_path
        if path is not None:
            self.assertTrue(pathlib.Path(path).is_absolute(), path)
            self.assertEqual(pathlib.Path(path).read_bytes(), SAMPLE)

    def _range(self, file_id: str, start: int, stop: int) -> bytes:
        with self.storage.open_range(file_id, start, stop) as part:
            return part.read() or b''

    def _part(self, file_id: str, start: int, stop: int) -> bytes:
        with self.storage.get(file_id) as file, file.open_range(start, stop) as part:
            return part.read() or b''

    def _part_with_name(self, file_id: str) -> tuple[Any, bytes | None]:
        with self.storage.get(file_id) as file:
            try:
                with file.open_range(1000, 2000) as part:
                    return file.filename, part.read()
            except FileMissing:
                return file.filename, None


def _all(begun: bytes | None, part: io.RawIOBase) -> bytes:
    return (begun or b'') + part.readall()
