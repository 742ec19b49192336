"""What an application writes of its own: a filter, a kind of file, a storage."""

from __future__ import annotations

from typing import Any

from depot.fields.interfaces import FileFilter
from depot.fields.upload import UploadedFile
from depot.io.interfaces import FileStorage, StoredFile
from depot.io.utils import Content
from depot.manager import DepotManager, configure, get_depot


class Counting(FileFilter):
    def on_save(self, uploaded_file: UploadedFile) -> None:
        uploaded_file['pages'] = 3
        path, _file_id = uploaded_file.store_content(b'preview', 'preview.png')
        uploaded_file['preview'] = path


class Page(UploadedFile):
    def process_content(self, content: Content, filename: str | None = None, content_type: str | None = None) -> None:
        super().process_content(content, filename or 'page.html', content_type)
        self['language'] = 'en'


class Delegating(FileStorage):
    def __init__(self, storage: FileStorage) -> None:
        self._storage = storage

    def get(self, file_or_id: Any) -> StoredFile:
        return self._storage.get(file_or_id)

    def create(self, content: Content, filename: str | None = None, content_type: str | None = None) -> str:
        return self._storage.create(content, filename, content_type)

    def replace(
        self, file_or_id: Any, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> str:
        return self._storage.replace(file_or_id, content, filename, content_type)

    def delete(self, file_or_id: Any) -> None:
        self._storage.delete(file_or_id)

    def exists(self, file_or_id: Any) -> bool:
        return self._storage.exists(file_or_id)

    def list(self) -> list[str]:
        return self._storage.list()


def use() -> bytes:
    storage: FileStorage = configure('default', {'depot.storage_path': '/srv/files'})
    maybe: FileStorage | None = get_depot('archive')
    file_id: str = DepotManager.require('default').create(b'content', 'a.txt')
    with (maybe or storage).get(file_id) as file:
        content: bytes = file.read(10) + file.read()
    return content
