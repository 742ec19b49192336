"""A reader that was interrupted does not go on as if nothing were missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from depot.errors import StorageFailure
from depot.io.gridfs import GridFSStorage
from depot.io.mongodb.chunks import Chunks
from depot.io.objects.reading import ObjectReader

CONTENT = b'0123456789abcdef' * 64 * 1024  # 1 MiB: five chunks


@pytest.fixture
def storage(mongo_database_url: str) -> Iterator[GridFSStorage]:
    with closing(GridFSStorage(mongo_database_url)) as made:
        yield made


@pytest.mark.parametrize('size', [-1, 10])
def test_a_file_of_gridfs(storage: GridFSStorage, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Chunks._found

    def interrupted(chunks: Any) -> bytes | None:
        if chunks._number == 2:
            raise KeyboardInterrupt
        return found(chunks)

    with storage.get(storage.create(CONTENT)) as file:
        with monkeypatch.context() as patch:
            patch.setattr(Chunks, '_found', interrupted)
            with pytest.raises(KeyboardInterrupt):
                [*iter(lambda: file.read(size), b'')]
        with pytest.raises(StorageFailure, match='interrupted'):
            file.read(size)


class Interrupted(io.BytesIO):
    """A stream whose second block is interrupted, once."""

    def __init__(self) -> None:
        super().__init__(CONTENT)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads == 2:
            raise KeyboardInterrupt
        return super().read(size)


def test_an_object_of_which_all_was_to_be_read() -> None:
    with closing(ObjectReader(Interrupted(), 'key', len(CONTENT))) as reader:
        with pytest.raises(KeyboardInterrupt):
            reader.read()
        with pytest.raises(StorageFailure, match='interrupted'):
            reader.read()
