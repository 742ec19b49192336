"""A storage as a third party would write it: the six methods, and nothing else."""

from __future__ import annotations

import builtins
import io
import uuid
from typing import Any

from depot.errors import FileMissing, InvalidFileId
from depot.io import utils
from depot.io.interfaces import FileStorage, StoredFile
from depot.utils import utcnow_naive


class SimpleStoredFile(StoredFile):
    """A file of a :class:`SimpleStorage`."""

    def __init__(self, records: dict[str, dict[str, Any]], file_id: str) -> None:
        super().__init__(file_id, **{key: value for key, value in records[file_id].items() if key != 'data'})
        self._records = records
        self._content: io.BytesIO | None = None
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise ValueError('closed')
        if self._content is None:
            self._content = io.BytesIO(self._records[self.file_id]['data'])
        return self._content.read(n)

    def close(self) -> None:
        self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed


class SimpleStorage(FileStorage):
    """Six methods."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Any]] = {}

    def _id(self, file_or_id: Any) -> str:
        file_id = self.fileid(file_or_id)
        try:
            return str(uuid.UUID(f'{{{file_id}}}'))
        except ValueError:
            raise InvalidFileId(f'Invalid file id {file_id!r}', file_id) from None

    def _store(self, file_id: str, content: Any, filename: str | None, content_type: str | None) -> str:
        data = b''.join(utils.blocks(content))
        modified = utcnow_naive().replace(microsecond=0)
        record = {'filename': filename, 'content_type': content_type, 'last_modified': modified}
        self._records[file_id] = {**record, 'content_length': len(data), 'data': data}
        return file_id

    def get(self, file_or_id: Any) -> SimpleStoredFile:
        file_id = self._id(file_or_id)
        if file_id not in self._records:
            raise FileMissing(f'no file {file_id}', file_id)
        return SimpleStoredFile(self._records, file_id)

    def create(self, content: Any, filename: str | None = None, content_type: str | None = None) -> str:
        return self._store(str(uuid.uuid4()), *self.fileinfo(content, filename, content_type))

    def replace(
        self, file_or_id: Any, content: Any, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id = self._id(file_or_id)
        existing = None if getattr(content, 'file_id', None) == file_id else self.get(file_id)
        return self._store(file_id, *self.fileinfo(content, filename, content_type, existing))

    def delete(self, file_or_id: Any) -> None:
        self._records.pop(self._id(file_or_id), None)

    def exists(self, file_or_id: Any) -> bool:
        return self._id(file_or_id) in self._records

    def list(self) -> builtins.list[str]:
        return [*self._records]
