"""What is believed of what a stored file says of itself."""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import pytest

from depot.io.memory import MemoryFileStorage
from depot.serving.description import Description, describe

NOON = datetime.datetime(2026, 11, 21, 12)
EAST = datetime.timezone(datetime.timedelta(hours=1))


def test_a_stored_file_is_described():
    storage = MemoryFileStorage()
    file = storage.get(storage.create(b'content', 'a.txt', 'text/plain'))
    assert describe(file) == Description(
        file.file_id, 'a.txt', 'text/plain', file.last_modified, len(b'content'), file.checksum, True
    )


def test_a_file_may_say_nothing():
    assert describe(object()) == Description(None, None, None, None, None, None)


def test_what_a_file_says_may_be_of_another_kind():
    file = SimpleNamespace(filename=b'a', content_type=3, last_modified='now', content_length='5', checksum=object())
    assert describe(file) == Description(None, None, None, None, None, None)


@pytest.mark.parametrize(
    'instant', [NOON, NOON.replace(microsecond=3), NOON.replace(hour=13, tzinfo=EAST)], ids=['naive', 'fine', 'zoned']
)
def test_a_date_becomes_utc_in_whole_seconds(instant):
    assert describe(SimpleNamespace(last_modified=instant)).last_modified == NOON
