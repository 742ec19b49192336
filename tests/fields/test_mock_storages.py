"""Storages that are mocks, as in applications' own tests: each method is called once a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
from sqlalchemy.orm import Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.manager import DepotManager

Save = Callable[..., Any]


@pytest.fixture
def mock() -> MagicMock:
    mock = MagicMock()
    mock.create.side_effect = [f'id-{number}' for number in range(10)]
    mock.get.return_value = MagicMock(filename='a.txt', content_type='text/plain', public_url=None)
    DepotManager._depots = {'mocked': mock}
    DepotManager._default_depot = 'mocked'
    return mock


@pytest.fixture
def model(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'

        id: Mapped[int] = mapped_column(primary_key=True)
        content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)
        pages: Mapped[Any] = mapped_column(UploadedFileField(multiple=True))

    return Document


def deleted(mock: MagicMock) -> list[str]:
    return sorted(call.args[0] for call in mock.delete.call_args_list)


def test_a_file_is_created_and_looked_at_once(mock: MagicMock, model: Any, saved: Save) -> None:
    document = saved(model(content=b'content'))
    assert mock.create.call_args.args[0] == b'content'
    assert (mock.create.call_count, mock.get.call_count, mock.delete.call_count) == (1, 1, 0)
    assert (document.content.path, document.content.filename) == ('mocked/id-0', 'a.txt')
    assert (document.content.size, document.content.checksum) == (None, None)


def test_a_file_whose_metadata_cannot_be_had_is_deleted(mock: MagicMock, model: Any) -> None:
    mock.get.side_effect = OSError('offline')
    with pytest.raises(OSError, match='offline'):
        model(content=b'content')
    assert deleted(mock) == ['id-0']


def test_a_stored_file_needs_nothing_but_its_metadata(mock: MagicMock, model: Any) -> None:
    class Stored:
        filename, content_type, last_modified, public_url = 'a.txt', 'text/plain', None, 'https://bucket/a.txt'

    mock.get.return_value = Stored()
    assert model(content=b'content').content.url == 'https://bucket/a.txt'


def test_a_commit_deletes_the_replaced_file_once(mock: MagicMock, model: Any, session: Session, saved: Save) -> None:
    document = saved(model(content=b'old'))
    document.content = b'new'
    session.flush()
    assert deleted(mock) == []
    session.commit()
    assert deleted(mock) == ['id-0']


def test_a_rollback_deletes_each_new_file_once(mock: MagicMock, model: Any, session: Session, saved: Save) -> None:
    document = saved(model(content=b'old'))
    document.content = b'new'
    document.pages = [b'1', b'2']
    session.flush()
    session.rollback()
    assert deleted(mock) == ['id-1', 'id-2', 'id-3']


def test_a_deleted_row_deletes_its_files_once(mock: MagicMock, model: Any, session: Session, saved: Save) -> None:
    document = saved(model(content=b'old', pages=[b'1', b'2']))
    session.delete(document)
    session.commit()
    assert deleted(mock) == ['id-0', 'id-1', 'id-2']


def test_a_storage_taken_away_is_no_obstacle_to_a_commit(
    mock: MagicMock, model: Any, session: Session, saved: Save, caplog: pytest.LogCaptureFixture
) -> None:
    document = saved(model(content=b'old'))
    DepotManager._depots.clear()
    document.content = None
    session.commit()
    assert 'could not remove mocked/id-0' in caplog.text
