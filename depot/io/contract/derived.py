"""The storage contract: files that are derived from a file."""

from __future__ import annotations

import io
import pathlib
import tempfile
from typing import Any

from ...errors import FileMissing, InvalidFileId, InvalidKey, Unsupported
from ..interfaces import FileIntent
from .base import ContractBase
from .samples import SAMPLE, FarFile, ShortReads, digest, pieces

#: A key as a rendition has one.
KEY = '0123456789abcdef' * 2

_INVALID_KEYS: tuple[Any, ...] = (
    *('', ' ', '.', '..', '../x', 'a/b', 'a\\b', 'a.b', 'a$b', '$a', 'a\0', 'a\n', 'A', 'ä', '٣', 'a-b', 'a' * 65),
    *(7, b'a', ['a'], {'$gt': ''}),
)


class DerivedBase(ContractBase):
    """What the parts about derived files share."""

    def _original(self, content: bytes = b'original') -> str:
        self.needs('derived')
        return self.storage.create(content, 'original.txt')

    def _derived(self, file_id: Any, key: str = KEY) -> bytes:
        with self.storage.get_derived(file_id, key) as file:
            return file.read()

    def _assert_missing(self, file_id: Any, key: str = KEY) -> None:
        with self.assertRaises(FileMissing):
            self._derived(file_id, key)


class DerivedContract(DerivedBase):
    """What was made from a file is found under it, and nowhere else."""

    def test_a_storage_without_derived_files_says_so(self) -> None:
        file_id = self.storage.create(SAMPLE)
        if 'derived' not in self.storage.capabilities:
            with self.assertRaises(Unsupported):
                self.storage.put_derived(file_id, KEY, b'small')
        self._assert_missing(file_id)
        self.storage.delete_derived(file_id)
        self.storage.delete_derived(file_id, KEY)

    def test_a_derived_file_has_its_content(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE)
        self.assertEqual(self._derived(file_id), SAMPLE)

    def test_a_derived_file_has_the_id_of_its_original_and_its_own_description(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE, 'thümb.png', 'image/png')
        with self.storage.get_derived(file_id, KEY) as file:
            self.assertEqual((file.file_id, file.filename, file.content_type), (file_id, 'thümb.png', 'image/png'))
            self.assertEqual(file.last_modified and file.last_modified.microsecond, 0)
        if 'checksums' in self.storage.capabilities:
            self.assertEqual((file.content_length, file.checksum), (len(SAMPLE), digest(io.BytesIO(SAMPLE))))

    def test_a_derived_file_has_no_public_url(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE)
        with self.storage.get_derived(file_id, KEY) as file:
            self.assertIsNone(file.public_url)

    def test_a_derived_file_is_a_stream_like_any_other(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE)
        with self.storage.get_derived(file_id, KEY) as file, file.open_range(10, 20) as part:
            self.assertEqual((part.read(), file.read(1), file.read()), (SAMPLE[10:20], SAMPLE[:1], SAMPLE[1:]))
        with self.assertRaises(ValueError):
            file.read()

    def test_a_derived_file_may_be_empty(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, b'')
        self.assertEqual(self._derived(file_id), b'')

    def test_derived_files_are_told_apart_by_file_and_key(self) -> None:
        one, other = self._original(), self._original()
        places = [(file_id, key) for file_id in (one, other) for key in ('0', 'a', 'ab', 'z' * 64)]
        for place in places:
            self.storage.put_derived(*place, f'{place}'.encode())
        self.assertEqual([self._derived(*place) for place in places], [f'{place}'.encode() for place in places])

    def test_a_stored_file_goes_in_for_the_original(self) -> None:
        with self.storage.get(self._original()) as file:
            self.storage.put_derived(file, KEY, SAMPLE)
            self.assertEqual(self._derived(file), SAMPLE)
            self.storage.delete_derived(file, KEY)
            self._assert_missing(file)

    def test_the_original_stays_as_it_was(self) -> None:
        file_id = self._original()
        described = vars(self.described(file_id))
        self.storage.put_derived(file_id, KEY, SAMPLE, 'thumb.png')
        self.assertEqual(self.read(file_id), b'original')
        again = vars(self.described(file_id))
        for name in ('filename', 'content_type', 'last_modified', 'content_length', 'checksum'):
            self.assertEqual(again.get(name), described.get(name))

    def test_derived_files_are_in_no_list(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE)
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
            self.storage.put_derived(missing, KEY, SAMPLE)
        self._assert_missing(missing)
        self.storage.delete_derived(missing)
        self.assertEqual([*self.storage.list()], [])

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

    def test_put_derived_takes_every_content(self) -> None:
        file_id = self._original()
        with tempfile.TemporaryDirectory() as folder, io.BytesIO(SAMPLE) as file:
            path = pathlib.Path(folder, 'thumb.png')
            path.write_bytes(SAMPLE)
            for content in (bytearray(SAMPLE), file, path, ShortReads(SAMPLE), pieces(), FarFile('x', SAMPLE)):
                with self.subTest(content=type(content).__name__):
                    self.storage.delete_derived(file_id, KEY)
                    self.storage.put_derived(file_id, KEY, content)
                    self.assertEqual(self._derived(file_id), SAMPLE)
            self.assertFalse(file.closed)
        self.storage.put_derived(file_id, 'intent', FileIntent(SAMPLE, 'thumb.png', 'image/png'))
        with self.storage.get_derived(file_id, 'intent') as derived:
            self.assertEqual((derived.filename, derived.content_type), ('thumb.png', 'image/png'))

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
                    self.storage.get_derived(each, KEY)
                with self.assertRaises(InvalidFileId):
                    self.storage.put_derived(each, KEY, b'small')
                with self.assertRaises(InvalidFileId):
                    self.storage.delete_derived(each)
