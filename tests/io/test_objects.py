"""What storages share that keep each file as one object in a bucket."""

from __future__ import annotations

import datetime
import io
import uuid
from typing import Any

import pytest

from depot.errors import ConfigurationError, InvalidFileId, StorageFailure
from depot.io.contract.names import HOSTILE_NAMES
from depot.io.contract.samples import SAMPLE, ShortReads, digest
from depot.io.objects.headers import CHECKSUM, FILENAME, MODIFIED, described, disposition_header, metadata_headers
from depot.io.objects.keys import Keys
from depot.io.objects.reading import ObjectReader

FILE_ID = '01890a5d-ac96-774b-bcce-b302099a8057'
CHECKSUM_OF_SAMPLE = digest(io.BytesIO(SAMPLE))


@pytest.mark.parametrize('prefix', ['', 'files/', 'no-slash', 'Крупный/'])
def test_a_key_is_the_prefix_and_the_id_and_leads_back(prefix: str) -> None:
    keys = Keys(prefix)
    assert keys.key(uuid.UUID(FILE_ID)) == prefix + FILE_ID
    assert keys.file_id(keys.key(FILE_ID)) == FILE_ID


def test_a_prefix_may_be_none_and_is_text() -> None:
    assert Keys(None).key(FILE_ID) == FILE_ID
    wrong: Any = 5
    with pytest.raises(ConfigurationError, match='prefix = 5'):
        Keys(wrong)


@pytest.mark.parametrize('invalid', ['', '../other', 'not-a-uuid', None, 7])
def test_what_is_no_id_makes_no_key(invalid: object) -> None:
    with pytest.raises(InvalidFileId):
        Keys('files/').key(invalid)


@pytest.mark.parametrize(
    'key',
    [
        FILE_ID,
        f'other/{FILE_ID}',
        f'files/{FILE_ID}/thumb',
        f'files/below/{FILE_ID}',
        f'files/{FILE_ID.upper()}',
        f'files/{FILE_ID}\n',
        'files/',
        'files/readme.txt',
    ],
)
def test_a_key_of_another_tool_is_no_file(key: str) -> None:
    assert Keys('files/').file_id(key) is None


@pytest.mark.parametrize('name', [*HOSTILE_NAMES, 'я' * 255])
def test_any_name_is_ascii_in_a_header_and_comes_back(name: str) -> None:
    headers = metadata_headers(name, '2026-11-21 02:47:13', None)
    assert headers[FILENAME].isascii()
    assert headers[FILENAME].isprintable()
    assert described(headers, 'text/plain', 1).filename == name


def test_of_a_name_too_long_for_a_header_the_end_is_kept() -> None:
    name = '写' * 1000 + '.jpg'
    headers = metadata_headers(name, '2026-11-21 02:47:13', 'sha256:' + '0' * 64)
    assert sum(len(key) + len(value) for key, value in headers.items()) < 2048
    kept = described(headers, None, None).filename
    assert kept is not None
    assert name.endswith(kept)
    assert len(kept) > 100


@pytest.mark.parametrize('name', ['я' * 1000 + '.txt', '写' * 1000 + '.txt', 'a' * 5000 + '.txt'])
def test_a_disposition_is_short_enough_for_a_header(name: str) -> None:
    header = disposition_header(name)
    assert header.startswith('inline;filename="')
    assert header.endswith('.txt')
    assert 100 < len(header) < 2000


def test_a_disposition_has_the_name_twice() -> None:
    assert disposition_header('ä.txt', 'attachment') == 'attachment;filename="a.txt";filename*=utf-8\'\'%C3%A4.txt'
    assert disposition_header(None) == 'inline'


def test_what_is_written_is_read_again() -> None:
    headers = metadata_headers('page.html', '2026-11-21 02:47:13', CHECKSUM_OF_SAMPLE)
    assert [*headers] == [FILENAME, MODIFIED, CHECKSUM]
    metadata = described(headers, 'text/html', len(SAMPLE), datetime.datetime(2000, 1, 1))
    assert metadata == ('page.html', 'text/html', len(SAMPLE), '2026-11-21 02:47:13', CHECKSUM_OF_SAMPLE)


def test_names_of_headers_come_back_in_any_case() -> None:
    assert described({'X-Depot-Filename': 'a%20b'}, None, None).filename == 'a b'


def test_an_object_of_another_tool_has_defaults() -> None:
    assert described(None, None, 3) == ('unnamed', 'application/octet-stream', 3, None, None)
    modified = datetime.datetime(2026, 11, 21, 2, 47, 13, tzinfo=datetime.timezone.utc)
    assert described({}, 'text/plain', 3, modified).last_modified == '2026-11-21 02:47:13'


@pytest.mark.parametrize('checksum', [CHECKSUM_OF_SAMPLE, None])
@pytest.mark.parametrize('length', [len(SAMPLE), None])
def test_a_whole_object_is_read(length: int | None, checksum: str | None) -> None:
    assert _reader(SAMPLE, length, checksum).read() == SAMPLE
    reader = _reader(SAMPLE, length, checksum)
    assert [reader.read(0), reader.read(10), reader.read(), reader.read(10)] == [b'', SAMPLE[:10], SAMPLE[10:], b'']


def test_a_stream_that_gives_less_than_asked_is_read_to_its_end() -> None:
    reader = ObjectReader(_ShortReads(SAMPLE), 'a file', len(SAMPLE), CHECKSUM_OF_SAMPLE)
    assert io.BufferedReader(reader).read() == SAMPLE


def test_an_empty_object_is_read() -> None:
    assert _reader(b'', 0, digest(io.BytesIO())).read() == b''


@pytest.mark.parametrize(
    ('length', 'checksum', 'reason'),
    [
        (len(SAMPLE) + 1, None, f'it ended after {len(SAMPLE)} of {len(SAMPLE) + 1} bytes'),
        (len(SAMPLE) - 1, None, f'it ended after {len(SAMPLE)} of {len(SAMPLE) - 1} bytes'),
        (len(SAMPLE), 'sha256:00', f'its bytes have the checksum {CHECKSUM_OF_SAMPLE}, and were stored with sha256:00'),
        (None, 'sha256:00', f'its bytes have the checksum {CHECKSUM_OF_SAMPLE}, and were stored with sha256:00'),
    ],
)
def test_an_object_that_is_not_what_was_stored_is_a_failure(
    length: int | None, checksum: str | None, reason: str
) -> None:
    reader = _reader(SAMPLE, length, checksum)
    with pytest.raises(StorageFailure, match=f'^cannot read a file: {reason}$'):
        reader.read()
    with pytest.raises(StorageFailure, match=reason):  # again, and never the end
        reader.read(1)


def test_an_error_of_the_backend_becomes_a_failure_with_its_cause() -> None:
    reader = ObjectReader(_Broken(), 'a file', 10, errors=(KeyError,))
    with pytest.raises(StorageFailure, match="cannot read a file: after 0 bytes: 'reset'") as caught:
        reader.read(1)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_reader_closes_its_stream() -> None:
    body = io.BytesIO(SAMPLE)
    with ObjectReader(body, 'a file', len(SAMPLE)) as reader:
        assert reader.readable()
    assert body.closed
    with pytest.raises(ValueError, match='closed'):
        reader.read(1)


def _reader(data: bytes, length: int | None, checksum: str | None) -> ObjectReader:
    return ObjectReader(io.BytesIO(data), 'a file', length, checksum)


class _ShortReads(ShortReads):
    def close(self) -> None: ...


class _Broken:
    def read(self, size: int, /) -> bytes:
        raise KeyError('reset')

    def close(self) -> None: ...
