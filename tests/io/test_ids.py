"""Ids: in order of time, and checked at one door."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.errors import InvalidFileId
from depot.io.ids import checked_file_id, new_file_id

_CANONICAL = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


def test_a_new_id_is_a_uuid_of_version_7() -> None:
    found = uuid.UUID(new_file_id())
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert abs((found.int >> 80) / 1000 - time.time()) < 60


def test_new_ids_differ() -> None:
    assert len({new_file_id() for _ in range(1000)}) == 1000


def test_an_id_that_is_made_later_sorts_later(monkeypatch: pytest.MonkeyPatch) -> None:
    instants = [1_700_000_000_000_000_000 + step for step in (0, 1_000, 999_999, 1_000_000, 10**15)]
    ids = []
    for instant in instants:
        monkeypatch.setattr(time, 'time_ns', lambda instant=instant: instant)
        ids.append(new_file_id())
    assert ids == sorted(ids)


@given(st.uuids())
def test_every_spelling_of_a_uuid_is_the_same_id(value: uuid.UUID) -> None:
    for each in (value, str(value), str(value).upper(), value.hex, f'{{{value}}}', value.urn):
        assert checked_file_id(each) == str(value)


@given(st.text(alphabet='0aF-{}:/.\0 _+٣') | st.text())
def test_whatever_passes_is_safe_in_a_path(text: str) -> None:
    with contextlib.suppress(InvalidFileId):
        assert _CANONICAL.fullmatch(checked_file_id(text))


@pytest.mark.parametrize('value', [None, 5, b'0' * 32, object()])
def test_what_is_no_uuid_is_refused_in_the_words_that_applications_know(value: Any) -> None:
    with pytest.raises(ValueError, match='Invalid file id'):
        checked_file_id(value)
