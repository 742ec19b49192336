"""The storage contract: one stored file."""

from __future__ import annotations

import datetime
import io

from .base import ContractBase
from .samples import SAMPLE, digest


class StoredFileContract(ContractBase):
    """One stored file: a stream that is opened at its first read, and knows its metadata."""

    def test_it_is_read_in_pieces(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            found = [file.read(1), file.read(0), file.read(1000), file.read(), file.read(), file.read(10)]
        self.assertEqual(found, [SAMPLE[:1], b'', SAMPLE[1:1001], SAMPLE[1001:], b'', b''])

    def test_it_can_be_iterated_by_lines(self) -> None:
        with self.storage.get(self.storage.create(b'one\ntwo\n\nthree')) as file:
            self.assertEqual([*file], [b'one\n', b'two\n', b'\n', b'three'])

    def test_it_is_readable_and_nothing_else(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE)) as file:
            self.assertEqual((file.readable(), file.writable(), file.seekable()), (True, False, False))

    def test_two_readers_do_not_share_a_position(self) -> None:
        file_id = self.storage.create(SAMPLE)
        with self.storage.get(file_id) as one, self.storage.get(file_id) as other:
            one.read(100)
            self.assertEqual(other.read(), SAMPLE)
            self.assertEqual(one.read(), SAMPLE[100:])

    def test_a_closed_file_cannot_be_read(self) -> None:
        read, unread = (self.storage.get(self.storage.create(SAMPLE)) for _ in range(2))
        read.read(1)
        for file in (read, unread):
            file.close()
            with self.assertRaises(ValueError):
                file.read()

    def test_it_may_be_closed_unread_and_twice(self) -> None:
        file = self.storage.get(self.storage.create(SAMPLE))
        self.assertFalse(file.closed)
        file.close()
        file.close()
        self.assertTrue(file.closed)

    def test_it_is_a_context_manager_that_closes(self) -> None:
        file = self.storage.get(self.storage.create(SAMPLE))
        with file as entered:
            self.assertIs(entered, file)
        self.assertTrue(file.closed)

    def test_its_repr_names_it(self) -> None:
        file = self.described(self.storage.create(SAMPLE, 'page.html'))
        expected = f'{type(file).__name__}:{file.file_id} filename=page.html content_type=text/html last_modified='
        self.assertEqual(repr(file), f'<{expected}{file.last_modified}>')

    def test_its_name_is_the_filename(self) -> None:
        self.assertEqual(self.described(self.storage.create(SAMPLE, 'page.html')).name, 'page.html')

    def test_its_attributes_can_be_assigned(self) -> None:
        file = self.described(self.storage.create(SAMPLE, 'page.html'))
        for name in ('file_id', 'filename', 'content_type', 'last_modified', 'content_length'):
            with self.subTest(name=name):
                setattr(file, name, None)
                self.assertIsNone(getattr(file, name))

    def test_last_modified_is_utc_without_a_zone_in_whole_seconds(self) -> None:
        before = _now()
        file = self.described(self.storage.create(SAMPLE))
        moment = file.last_modified
        assert isinstance(moment, datetime.datetime)
        self.assertIsNone(moment.tzinfo)
        self.assertEqual(moment.microsecond, 0)
        # The clock of a backend may differ from ours, but not by a time zone.
        self.assertLess(abs(moment - before), datetime.timedelta(minutes=14))

    def test_its_length_is_that_of_the_content_where_it_is_known(self) -> None:
        file = self.described(self.storage.create(SAMPLE))
        lengths = {len(SAMPLE)} if 'checksums' in self.storage.capabilities else {len(SAMPLE), None}
        self.assertIn(file.content_length, lengths)

    def test_its_checksum_is_that_of_the_content(self) -> None:
        self.needs('checksums')
        file_id = self.storage.create(SAMPLE)
        self.assertEqual(self.described(file_id).checksum, digest(io.BytesIO(SAMPLE)))
        self.storage.replace(file_id, b'new')
        self.assertEqual(self.described(file_id).checksum, digest(io.BytesIO(b'new')))

    def test_its_content_is_opened_at_the_first_read(self) -> None:
        file_id = self.storage.create(b'old')
        with self.storage.get(file_id) as file:
            self.storage.replace(file_id, b'new content')
            self.assertEqual(file.read(), b'new content')

    def test_its_public_url_is_text_or_none(self) -> None:
        url = self.described(self.storage.create(SAMPLE)).public_url
        self.assertTrue(url is None or '://' in url, url)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
