"""Files in the memory of this process: for tests and for trying things out."""

from __future__ import annotations

import io
import threading
from typing import Any

from ..errors import FileMissing
from . import utils
from .ids import checked_file_id, checked_key, new_file_id
from .interfaces import FileStorage, is_copy
from .lazy import LazyStoredFile
from .metadata import Metadata
from .ranges import RangeReader, checked_range, replaced
from .utils import Content


class MemoryStoredFile(LazyStoredFile):
    """A file of a :class:`MemoryFileStorage`, or one that is derived from it."""

    def __init__(self, file_id: str, files: dict[str, dict[str, Any]], key: str | None = None) -> None:
        self._files = files
        self._key = key
        super().__init__(file_id)
        self._describe(_record(files, file_id, key)['metadata'])

    def _describe(self, metadata: dict[str, Any]) -> None:
        self._metadata = metadata
        self._set_description(Metadata(**{name: metadata.get(name) for name in Metadata._fields}))

    def _open(self) -> io.BytesIO:
        record = _record(self._files, self.file_id, self._key)
        if record['metadata'] is not self._metadata:  # replaced since: the new content comes with its own metadata
            self._describe(record['metadata'])
        return io.BytesIO(record['data'])

    def open_range(self, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        self._check_not_closed()
        record = _record(self._files, self.file_id, self._key)
        if record['metadata'] is not self._metadata:
            raise replaced(self.file_id)
        return _part(record['data'], start, stop)


class MemoryFileStorage(FileStorage):
    """Files in the memory of this process; they go when it ends.

    Options are ignored, so that it can take the place of any other storage in
    an application's test settings. Safe to use from several threads.
    """

    capabilities = frozenset({'atomic_replace', 'checksums', 'ranges', 'derived'})

    def __init__(self, **options: Any) -> None:
        #: By id: the bytes as ``data``, a dict ``metadata``, and derived files by their keys as ``derived``.
        self.files: dict[str, dict[str, Any]] = {}
        # Reentrant, because the garbage collector may delete a file in the middle of another operation.
        self._lock = threading.RLock()

    def get(self, file_or_id: Any) -> MemoryStoredFile:
        return MemoryStoredFile(checked_file_id(file_or_id), self.files)

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        record = _new_record(*self.fileinfo(content, filename, content_type))
        file_id = new_file_id()
        with self._lock:
            self.files[file_id] = record
        return file_id

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        file_id = checked_file_id(file_or_id)
        existing = None if is_copy(file_id, content) else self.get(file_id)
        record = _new_record(*self.fileinfo(content, filename, content_type, existing))
        with self._lock:
            if existing is not None:
                _record(self.files, file_id)
            self.files[file_id] = record
        return file_id

    def delete(self, file_or_id: Any) -> None:
        file_id = checked_file_id(file_or_id)
        with self._lock:
            self.files.pop(file_id, None)

    def exists(self, file_or_id: Any) -> bool:
        return checked_file_id(file_or_id) in self.files

    def list(self) -> list[str]:
        with self._lock:
            return list(self.files)

    def open_range(self, file_or_id: Any, start: int, stop: int) -> io.RawIOBase:
        checked_range(start, stop)
        return _part(_record(self.files, checked_file_id(file_or_id))['data'], start, stop)

    def get_derived(self, file_or_id: Any, key: str) -> MemoryStoredFile:
        file_id = checked_file_id(file_or_id)
        derived = MemoryStoredFile(file_id, self.files, checked_key(key))
        self._check_unchanged(file_id, self._described(file_or_id))
        return derived

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        file_id, key, described = checked_file_id(file_or_id), checked_key(key), self._described(file_or_id)
        self._check_unchanged(file_id, described)  # before a content is read that is not wanted
        record = _new_record(*self.fileinfo(content, filename, content_type))
        with self._lock:
            self._check_unchanged(file_id, described)
            self.files[file_id].setdefault('derived', {})[key] = record

    def delete_derived(self, file_or_id: Any, key: str | None = None) -> None:
        file_id = checked_file_id(file_or_id)
        with self._lock:
            derived = self.files.get(file_id, {}).get('derived', {})
            for each in [*derived] if key is None else [checked_key(key)]:
                derived.pop(each, None)

    def _described(self, file_or_id: Any) -> dict[str, Any]:
        """The metadata of the content that a stored file describes; of an id, that there is now."""
        if isinstance(file_or_id, MemoryStoredFile) and file_or_id._files is self.files and file_or_id._key is None:
            return file_or_id._metadata
        metadata: dict[str, Any] = _record(self.files, checked_file_id(file_or_id))['metadata']
        return metadata

    def _check_unchanged(self, file_id: str, described: dict[str, Any]) -> None:
        if _record(self.files, file_id)['metadata'] is not described:
            raise replaced(file_id)


def _part(data: bytes, start: int, stop: int) -> io.RawIOBase:
    content = io.BytesIO(data)  # which shares them
    content.seek(min(start, len(data)))
    return RangeReader(content, stop - start)


def _record(files: dict[str, dict[str, Any]], file_id: str, key: str | None = None) -> dict[str, Any]:
    try:
        record = files[file_id]
    except KeyError:
        raise FileMissing(f'File {file_id} not existing in memory', file_id) from None
    return record if key is None else _derived(record, file_id, key)


def _derived(record: dict[str, Any], file_id: str, key: str) -> dict[str, Any]:
    try:
        derived: dict[str, Any] = record.get('derived', {})[key]
    except KeyError:
        raise FileMissing(f'File {file_id} has no derived file {key} in memory', file_id) from None
    return derived


def _new_record(content: Content, filename: str | None, content_type: str | None) -> dict[str, Any]:
    data = bytearray()
    copied = utils.copy_content(content, data.extend)
    metadata = Metadata(filename, content_type, copied.size, utils.timestamp(), copied.checksum)
    return {'data': bytes(data), 'metadata': metadata._asdict()}
