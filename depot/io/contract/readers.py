"""The storage contract: readers and writers at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .base import ContractBase
from .samples import SAMPLE

#: The contents of a file that is replaced while others read it, by its name.
VERSIONS = {'old.txt': b'old' * 50_000, 'new.html': b'new content' * 30_000}


class ReadersBase(ContractBase):
    """Readers beside a writer."""

    def while_replaced(self, file_id: str, look: Callable[[], Any]) -> list[Any]:
        """What two threads see, one look after the other, while a third replaces a file again and again."""
        with ThreadPoolExecutor(3) as threads:
            writer = threads.submit(self._replace_often, file_id)
            readers = [threads.submit(_repeat, look, writer.done) for _ in range(2)]
            writer.result()
            return [each for reader in readers for each in reader.result()]

    def _replace_often(self, file_id: str) -> None:
        for _ in range(self.rounds):
            for name, content in VERSIONS.items():
                self.storage.replace(file_id, content, name)


class ReadersContract(ReadersBase):
    """Readers and writers at the same time."""

    def test_a_reader_that_has_begun_keeps_its_content(self) -> None:
        self.needs('atomic_replace')
        file_id = self.storage.create(SAMPLE)
        with self.storage.get(file_id) as file:
            begun = file.read(10)
            self.storage.replace(file_id, b'new')
            self.assertEqual(begun + file.read(), SAMPLE)

    def test_a_reader_of_a_new_content_knows_its_metadata(self) -> None:
        self.needs('atomic_replace')
        file_id = self.storage.create(b'old', 'old.txt')
        with self.storage.get(file_id) as file:
            self.storage.replace(file_id, b'new content', 'new.html')
            file.read()
            self.assertEqual((file.filename, file.content_type), ('new.html', 'text/html'))
            self.assertIn(file.content_length, {11, None})

    def test_while_a_file_is_replaced_readers_see_the_whole_old_or_new_one(self) -> None:
        self.needs('atomic_replace')
        file_id = self.storage.create(VERSIONS['old.txt'], 'old.txt')
        for name, content in self.while_replaced(file_id, lambda: self._read_with_name(file_id)):
            self.assertEqual(content, VERSIONS[name])

    def test_while_a_file_is_replaced_it_exists(self) -> None:
        self.needs('atomic_replace')
        file_id = self.storage.create(VERSIONS['old.txt'], 'old.txt')
        self.assertEqual({*self.while_replaced(file_id, lambda: self.storage.exists(file_id))}, {True})

    def test_files_created_at_the_same_time_are_all_there(self) -> None:
        with ThreadPoolExecutor(4) as threads:
            contents = [b'%d' % number for number in range(self.rounds)]
            ids = [*threads.map(self.storage.create, contents)]
        self.assertEqual([self.read(each) for each in ids], contents)
        self.assertEqual(sorted(self.storage.list()), sorted(ids))

    def test_the_last_of_many_replaces_wins_whole(self) -> None:
        file_id = self.storage.create(b'old')
        contents = [b'%03d' % number * 10_000 for number in range(self.rounds)]
        with ThreadPoolExecutor(4) as threads:
            self.assertEqual({*threads.map(lambda each: self.storage.replace(file_id, each), contents)}, {file_id})
        self.assertIn(self.read(file_id), contents)
        self.assertEqual([*self.storage.list()], [file_id])

    def _read_with_name(self, file_id: str) -> tuple[Any, bytes]:
        with self.storage.get(file_id) as file:
            content = file.read()
            return file.filename, content


def _repeat(look: Callable[[], Any], done: Callable[[], bool]) -> list[Any]:
    found = [look()]
    while not done():
        found.append(look())
    return found
