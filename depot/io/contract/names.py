"""The storage contract: the name and the type that a file is stored with."""

from __future__ import annotations

import io
import tempfile

from ..interfaces import FileIntent
from .base import ContractBase
from .samples import FarFile, NamedUpload, Upload

HOSTILE_NAMES = (
    '../../etc/passwd',
    'C:\\windows\\system.ini',
    'line\r\nX-Injected: yes',
    'nul\0byte',
    '"quoted"; filename=other',
    "o'clock %41 %2F ?#&=",
    ' blanks around ',
    'Крупный план.txt',
    '写真📷.jpg',
    'e\u0301 and \u00e9',
    '\u202egpj.exe',
    'n' * 255,
    '.',
    'metadata.json',
)


class NamesContract(ContractBase):
    """The name and the type: given, else the content's own, else guessed, else a default."""

    def test_a_name_and_a_type_that_are_given_are_kept(self) -> None:
        file_id = self.storage.create(b'x', 'given.txt', 'application/x-given')
        self.assertEqual(self.named(file_id), ('given.txt', 'application/x-given'))

    def test_without_any_there_are_defaults(self) -> None:
        self.assertEqual(self.named(self.storage.create(b'x')), ('unnamed', 'application/octet-stream'))
        self.assertEqual(self.named(self.storage.create(b'x', '')), ('unnamed', 'application/octet-stream'))

    def test_the_type_is_guessed_from_the_name(self) -> None:
        self.assertEqual(self.named(self.storage.create(b'x', 'page.html')), ('page.html', 'text/html'))

    def test_a_name_is_taken_from_the_content(self) -> None:
        self.assertEqual(self.named(self.storage.create(Upload(io.BytesIO(), 'up.html'))), ('up.html', 'text/html'))
        self.assertEqual(self.named(self.storage.create(NamedUpload(b'', '/tmp/up.html', '')))[0], 'up.html')

    def test_a_name_that_is_given_goes_before_the_content_s_own(self) -> None:
        upload = Upload(io.BytesIO(), 'up.html', 'text/x-up')
        self.assertEqual(
            self.named(self.storage.create(upload, 'given.txt', 'text/x-given')), ('given.txt', 'text/x-given')
        )

    def test_a_file_object_that_has_a_number_for_a_name_has_none(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b'x')
            file.seek(0)
            self.assertEqual(self.named(self.storage.create(file))[0], 'unnamed')

    def test_any_name_comes_back_as_it_went_in(self) -> None:
        for name in HOSTILE_NAMES:
            with self.subTest(name=name):
                file_id = self.storage.create(b'x', name, 'text/plain')
                self.assertEqual(self.described(file_id).filename, name)
                self.assertEqual(self.read(file_id), b'x')

    def test_replace_without_a_name_keeps_name_and_type(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt', 'text/x-old')
        self.storage.replace(file_id, b'new')
        self.assertEqual(self.named(file_id), ('old.txt', 'text/x-old'))
        self.storage.replace(file_id, io.BytesIO(b'newer'))
        self.assertEqual(self.named(file_id), ('old.txt', 'text/x-old'))

    def test_replace_with_a_name_takes_name_and_type_anew(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt', 'text/x-old')
        self.storage.replace(file_id, b'new', 'new.html')
        self.assertEqual(self.named(file_id), ('new.html', 'text/html'))
        self.storage.replace(file_id, b'newer', 'nothing-known')
        self.assertEqual(self.named(file_id), ('nothing-known', 'application/octet-stream'))

    def test_replace_takes_the_name_of_the_content(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt', 'text/x-old')
        self.storage.replace(file_id, Upload(io.BytesIO(b'new'), 'up.html'))
        self.assertEqual(self.named(file_id), ('up.html', 'text/html'))
        self.storage.replace(file_id, FarFile('anything', b'newer', 'far.txt', 'text/x-far'))
        self.assertEqual(self.named(file_id), ('far.txt', 'text/x-far'))

    def test_replace_with_a_type_alone_keeps_the_name(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt', 'text/x-old')
        self.storage.replace(file_id, b'new', content_type='text/x-new')
        self.assertEqual(self.named(file_id), ('old.txt', 'text/x-new'))

    def test_replace_with_an_intent_takes_its_three_values(self) -> None:
        file_id = self.storage.create(b'old', 'old.txt', 'text/x-old')
        self.storage.replace(file_id, FileIntent(b'new', 'intent', 'text/x-intent'))
        self.assertEqual(self.named(file_id), ('intent', 'text/x-intent'))
