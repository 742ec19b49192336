"""What the parts of the storage contract share: the storage under test, and what a subclass may override."""

from __future__ import annotations

import unittest
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ..interfaces import FileStorage, StoredFile

if TYPE_CHECKING:
    _Mixin = unittest.TestCase
else:
    _Mixin = object  # not a TestCase: else every module that imports the contract would run it


class ContractBase(_Mixin):
    """Gives each test a storage of its own as ``self.storage``."""

    #: What must be refused as an id, wherever one goes in. Override it where ids are not UUIDs.
    invalid_ids: ClassVar[Iterable[Any]] = (
        '',
        ' ',
        '.',
        '..',
        '../../etc/passwd',
        '/etc/passwd',
        'C:\\boot.ini',
        'a\0b',
        'not-a-uuid',
        '0' * 31,
        '0' * 33,
        '0' * 10_000,
        f'{uuid.UUID(int=1)}/../{uuid.UUID(int=2)}',
        f'{uuid.UUID(int=1)}\0',
        None,
        7,
        b'0' * 32,
    )

    #: The size in bytes of a file that is too large to be held in memory.
    large_size: ClassVar[int] = 64 * 1024 * 1024

    #: How often a file is replaced while others read it.
    rounds: ClassVar[int] = 40

    storage: FileStorage

    def make_storage(self) -> FileStorage:
        """A storage without files. Override this; remove what it leaves by ``self.addCleanup``."""
        raise NotImplementedError('a storage contract needs a make_storage() that returns an empty storage')

    def missing_id(self) -> Any:
        """An id that is valid and that no file has. Override it where ids are not UUIDs."""
        return str(uuid.uuid4())

    def setUp(self) -> None:
        super().setUp()
        self.storage = self.make_storage()

    def needs(self, capability: str) -> None:
        """Skips the test unless the storage claims it."""
        if capability not in self.storage.capabilities:
            self.skipTest(f'impossible here: the storage does not claim {capability!r}')

    def read(self, file_id: Any) -> bytes:
        """The content that a file has now."""
        with self.storage.get(file_id) as file:
            return file.read()

    def described(self, file_id: Any) -> StoredFile:
        """What is known of a file now."""
        with self.storage.get(file_id) as file:
            return file

    def named(self, file_id: Any) -> tuple[str | None, str | None]:
        """The name and the type that a file has now."""
        file = self.described(file_id)
        return file.filename, file.content_type
