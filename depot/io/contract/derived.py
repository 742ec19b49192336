"""The storage contract: files that are derived from a file."""

from __future__ import annotations

import io
import pathlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from ...errors import FileMissing, InvalidContent, InvalidFileId, InvalidKey, Unsupported
from ...utils import utcnow_naive
from ..interfaces import FileIntent
from .base import ContractBase
from .samples import SAMPLE, FailingStream, FarFile, Interrupted, ShortReads, digest, pieces

_KEY = '0123456789abcdef' * 2

_INVALID_KEYS: tuple[Any, ...] = (
    *('', ' ', '.', '..', '../x', 'a/b', 'a\\b', 'a.b', 'a$b', '$a', 'a\0', 'a\n', 'A', 'ä', '٣', 'a-b', 'a' * 65),
    *(7, b'a', ['a'], {'$gt': ''}),
)


class DerivedContract(ContractBase):
    """What was made from a file lives under it, and goes with it."""

    def _original(self, content: bytes = b'original') -> str:
        self.needs('derived')
        return self.storage.create(content, 'original.txt')

    def _derived(self, file_id: Any, key: str = _KEY) -> bytes:
        with self.storage.get_derived(file_id, key) as file:
            return file.read()

    def _assert_missing(self, file_id: Any, key: str = _KEY) -> None:
        with self.assertRaises(FileMissing):
            self._derived(file_id, key)

    def test_a_storage_without_derived_files_says_so(self) -> None:
        file_id = self.storage.create(SAMPLE)
        if 'derived' not in self.storage.capabilities:
            with self.assertRaises(Unsupported):
                self.storage.put_derived(file_id, _KEY, b'small')
        self._assert_missing(file_id)
        self.storage.delete_derived(file_id)
        self.storage.delete_derived(file_id, _KEY)

    def test_a_derived_file_has_its_content(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE)
        self.assertEqual(self._derived(file_id), SAMPLE)

    def test_a_derived_file_has_the_id_of_its_original_and_its_own_description(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE, 'thümb.png', 'image/png')
        with self.storage.get_derived(file_id, _KEY) as file:
            self.assertEqual((file.file_id, file.filename, file.content_type), (file_id, 'thümb.png', 'image/png'))
            self.assertEqual(file.last_modified and file.last_modified.microsecond, 0)
        if 'checksums' in self.storage.capabilities:
            self.assertEqual((file.content_length, file.checksum), (len(SAMPLE), digest(io.BytesIO(SAMPLE))))

    def test_a_derived_file_has_no_public_url(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE)
        with self.storage.get_derived(file_id, _KEY) as file:
            self.assertIsNone(file.public_url)

    def test_a_derived_file_is_a_stream_like_any_other(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE)
        with self.storage.get_derived(file_id, _KEY) as file, file.open_range(10, 20) as part:
            self.assertEqual((part.read(), file.read(1), file.read()), (SAMPLE[10:20], SAMPLE[:1], SAMPLE[1:]))
        with self.assertRaises(ValueError):
            file.read()

    def test_a_derived_file_may_be_empty(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, b'')
        self.assertEqual(self._derived(file_id), b'')

    def test_derived_files_are_told_apart_by_file_and_key(self) -> None:
        one, other = self._original(), self._original()
        places = [(file_id, key) for file_id in (one, other) for key in ('0', 'a', 'ab', 'z' * 64)]
        for place in places:
            self.storage.put_derived(*place, f'{place}'.encode())
        self.assertEqual([self._derived(*place) for place in places], [f'{place}'.encode() for place in places])

    def test_a_stored_file_goes_in_for_the_original(self) -> None:
        with self.storage.get(self._original()) as file:
            self.storage.put_derived(file, _KEY, SAMPLE)
            self.assertEqual(self._derived(file), SAMPLE)
            self.storage.delete_derived(file, _KEY)
            self._assert_missing(file)

    def test_the_original_stays_as_it_was(self) -> None:
        file_id = self._original()
        described = vars(self.described(file_id))
        self.storage.put_derived(file_id, _KEY, SAMPLE, 'thumb.png')
        self.assertEqual(self.read(file_id), b'original')
        again = vars(self.described(file_id))
        for name in ('filename', 'content_type', 'last_modified', 'content_length', 'checksum'):
            self.assertEqual(again.get(name), described.get(name))

    def test_derived_files_are_in_no_list(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE)
        self.assertEqual([*self.storage.list()], [file_id])
        self.assertEqual([*self.storage.iter_ids()], [file_id])
        self.assertEqual([*self.storage.iter_ids(after=file_id)], [])

    def test_what_was_not_derived_is_missing(self) -> None:
        file_id = self._original()
        self._assert_missing(file_id)
        self.storage.put_derived(file_id, 'a', SAMPLE)
        self._assert_missing(file_id, 'b')

    def test_nothing_is_derived_from_what_is_missing(self) -> None:
        self.needs('derived')
        missing = self.missing_id()
        with self.assertRaises(FileMissing):
            self.storage.put_derived(missing, _KEY, SAMPLE)
        self._assert_missing(missing)
        self.storage.delete_derived(missing)
        self.assertEqual([*self.storage.list()], [])

    def test_a_delete_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(self.storage.delete)

    def test_delete_many_takes_what_is_derived_with_it(self) -> None:
        file_ids = [self._original() for _ in range(3)]
        kept = file_ids[1]
        for each in file_ids:
            for key in ('a', 'b'):
                self.storage.put_derived(each, key, SAMPLE)
        self.assertEqual(dict(self.storage.delete_many([file_ids[0], self.missing_id(), file_ids[2]])), {})
        self.assertEqual([self._derived(kept, key) for key in ('a', 'b')], [SAMPLE, SAMPLE])
        for each in (file_ids[0], file_ids[2]):
            self._comes_back_bare(each)

    def test_a_replace_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(lambda file_id: self.storage.replace(file_id, b'new'))

    def test_a_copy_over_a_file_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(lambda file_id: self.storage.replace(file_id, FarFile(file_id, b'elsewhere')))

    def _goes_with(self, act: Callable[[Any], object]) -> None:
        file_id = self._original()
        for key in ('a', 'b'):
            self.storage.put_derived(file_id, key, SAMPLE)
        act(file_id)
        self._assert_missing(file_id, 'a')
        self._comes_back_bare(file_id)

    def _comes_back_bare(self, file_id: str) -> None:
        """Also where the same content comes back under the same id, nothing is derived from it."""
        self.storage.replace(file_id, FarFile(file_id, b'original', 'original.txt'))
        for key in ('a', 'b'):
            self._assert_missing(file_id, key)
        self.storage.delete(file_id)

    def test_after_a_replace_there_are_new_derived_files(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, b'of the old')
        self.storage.replace(file_id, b'new')
        self.storage.put_derived(file_id, _KEY, b'of the new')
        self.assertEqual(self._derived(file_id), b'of the new')

    def test_one_derived_file_is_deleted(self) -> None:
        file_id = self._original()
        for key in ('a', 'b'):
            self.storage.put_derived(file_id, key, SAMPLE)
        self.storage.delete_derived(file_id, 'a')
        self.storage.delete_derived(file_id, 'a')
        self._assert_missing(file_id, 'a')
        self.assertEqual(self._derived(file_id, 'b'), SAMPLE)

    def test_all_derived_files_of_one_are_deleted(self) -> None:
        file_id, other = self._original(), self._original()
        for each in (file_id, other):
            for key in ('a', 'b'):
                self.storage.put_derived(each, key, SAMPLE)
        self.storage.delete_derived(file_id)
        for key in ('a', 'b'):
            self._assert_missing(file_id, key)
            self.assertEqual(self._derived(other, key), SAMPLE)
        self.assertEqual(self.read(file_id), b'original')

    def test_of_two_under_one_key_one_is_there_and_whole(self) -> None:
        file_id = self._original()
        for content in (b'one', b'other content'):
            self.storage.put_derived(file_id, _KEY, content)
        with self.storage.get_derived(file_id, _KEY) as file:
            content = file.read()
        self.assertIn(content, {b'one', b'other content'})
        self.assertIn(file.content_length, {len(content), None})

    def test_a_derived_file_that_is_put_again_and_again_is_whole_to_its_readers(self) -> None:
        file_id = self._original()
        contents = [bytes([each]) * 100_000 for each in range(8)]
        self.storage.put_derived(file_id, _KEY, contents[0])

        def put() -> None:
            for each in contents:
                self.storage.put_derived(file_id, _KEY, each)

        putting = threading.Thread(target=put)
        putting.start()
        while putting.is_alive():
            self.assertIn(self._derived(file_id), contents)
        putting.join()
        self.assertIn(self._derived(file_id), contents)

    def test_put_derived_takes_every_content(self) -> None:
        file_id = self._original()
        with tempfile.TemporaryDirectory() as folder, io.BytesIO(SAMPLE) as file:
            path = pathlib.Path(folder, 'thumb.png')
            path.write_bytes(SAMPLE)
            for content in (bytearray(SAMPLE), file, path, ShortReads(SAMPLE), pieces(), FarFile('x', SAMPLE)):
                with self.subTest(content=type(content).__name__):
                    self.storage.delete_derived(file_id, _KEY)
                    self.storage.put_derived(file_id, _KEY, content)
                    self.assertEqual(self._derived(file_id), SAMPLE)
            self.assertFalse(file.closed)
        self.storage.put_derived(file_id, 'intent', FileIntent(SAMPLE, 'thumb.png', 'image/png'))
        with self.storage.get_derived(file_id, 'intent') as derived:
            self.assertEqual((derived.filename, derived.content_type), ('thumb.png', 'image/png'))

    def test_a_put_that_fails_leaves_nothing(self) -> None:
        file_id = self._original()
        failing: tuple[tuple[Any, type[Exception]], ...] = (
            (FailingStream(), Interrupted),
            (iter([SAMPLE, 'text']), InvalidContent),
            (7, InvalidContent),
        )
        for content, error in failing:
            with self.subTest(error=error), self.assertRaises(error):
                self.storage.put_derived(file_id, _KEY, content)
            self._assert_missing(file_id)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])

    def test_a_put_that_fails_keeps_what_was_there(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, _KEY, SAMPLE)
        with self.assertRaises(Interrupted):
            self.storage.put_derived(file_id, _KEY, FailingStream())
        self.assertEqual(self._derived(file_id), SAMPLE)

    def test_what_was_derived_from_a_replaced_content_is_refused(self) -> None:
        with self.storage.get(self._original()) as made_from:
            self.storage.replace(made_from.file_id, b'new content')
            with self.assertRaises(FileMissing):
                self.storage.put_derived(made_from, _KEY, SAMPLE)
            self._assert_missing(made_from.file_id)
            self.storage.put_derived(made_from.file_id, _KEY, b'of the new')
            self._assert_missing(made_from)

    def test_a_put_is_refused_if_the_file_is_replaced_meanwhile(self) -> None:
        file_id = self._original()
        self._is_late(file_id, lambda: self.storage.replace(file_id, b'new content'))
        self.assertEqual(self.read(file_id), b'new content')

    def test_a_put_is_refused_if_the_file_is_deleted_meanwhile(self) -> None:
        file_id = self._original()
        self._is_late(file_id, lambda: self.storage.delete(file_id))
        self.assertEqual([*self.storage.list()], [])
        self._comes_back_bare(file_id)

    def _is_late(self, file_id: str, meanwhile: Callable[[], object]) -> None:
        def content() -> Iterator[bytes]:
            yield SAMPLE
            meanwhile()

        with self.assertRaises(FileMissing):
            self.storage.put_derived(file_id, _KEY, content())
        self._assert_missing(file_id)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])

    def test_clean_removes_no_derived_file(self) -> None:
        file_id, replaced = self._original(), self._original()
        self.storage.replace(replaced, b'new')
        for each in (file_id, replaced):
            self.storage.put_derived(each, _KEY, SAMPLE)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])
        self.assertEqual([self._derived(each) for each in (file_id, replaced)], [SAMPLE, SAMPLE])

    def test_what_is_no_key_is_refused(self) -> None:
        file_id = self.storage.create(SAMPLE)
        for each in _INVALID_KEYS:
            with self.subTest(key=each):
                with self.assertRaises(InvalidKey):
                    self.storage.get_derived(file_id, each)
                with self.assertRaises(InvalidKey):
                    self.storage.put_derived(file_id, each, b'small')
                with self.assertRaises(InvalidKey):
                    self.storage.delete_derived(file_id, each)

    def test_derived_files_of_what_is_no_id_are_refused(self) -> None:
        self.needs('derived')
        for each in self.invalid_ids:
            with self.subTest(file_id=each):
                with self.assertRaises(InvalidFileId):
                    self.storage.get_derived(each, _KEY)
                with self.assertRaises(InvalidFileId):
                    self.storage.put_derived(each, _KEY, b'small')
                with self.assertRaises(InvalidFileId):
                    self.storage.delete_derived(each)
