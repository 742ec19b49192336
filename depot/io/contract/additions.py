"""The storage contract: what the base class adds to the six methods."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ...errors import FileMissing, InvalidFileId
from ...utils import utcnow_naive
from .base import ContractBase
from .samples import SAMPLE, FailingStream, Interrupted

_CAPABILITIES = {
    'atomic_replace',
    'checksums',
    'ranges',
    'sorted_ids',
    'batch_delete',
    'sync',
    'unfinished',
    'versions',
    'derived',
}


class AdditionsContract(ContractBase):
    """Ids in order, deleting many, durability, URLs."""

    def test_capabilities_are_words_that_are_known(self) -> None:
        self.assertIsInstance(self.storage.capabilities, frozenset)
        self.assertLessEqual(self.storage.capabilities, _CAPABILITIES)

    def test_ids_come_in_order_and_once(self) -> None:
        ids = [self.storage.create(b'x') for _ in range(12)]
        self.assertEqual([*self.storage.iter_ids()], sorted(ids))

    def test_ids_come_from_the_first_one_above(self) -> None:
        ids = sorted(self.storage.create(b'x') for _ in range(5))
        self.assertEqual([*self.storage.iter_ids(after=ids[1])], ids[2:])
        self.assertEqual([*self.storage.iter_ids(after=ids[-1])], [])

    def test_ids_of_an_empty_storage_are_none(self) -> None:
        self.assertEqual([*self.storage.iter_ids()], [])

    def test_delete_many_removes_all(self) -> None:
        kept, *ids = (self.storage.create(b'x') for _ in range(5))
        self.assertEqual(dict(self.storage.delete_many(iter([*ids, self.missing_id()]))), {})
        self.assertEqual([*self.storage.list()], [kept])

    def test_delete_many_goes_on_after_a_failure_and_tells_it(self) -> None:
        ids = [self.storage.create(b'x') for _ in range(2)]
        failures = self.storage.delete_many([ids[0], 'not-an-id', ids[1]])
        self.assertEqual([*failures], ['not-an-id'])
        self.assertIsInstance(failures['not-an-id'], InvalidFileId)
        self.assertEqual([*self.storage.list()], [])

    def test_sync_changes_nothing_and_passes_over_missing_files(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.storage.sync(iter([file_id, self.missing_id()]))
        self.storage.sync([])
        self.assertEqual(self.read(file_id), SAMPLE)

    def test_a_version_is_another_after_a_change(self) -> None:
        file_id = self.storage.create(SAMPLE)
        before = self.storage.version(file_id)
        self.storage.replace(file_id, SAMPLE)
        self.assertTrue(before is None or self.storage.version(file_id) != before)

    def test_a_missing_file_has_no_version(self) -> None:
        self.assertIsNone(self.storage.version(self.missing_id()))

    def test_clean_removes_no_file(self) -> None:
        file_id = self.storage.create(SAMPLE)
        self.storage.replace(file_id, b'new')
        self.storage.clean(utcnow_naive() + timedelta(hours=1))
        self.assertEqual(self.read(file_id), b'new')
        self.assertEqual([*self.storage.list()], [file_id])

    def test_where_nothing_is_unfinished_there_is_nothing_to_clean(self) -> None:
        kept, deleted = (self.storage.create(SAMPLE) for _ in range(2))
        self.storage.replace(kept, b'new')
        self.storage.delete(deleted)
        with self.assertRaises(Interrupted):
            self.storage.create(FailingStream())
        self.assertEqual([*self.storage.clean(datetime.now(timezone.utc) + timedelta(hours=1))], [])

    def test_a_url_is_text_or_none(self) -> None:
        file_id = self.storage.create(SAMPLE, 'page.html')
        for url in (self.storage.url(file_id), self.storage.url(file_id, expires=60, filename='other.html')):
            self.assertTrue(url is None or '://' in url, url)

    def test_a_url_of_a_missing_file_says_so(self) -> None:
        with self.assertRaises(FileMissing):
            self.storage.url(self.missing_id())
