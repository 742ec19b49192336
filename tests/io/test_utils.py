"""Contents, copies, instants and flags."""

from __future__ import annotations

import datetime
import hashlib
import io
import pathlib
import tempfile
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.errors import ConfigurationError, InvalidContent
from depot.io import utils
from depot.io.contract.samples import SAMPLE, FailingStream, Interrupted, ShortReads, Upload, pieces
from depot.io.utils import FileIntent, copy_content, file_from_content, flag, parsed_timestamp


def test_a_timestamp_is_an_instant_of_utc_in_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, 'time', lambda: 1767323045.678)
    assert utils.timestamp() == '2026-01-02 03:04:05'


@given(st.datetimes(min_value=datetime.datetime(1000, 1, 1)))
def test_a_timestamp_is_parsed_to_the_same_second(instant: datetime.datetime) -> None:
    assert parsed_timestamp(instant.strftime(utils.TIMESTAMP_FORMAT)) == instant.replace(microsecond=0)


@pytest.mark.parametrize(
    'text',
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05', '2026-01-02 03:04:05.678901', '2026-01-02T05:04:05+02:00'],
)
def test_an_instant_may_be_written_in_other_forms(text: str) -> None:
    assert parsed_timestamp(text) == datetime.datetime(2026, 1, 2, 3, 4, 5)


@pytest.mark.parametrize('text', [None, '', 'yesterday', '2026-13-01 00:00:00', '0001-01-01T00:00:00+23:59'])
def test_what_tells_no_instant_is_none(text: str | None) -> None:
    assert parsed_timestamp(text) is None


@pytest.mark.parametrize(('value', 'expected'), [('TRUE', True), (True, True), ('off', False), (0, False)])
def test_a_flag_is_a_truth_or_its_word(value: Any, expected: bool) -> None:
    assert flag('durable', value) is expected


def test_a_flag_that_is_no_truth_names_the_words_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r'is neither .* true, yes, on, 1, false, no, off, 0'):
        flag('durable', 'perhaps')


def contents() -> list[Any]:
    return [
        SAMPLE,
        bytearray(SAMPLE),
        memoryview(SAMPLE),
        io.BytesIO(SAMPLE),
        ShortReads(SAMPLE),
        pieces(),
        Upload(io.BytesIO(SAMPLE), 'a'),
        FileIntent(SAMPLE, 'a', 'b'),
        FileIntent(io.BytesIO(SAMPLE), 'a', 'b'),
    ]


@pytest.mark.parametrize('content', contents(), ids=lambda content: type(content).__name__)
def test_a_copy_knows_its_size_and_its_checksum(content: Any) -> None:
    written = bytearray()
    copied = copy_content(content, written.extend)
    assert written == SAMPLE
    assert copied == (len(SAMPLE), f'sha256:{hashlib.sha256(SAMPLE).hexdigest()}')


@given(st.lists(st.binary(max_size=50)))
def test_an_iterator_is_copied_piece_by_piece(parts: list[bytes]) -> None:
    written: list[bytes] = []
    assert copy_content(iter(parts), written.append).size == len(b''.join(parts))
    assert written == parts


def test_a_memoryview_of_numbers_is_its_bytes() -> None:
    numbers = memoryview(SAMPLE).cast('I')
    written = bytearray()
    assert copy_content(iter([numbers]), written.extend).size == len(SAMPLE)
    assert written == SAMPLE


@pytest.mark.parametrize('content', contents(), ids=lambda content: type(content).__name__)
def test_a_file_from_a_content_has_all_of_it(content: Any) -> None:
    must_close, file = file_from_content(content)
    assert file.read() == SAMPLE
    file.seek(5)
    assert file.read(1) == SAMPLE[5:6]
    if must_close:
        file.close()


def test_a_file_that_can_seek_is_rewound_and_stays_its_owner_s() -> None:
    with io.BytesIO(SAMPLE) as file:
        file.seek(10)
        assert file_from_content(file) == (False, file)
        assert file.tell() == 0


def test_a_spooled_upload_is_rewound_on_every_python() -> None:
    class Spooled:
        """Before Python 3.11 it could seek, but not say so."""

        def __init__(self) -> None:
            self.inside = tempfile.SpooledTemporaryFile()  # noqa: SIM115 (closed below)
            self.read, self.seek = self.inside.read, self.inside.seek

    file: Any = Spooled()
    file.inside.write(SAMPLE)
    assert file_from_content(file) == (False, file)
    assert file.read() == SAMPLE
    file.inside.close()


def test_a_file_from_a_path_is_a_copy(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'a').write_bytes(SAMPLE)
    must_close, file = file_from_content(tmp_path / 'a')
    assert must_close
    with file:
        assert file.read() == SAMPLE


def test_a_file_from_a_failing_content_is_closed() -> None:
    with pytest.raises(Interrupted):
        file_from_content(FailingStream())


@pytest.mark.parametrize('content', ['text', 5, None, io.StringIO('text')])
def test_what_cannot_be_stored_cannot_be_copied(content: Any) -> None:
    with pytest.raises(InvalidContent):
        copy_content(content, bytearray().extend)


def test_text_is_refused_in_the_words_that_applications_know() -> None:
    with pytest.raises(TypeError, match='Only bytes can be stored, not unicode'):
        copy_content('text', bytearray().extend)


def test_an_intent_tells_its_three_values() -> None:
    intent = FileIntent(b'x', 'name', 'type')
    assert intent.fileinfo == (b'x', 'name', 'type')
    assert (intent._fileobj, intent._filename, intent._content_type) == (b'x', 'name', 'type')
