"""The storage contract: what a content may be."""

from __future__ import annotations

import contextlib
import io
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from ...errors import InvalidContent
from ..interfaces import FileIntent
from .base import ContractBase
from .samples import (
    SAMPLE,
    AsyncUpload,
    FarFile,
    LargeStream,
    NamedUpload,
    ShortReads,
    Upload,
    WrappingUpload,
    digest,
    pieces,
)


class ContentsContract(ContractBase):
    """What a content may be, for ``create`` and ``replace`` alike."""

    def _stores(self, content: Any, expected: bytes = SAMPLE) -> None:
        self.assertEqual(self.read(self.storage.create(content)), expected)

    def test_bytes_are_a_content(self) -> None:
        self._stores(SAMPLE)

    def test_a_bytearray_is_a_content(self) -> None:
        self._stores(bytearray(SAMPLE))

    def test_a_memoryview_is_a_content(self) -> None:
        self._stores(memoryview(SAMPLE))
        self._stores(memoryview(SAMPLE)[::2], SAMPLE[::2])

    def test_a_path_is_a_content(self) -> None:
        with _on_disk(SAMPLE) as path:
            self._stores(path)
            self.assertEqual(self.named(self.storage.create(path))[0], path.name)

    def test_a_file_is_a_content_and_stays_open(self) -> None:
        with io.BytesIO(SAMPLE) as file:
            self._stores(file)
            self.assertFalse(file.closed)

    def test_a_file_is_read_from_its_position(self) -> None:
        with _on_disk(SAMPLE) as path, open(path, 'rb') as file:
            file.seek(100)
            self._stores(file, SAMPLE[100:])

    def test_a_stream_that_cannot_seek_is_a_content(self) -> None:
        self._stores(ShortReads(SAMPLE))

    def test_an_iterator_of_bytes_is_a_content(self) -> None:
        self._stores(pieces())

    def test_a_file_intent_is_a_content(self) -> None:
        for inside in (SAMPLE, io.BytesIO(SAMPLE)):
            file_id = self.storage.create(FileIntent(inside, 'intent.bin', 'application/x-intent'))
            self.assertEqual(self.read(file_id), SAMPLE)
            self.assertEqual(self.named(file_id), ('intent.bin', 'application/x-intent'))

    def test_a_field_storage_is_a_content(self) -> None:
        self._uploads(Upload(io.BytesIO(SAMPLE), 'up.bin', 'application/x-up'))

    def test_uploads_of_frameworks_are_contents(self) -> None:
        self._uploads(AsyncUpload(io.BytesIO(SAMPLE), 'up.bin', 'application/x-up'))
        self._uploads(NamedUpload(SAMPLE, 'up.bin', 'application/x-up'))
        self._uploads(WrappingUpload(io.BytesIO(SAMPLE), 'up.bin', 'application/x-up'))

    def _uploads(self, upload: Any) -> None:
        with self.subTest(upload=type(upload).__name__):
            file_id = self.storage.create(upload)
            self.assertEqual(self.read(file_id), SAMPLE)
            self.assertEqual(self.named(file_id), ('up.bin', 'application/x-up'))

    def test_a_stored_file_is_a_content_with_its_name_and_type(self) -> None:
        original = FarFile('anything', SAMPLE, 'report', 'text/x-report')
        file_id = self.storage.create(original)
        self.assertEqual(self.read(file_id), SAMPLE)
        self.assertEqual(self.named(file_id), ('report', 'text/x-report'))

    def test_a_file_of_the_same_storage_is_a_content(self) -> None:
        with self.storage.get(self.storage.create(SAMPLE, 'one.txt')) as original:
            file_id = self.storage.create(original)
        self.assertEqual(self.read(file_id), SAMPLE)
        self.assertEqual(self.named(file_id), ('one.txt', 'text/plain'))

    def test_a_file_may_be_replaced_with_itself(self) -> None:
        file_id = self.storage.create(SAMPLE, 'one.txt')
        with self.storage.get(file_id) as itself:
            self.storage.replace(itself, itself)
        self.assertEqual(self.read(file_id), SAMPLE)
        self.assertEqual(self.named(file_id), ('one.txt', 'text/plain'))

    def test_replace_takes_the_same_contents(self) -> None:
        file_id = self.storage.create(b'old')
        for content in (bytearray(SAMPLE), memoryview(SAMPLE), io.BytesIO(SAMPLE), ShortReads(SAMPLE), pieces()):
            with self.subTest(content=type(content).__name__):
                self.storage.replace(file_id, b'in between')
                self.storage.replace(file_id, content)
                self.assertEqual(self.read(file_id), SAMPLE)

    def test_text_is_refused(self) -> None:
        self._refuses('text')
        self._refuses('')
        self._refuses(io.StringIO('text'))
        self._refuses(io.StringIO(''))
        self._refuses(iter(['text', 'more text']))

    def test_what_has_no_bytes_is_refused(self) -> None:
        for content in (None, 7, object(), [b'a', b'list'], {}, iter([7, 8])):
            self._refuses(content)

    def _refuses(self, content: Any) -> None:
        with self.subTest(content=content):
            file_id = self.storage.create(b'old')
            with self.assertRaises(InvalidContent):
                self.storage.create(content)
            with self.assertRaises(InvalidContent):
                self.storage.replace(file_id, content)
            self.assertEqual(self.read(file_id), b'old')
            self.storage.delete(file_id)
            self.assertEqual([*self.storage.list()], [])

    def test_a_large_file_comes_back_as_it_went_in(self) -> None:
        file_id = self.storage.create(LargeStream(self.large_size))
        with self.storage.get(file_id) as file:
            self.assertEqual(digest(file), digest(LargeStream(self.large_size)))


@contextlib.contextmanager
def _on_disk(data: bytes) -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'content.bin')
        path.write_bytes(data)
        yield path
