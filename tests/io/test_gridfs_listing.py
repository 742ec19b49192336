"""GridFS: who takes long over each file sees all of them."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import Any

import pytest
from pymongo.cursor import Cursor
from pymongo.errors import CursorNotFound

from depot.io.gridfs import GridFSStorage


def test_a_cursor_that_the_server_has_forgotten_is_opened_again(
    mongo_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(GridFSStorage(mongo_database_url)) as storage:
        ids = [str(storage.create(b'')) for _ in range(5)]
        steps, step = itertools.count(), Cursor.next

        def forgotten_after_two(cursor: Any) -> Any:
            if next(steps) == 2:
                raise CursorNotFound('cursor id 7 not found')
            return step(cursor)

        monkeypatch.setattr(Cursor, 'next', forgotten_after_two)
        assert [*storage.iter_ids()] == ids
        assert [*storage.iter_ids(ids[1])] == ids[2:]
        assert next(steps) > len(ids)
