"""GridFS: what cannot be stored leaves nothing, and no message tells a secret."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from depot.errors import ConfigurationError, StorageFailure
from depot.io.gridfs import GridFSStorage


@pytest.fixture
def storage(mongo_database_url: str) -> Iterator[GridFSStorage]:
    with closing(GridFSStorage(mongo_database_url)) as made:
        yield made


def _chunks(storage: GridFSStorage) -> int:
    count: int = storage._db['filedepot.chunks'].count_documents({})
    return count


@pytest.mark.parametrize('wrong', [5, b'text/plain'])
def test_a_type_that_is_no_text_leaves_no_chunk(storage: GridFSStorage, wrong: Any) -> None:
    file_id = storage.create(b'old', 'old.txt')
    with pytest.raises((TypeError, AttributeError)):
        storage.create(b'x', 'x.txt', wrong)
    with pytest.raises((TypeError, AttributeError)):
        storage.replace(file_id, b'x', 'x.txt', wrong)
    assert (_chunks(storage), storage.get(file_id).read()) == (1, b'old')


def test_a_name_that_no_document_holds_leaves_no_chunk(storage: GridFSStorage) -> None:
    file_id = storage.create(b'old', 'old.txt')
    name = 'x' * 17 * 1024 * 1024
    with pytest.raises(StorageFailure, match='too large'):
        storage.create(b'x', name)
    with pytest.raises(StorageFailure, match='too large'):
        storage.replace(file_id, b'x', name)
    assert (_chunks(storage), storage.get(file_id).read()) == (1, b'old')


@pytest.mark.parametrize(
    'url',
    [
        'mongodb://user:hunter2/2@localhost/db',
        'mongodb://user:hunter2',
        'mongodb://user:hunter2@localhost:port/db',
        'mongodb://user:hunter2@localhost',
        'mongodb://localhost:port/db?tlsCertificateKeyFilePassword=hunter2',
    ],
)
def test_no_error_tells_the_password_of_a_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match='mongouri') as caught:
        GridFSStorage(url)
    assert 'hunter2' not in ''.join(traceback.format_exception(caught.value))


def test_a_certificate_that_is_missing_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r'mongouri.*/nowhere\.pem'):
        GridFSStorage('mongodb://localhost/db?tls=true&tlsCertificateKeyFile=/nowhere.pem')


@pytest.mark.parametrize('name', [None, 5])
def test_a_collection_that_is_no_text_is_told(name: Any) -> None:
    with pytest.raises(ConfigurationError, match='collection'):
        GridFSStorage('mongodb://localhost/db', name)
