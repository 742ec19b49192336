"""The storage contract: what goes in as an id, and what is refused."""

from __future__ import annotations

from typing import Any

from ...errors import FileMissing, InvalidFileId
from .base import ContractBase
from .samples import SAMPLE


class _HasId:
    """What an ``UploadedFile`` has."""

    def __init__(self, file_id: str) -> None:
        self.file_id = file_id


class IdsContract(ContractBase):
    """An id is text, or any object with a ``file_id``; what no storage could have given is refused."""

    def test_an_object_with_a_file_id_goes_in_for_it(self) -> None:
        file_id = self.storage.create(SAMPLE)
        holder = _HasId(file_id)
        self.assertTrue(self.storage.exists(holder))
        self.assertEqual(self.read(holder), SAMPLE)
        self.assertEqual(self.storage.replace(holder, b'new'), file_id)
        self.storage.delete(holder)
        self.assertFalse(self.storage.exists(file_id))

    def test_a_stored_file_goes_in_for_its_id(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            self.assertTrue(self.storage.exists(file))
            self.storage.delete(file)
            self.assertFalse(self.storage.exists(file))

    def test_get_of_a_missing_file_says_which(self) -> None:
        missing = self.missing_id()
        with self.assertRaises(FileMissing) as caught:
            self.storage.get(missing)
        self.assertIn(str(missing), str(caught.exception))

    def test_replace_of_a_missing_file_makes_none(self) -> None:
        missing = self.missing_id()
        with self.assertRaises(FileMissing):
            self.storage.replace(missing, SAMPLE)
        self.assertEqual([*self.storage.list()], [])

    def test_get_refuses_what_is_no_id(self) -> None:
        self._refused(self.storage.get)

    def test_exists_refuses_what_is_no_id(self) -> None:
        self._refused(self.storage.exists)

    def test_delete_refuses_what_is_no_id(self) -> None:
        self._refused(self.storage.delete)

    def test_replace_refuses_what_is_no_id(self) -> None:
        self._refused(lambda each: self.storage.replace(each, SAMPLE))
        self.assertEqual([*self.storage.list()], [])

    def test_open_range_refuses_what_is_no_id(self) -> None:
        self._refused(lambda each: self.storage.open_range(each, 0, 1))

    def _refused(self, act: Any) -> None:
        for each in self.invalid_ids:
            with self.subTest(file_id=each), self.assertRaises(InvalidFileId):
                act(each)
            with self.subTest(file_id=each, inside=True), self.assertRaises(InvalidFileId):
                act(_HasId(each))
