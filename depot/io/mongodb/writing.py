"""A content becomes chunks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bson import ObjectId
from pymongo.errors import PyMongoError

from ..utils import Content, Copied, copy_content
from .connection import Contents, Document
from .failures import failing, is_refused
from .records import CHUNK_SIZE

#: So many chunks go to the server at a time: 4 MiB.
BATCH = 16


def write_chunks(
    bucket: Contents, files_id: ObjectId, content: Content, mark: ObjectId | None = None, **fields: ObjectId
) -> Copied:
    """Stores a content as chunks of ``files_id``, each with the mark as its ``content``; an error leaves none."""
    with failing('prepare to store a file', bucket.name):
        bucket.ensure_indexes()
    with _removed_on_error(bucket, files_id):
        writer = _ChunkWriter(bucket, {'files_id': files_id, **({'content': mark} if mark else {}), **fields})
        copied = copy_content(content, writer.write)
        writer.finish()
    return copied


@contextlib.contextmanager
def _removed_on_error(bucket: Contents, files_id: ObjectId) -> Iterator[None]:
    try:
        yield
    except BaseException:
        withdraw(bucket, files_id)
        raise


def withdraw(bucket: Contents, files_id: ObjectId) -> None:
    """Removes chunks that will be no file's; if that fails, a clean does it."""
    with contextlib.suppress(PyMongoError):
        bucket.chunks.delete_many({'files_id': files_id})


@contextlib.contextmanager
def withdrawn_if_refused(contents: Contents, files_id: ObjectId) -> Iterator[None]:
    """Removes chunks if what is done inside is refused; after any other error it may have been done, and they stay."""
    try:
        yield
    except Exception as error:
        if is_refused(error):
            withdraw(contents, files_id)
        raise


class _ChunkWriter:
    def __init__(self, bucket: Contents, fields: Document) -> None:
        self._bucket = bucket
        self._fields = fields
        self._rest = bytearray()
        self._batch: list[Document] = []
        self._count = 0

    def write(self, block: bytes) -> None:
        for start in range(0, len(block), CHUNK_SIZE):  # a block may be a whole file: no second copy of it
            self._rest += block[start : start + CHUNK_SIZE]
            if len(self._rest) >= CHUNK_SIZE:
                self._add(bytes(memoryview(self._rest)[:CHUNK_SIZE]))
                del self._rest[:CHUNK_SIZE]

    def finish(self) -> None:
        if self._rest:
            self._add(bytes(self._rest))
        self._send()

    def _add(self, data: bytes) -> None:
        self._batch.append({**self._fields, 'n': self._count, 'data': data})
        self._count += 1
        if len(self._batch) == BATCH:
            self._send()

    def _send(self) -> None:
        if self._batch:
            with failing(f'store the chunks of file {self._fields["files_id"]}', self._bucket.name):
                self._bucket.chunks.insert_many(self._batch)
            self._batch = []
