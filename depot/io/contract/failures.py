"""The storage contract: a content that fails half-way."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator
from typing import Any

from .base import ContractBase
from .samples import SAMPLE, FailingStream, Interrupted, failing_pieces


class _Stopped(BaseException):
    """What ends a program, as KeyboardInterrupt does."""


def _failing() -> Iterator[tuple[Any, type[BaseException]]]:
    """Contents that fail, and what they raise."""
    yield FailingStream(), Interrupted
    yield FailingStream(b''), Interrupted
    yield FailingStream(error=OSError('the disk of the client')), OSError
    yield FailingStream(error=_Stopped()), _Stopped
    yield failing_pieces(), Interrupted
    yield failing_pieces(_Stopped()), _Stopped
    yield iter([SAMPLE, 'text']), TypeError
    yield pathlib.Path('/nowhere/to/be/found'), FileNotFoundError
    yield _closed(), ValueError


def _closed() -> io.BytesIO:
    file = io.BytesIO(SAMPLE)
    file.close()
    return file


class FailuresContract(ContractBase):
    """A content that fails half-way raises what it raises, and leaves no trace."""

    def test_a_failing_create_raises_what_the_content_raised(self) -> None:
        for content, error in _failing():
            with self.subTest(error=error), self.assertRaises(error) as caught:
                self.storage.create(content)
            self.assertIs(type(caught.exception) in {error, *error.__subclasses__()}, True)

    def test_a_failing_create_leaves_no_trace(self) -> None:
        for content, error in _failing():
            with self.subTest(error=error):
                with self.assertRaises(error):
                    self.storage.create(content)
                self.assertEqual([*self.storage.list()], [])

    def test_a_failing_replace_keeps_the_old_file(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt')
        for content, error in _failing():
            with self.subTest(error=error):
                with self.assertRaises(error):
                    self.storage.replace(file_id, content, 'new.html')
                self.assertEqual(self.read(file_id), b'old')
                self.assertEqual(self.named(file_id), ('old.txt', 'text/plain'))
                self.assertEqual([*self.storage.list()], [file_id])

    def test_after_a_failure_the_storage_works_on(self) -> None:
        file_id = self.storage.create(b'old')
        with self.assertRaises(Interrupted):
            self.storage.replace(file_id, FailingStream())
        self.storage.replace(file_id, b'new')
        self.assertEqual(self.read(file_id), b'new')
        self.assertEqual(self.read(self.storage.create(SAMPLE)), SAMPLE)
