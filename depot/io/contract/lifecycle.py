"""The storage contract: a file comes, is replaced, and goes."""

from __future__ import annotations

from ...errors import FileMissing
from .base import ContractBase
from .samples import SAMPLE, FarFile


class LifecycleContract(ContractBase):
    """A file comes, is replaced, and goes."""

    def test_a_created_file_has_its_content(self) -> None:
        self.assertEqual(self.read(self.storage.create(SAMPLE)), SAMPLE)

    def test_a_created_file_exists(self) -> None:
        self.assertIs(self.storage.exists(self.storage.create(SAMPLE)), True)

    def test_a_missing_file_does_not_exist(self) -> None:
        self.assertIs(self.storage.exists(self.missing_id()), False)

    def test_an_empty_file_is_a_file(self) -> None:
        file_id = self.storage.create(b'', 'empty.txt')
        self.assertEqual(self.read(file_id), b'')
        self.assertTrue(self.storage.exists(file_id))
        self.assertIn(self.described(file_id).content_length, {0, None})

    def test_the_same_content_and_name_make_two_files(self) -> None:
        one, other = self.storage.create(b'same', 'same.txt'), self.storage.create(b'same', 'same.txt')
        self.assertNotEqual(one, other)
        self.assertEqual(self.read(other), b'same')

    def test_an_id_is_text_and_goes_in_again(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.assertIsInstance(file_id, str)
        self.assertEqual(self.described(file_id).file_id, file_id)

    def test_replace_puts_a_new_content_under_the_same_id(self) -> None:
        file_id = self.storage.create(b'old')
        self.assertEqual(self.storage.replace(file_id, b'new'), file_id)
        self.assertEqual(self.read(file_id), b'new')

    def test_replace_may_make_a_file_shorter(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.storage.replace(file_id, b'short')
        self.assertEqual(self.read(file_id), b'short')
        self.assertIn(self.described(file_id).content_length, {5, None})

    def test_replace_of_one_file_leaves_the_others(self) -> None:
        other, file_id = self.storage.create(b'other'), self.storage.create(b'old')
        self.storage.replace(file_id, b'new')
        self.assertEqual(self.read(other), b'other')

    def test_replace_with_the_same_file_of_another_storage_makes_a_copy(self) -> None:
        original = FarFile(str(self.missing_id()), b'elsewhere')
        self.assertEqual(self.storage.replace(original, original), original.file_id)
        self.assertEqual(self.read(original.file_id), b'elsewhere')
        self.assertEqual(self.named(original.file_id), ('far.txt', 'text/plain'))

    def test_replace_with_the_same_file_of_another_storage_overwrites(self) -> None:
        file_id = self.storage.create(b'here', 'near.html')
        original = FarFile(file_id, b'elsewhere')
        self.storage.replace(original, original)
        self.assertEqual(self.read(file_id), b'elsewhere')
        self.assertEqual(self.named(file_id), ('far.txt', 'text/plain'))

    def test_a_deleted_file_is_gone(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.storage.delete(file_id)
        self.assertFalse(self.storage.exists(file_id))
        self.assertNotIn(file_id, self.storage.list())
        with self.assertRaises(FileMissing):
            self.read(file_id)

    def test_delete_returns_none_and_a_missing_file_is_nothing_to_delete(self) -> None:
        file_id = self.storage.create(SAMPLE)
        for each in (file_id, file_id, self.missing_id()):
            self.assertIsNone(self.storage.delete(each))

    def test_delete_of_one_file_leaves_the_others(self) -> None:
        file_id, other = self.storage.create(b'this'), self.storage.create(b'other')
        self.storage.delete(file_id)
        self.assertEqual(self.read(other), b'other')

    def test_a_new_storage_lists_nothing(self) -> None:
        self.assertEqual([*self.storage.list()], [])

    def test_list_names_every_file_once(self) -> None:
        ids = [self.storage.create(SAMPLE, 'same.txt') for _ in range(5)]
        self.storage.replace(ids[0], b'new')
        self.assertEqual(sorted(self.storage.list()), sorted(ids))
