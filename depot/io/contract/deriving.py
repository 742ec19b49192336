"""The storage contract: when derived files go, and which never come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from ...errors import FileMissing, InvalidContent
from ...utils import utcnow_naive
from .derived import KEY, DerivedBase
from .samples import SAMPLE, FailingStream, FarFile, Interrupted


class DerivingContract(DerivedBase):
    """What was made from a file goes with it; what comes late, or in part, does not come at all."""

    def test_a_delete_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(self.storage.delete)

    def test_delete_many_takes_what_is_derived_with_it(self) -> None:
        file_ids = [self._original() for _ in range(3)]
        kept = file_ids[1]
        for each in file_ids:
            for key in ('a', 'b'):
                self.storage.put_derived(each, key, SAMPLE)
        self.assertEqual(dict(self.storage.delete_many([file_ids[0], self.missing_id(), file_ids[2]])), {})
        self.assertEqual([self._derived(kept, key) for key in ('a', 'b')], [SAMPLE, SAMPLE])
        for each in (file_ids[0], file_ids[2]):
            self._comes_back_bare(each)

    def test_a_replace_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(lambda file_id: self.storage.replace(file_id, b'new'))

    def test_a_copy_over_a_file_takes_what_is_derived_with_it(self) -> None:
        self._goes_with(lambda file_id: self.storage.replace(file_id, FarFile(file_id, b'elsewhere')))

    def _goes_with(self, act: Callable[[Any], object]) -> None:
        file_id = self._original()
        for key in ('a', 'b'):
            self.storage.put_derived(file_id, key, SAMPLE)
        act(file_id)
        self._assert_missing(file_id, 'a')
        self._comes_back_bare(file_id)

    def _comes_back_bare(self, file_id: str) -> None:
        """Also where the same content comes back under the same id, nothing is derived from it."""
        self.storage.replace(file_id, FarFile(file_id, b'original', 'original.txt'))
        for key in ('a', 'b'):
            self._assert_missing(file_id, key)
        self.storage.delete(file_id)

    def test_after_a_replace_there_are_new_derived_files(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, b'of the old')
        self.storage.replace(file_id, b'new')
        self.storage.put_derived(file_id, KEY, b'of the new')
        self.assertEqual(self._derived(file_id), b'of the new')

    def test_of_two_under_one_key_one_is_there_and_whole(self) -> None:
        file_id = self._original()
        for content in (b'one', b'other content'):
            self.storage.put_derived(file_id, KEY, content)
        with self.storage.get_derived(file_id, KEY) as file:
            content = file.read()
        self.assertIn(content, {b'one', b'other content'})
        self.assertIn(file.content_length, {len(content), None})

    def test_a_derived_file_that_is_put_again_and_again_is_whole_to_its_readers(self) -> None:
        file_id = self._original()
        contents = [bytes([each]) * 100_000 for each in range(8)]
        self.storage.put_derived(file_id, KEY, contents[0])

        def put() -> None:
            for each in contents:
                self.storage.put_derived(file_id, KEY, each)

        putting = threading.Thread(target=put)
        putting.start()
        while putting.is_alive():
            self.assertIn(self._derived(file_id), contents)
        putting.join()
        self.assertIn(self._derived(file_id), contents)

    def test_a_put_that_fails_leaves_nothing(self) -> None:
        file_id = self._original()
        failing: tuple[tuple[Any, type[Exception]], ...] = (
            (FailingStream(), Interrupted),
            (iter([SAMPLE, 'text']), InvalidContent),
            (7, InvalidContent),
        )
        for content, error in failing:
            with self.subTest(error=error), self.assertRaises(error):
                self.storage.put_derived(file_id, KEY, content)
            self._assert_missing(file_id)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])

    def test_a_put_that_fails_keeps_what_was_there(self) -> None:
        file_id = self._original()
        self.storage.put_derived(file_id, KEY, SAMPLE)
        with self.assertRaises(Interrupted):
            self.storage.put_derived(file_id, KEY, FailingStream())
        self.assertEqual(self._derived(file_id), SAMPLE)

    def test_what_was_derived_from_a_replaced_content_is_refused(self) -> None:
        with self.storage.get(self._original()) as made_from:
            self.storage.replace(made_from.file_id, b'new content')
            with self.assertRaises(FileMissing):
                self.storage.put_derived(made_from, KEY, SAMPLE)
            self._assert_missing(made_from.file_id)
            self.storage.put_derived(made_from.file_id, KEY, b'of the new')
            self._assert_missing(made_from)

    def test_a_put_is_refused_if_the_file_is_replaced_meanwhile(self) -> None:
        file_id = self._original()
        self._is_late(file_id, lambda: self.storage.replace(file_id, b'new content'))
        self.assertEqual(self.read(file_id), b'new content')

    def test_a_put_is_refused_if_the_file_is_deleted_meanwhile(self) -> None:
        file_id = self._original()
        self._is_late(file_id, lambda: self.storage.delete(file_id))
        self.assertEqual([*self.storage.list()], [])
        self._comes_back_bare(file_id)

    def _is_late(self, file_id: str, meanwhile: Callable[[], object]) -> None:
        def content() -> Iterator[bytes]:
            yield SAMPLE
            meanwhile()

        with self.assertRaises(FileMissing):
            self.storage.put_derived(file_id, KEY, content())
        self._assert_missing(file_id)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])

    def test_clean_removes_no_derived_file(self) -> None:
        file_id, replaced = self._original(), self._original()
        self.storage.replace(replaced, b'new')
        for each in (file_id, replaced):
            self.storage.put_derived(each, KEY, SAMPLE)
        self.assertEqual([*self.storage.clean(utcnow_naive() + timedelta(hours=1))], [])
        self.assertEqual([self._derived(each) for each in (file_id, replaced)], [SAMPLE, SAMPLE])
