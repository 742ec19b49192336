"""GridFS: the format that others share, flat memory, what crashes leave, and what is refused."""

from __future__ import annotations

import gc
import hashlib
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from gridfs import GridFS

from depot.errors import ConfigurationError, CorruptMetadata, StorageFailure
from depot.io.contract.samples import LargeStream, digest
from depot.io.gridfs import GridFSStorage
from depot.manager import DepotManager

from ..services.secantusdb import mongo_server

HALF_A_MIB = b'0123456789abcdef' * 32 * 1024


@pytest.fixture
def storage(mongo_database_url: str) -> Iterator[GridFSStorage]:
    with closing(GridFSStorage(mongo_database_url)) as made:
        yield made


def test_a_file_lies_as_gridfs_has_it(storage: GridFSStorage) -> None:
    file_id = ObjectId(storage.create(HALF_A_MIB, 'a.txt'))
    document: Any = storage._db['filedepot.files'].find_one({})
    modified, uploaded = document.pop('last_modified'), document.pop('uploadDate')
    assert document == {
        '_id': file_id,
        'filename': 'a.txt',
        'contentType': 'text/plain',
        'length': len(HALF_A_MIB),
        'chunkSize': 255 * 1024,
        'depot': {'checksum': f'sha256:{hashlib.sha256(HALF_A_MIB).hexdigest()}'},
    }
    assert abs(datetime.strptime(modified, '%Y-%m-%d %H:%M:%S') - uploaded) < timedelta(minutes=1)
    chunks = [*storage._db['filedepot.chunks'].find({}, {'_id': False})]
    assert [{*each} for each in chunks] == [{'files_id', 'n', 'data'}] * 3
    assert [(each['files_id'], each['n'], len(each['data'])) for each in chunks] == [
        (file_id, 0, 261120),
        (file_id, 1, 261120),
        (file_id, 2, 2048),
    ]


def test_the_indexes_are_those_of_gridfs(storage: GridFSStorage) -> None:
    storage.create(b'x')
    files, chunks = (storage._db[f'filedepot.{each}'].index_information() for each in ('files', 'chunks'))
    assert files['filename_1_uploadDate_1']['key'] == [('filename', 1), ('uploadDate', 1)]
    assert chunks['files_id_1_n_1']['unique'] is True


def test_any_tool_reads_what_was_created_and_replaced(storage: GridFSStorage) -> None:
    file_id = storage.create(b'old' * 100_000)
    for content in (HALF_A_MIB, b'', HALF_A_MIB * 2):
        storage.replace(file_id, content, 'new.txt')
        with closing(GridFS(storage._db, 'filedepot').get(ObjectId(file_id))) as file:
            assert (file.read(), file.filename, file.length) == (content, 'new.txt', len(content))


def test_files_of_the_published_package_are_readable(storage: GridFSStorage) -> None:
    put = GridFS(storage._db, 'filedepot').put
    file_id = put(HALF_A_MIB, filename='a.txt', contentType='text/plain', last_modified='2020-02-03 04:05:06')
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type, file.content_length) == ('a.txt', 'text/plain', len(HALF_A_MIB))
        assert (file.last_modified, file.checksum) == (datetime(2020, 2, 3, 4, 5, 6), None)
        assert file.read() == HALF_A_MIB
    assert storage.list() == [str(file_id)]


def test_files_of_other_tools_are_readable(storage: GridFSStorage) -> None:
    """They know less, and their chunks are of other sizes."""
    file_id = GridFS(storage._db, 'filedepot').put(HALF_A_MIB, chunk_size=1000, depot='of another kind')
    storage._db['filedepot.files'].update_one({'_id': file_id}, {'$set': {'length': float(len(HALF_A_MIB))}})
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type) == ('unnamed', 'application/octet-stream')
        assert file.last_modified is not None
        assert (file.last_modified.tzinfo, file.last_modified.microsecond) == (None, 0)
        assert file.read() == HALF_A_MIB
    with storage.open_range(file_id, 995, 3005) as part:
        assert part.read() == HALF_A_MIB[995:3005]


def test_a_file_with_an_id_of_its_own_is_not_listed(storage: GridFSStorage) -> None:
    GridFS(storage._db, 'filedepot').put(b'x', _id='report.pdf')
    file_id = storage.create(b'x')
    assert storage.list() == [file_id]
    storage.clean(_soon())
    assert GridFS(storage._db, 'filedepot').get('report.pdf').read() == b'x'


def test_the_url_may_ask_for_dates_with_a_time_zone(mongo_database_url: str) -> None:
    with closing(GridFSStorage(f'{mongo_database_url}?tz_aware=true')) as storage:
        file_id = GridFS(storage._db, 'filedepot').put(b'x')
        moment = storage.get(file_id).last_modified
        assert moment is not None
        assert moment.tzinfo is None


def test_secondaries_may_be_read(mongo_database_url: str) -> None:
    with closing(GridFSStorage(f'{mongo_database_url}?readPreference=secondaryPreferred')) as storage:
        file_id = storage.replace(storage.create(b'old'), HALF_A_MIB)
        assert storage.get(file_id).read() == HALF_A_MIB


def test_an_object_id_goes_in_for_its_text(storage: GridFSStorage) -> None:
    file_id = ObjectId(storage.create(b'x'))
    assert storage.exists(file_id)
    assert storage.get(str(file_id).upper()).file_id == str(file_id)
    storage.delete(file_id)
    assert not storage.exists(file_id)


def test_a_name_with_half_a_character_is_stored_without_it(storage: GridFSStorage) -> None:
    assert storage.get(storage.create(b'x', 'a\udc80b.txt')).filename == 'a\ufffd\ufffd\ufffdb.txt'


def test_memory_is_flat(storage: GridFSStorage) -> None:
    size = 64 * 1024 * 1024
    storage.create(b'')
    tracemalloc.start()
    try:
        file_id = storage.create(LargeStream(size))
        with storage.get(file_id) as file:
            assert digest(file) == digest(LargeStream(size))
        assert tracemalloc.get_traced_memory()[1] < 40 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_range_reads_no_chunk_that_it_does_not_need(storage: GridFSStorage) -> None:
    file_id = storage.create(HALF_A_MIB)
    storage._db['filedepot.chunks'].delete_many({'n': {'$ne': 1}})
    with storage.open_range(file_id, 300_000, 300_010) as part:
        assert part.read() == HALF_A_MIB[300_000:300_010]
    with storage.get(file_id) as file, file.open_range(300_000, 300_010) as part:
        assert part.read() == HALF_A_MIB[300_000:300_010]


@pytest.mark.parametrize('missing', [0, 1, 2])
def test_a_missing_chunk_is_no_shorter_file(storage: GridFSStorage, missing: int) -> None:
    file_id = storage.create(HALF_A_MIB)
    storage._db['filedepot.chunks'].delete_one({'n': missing})
    with storage.get(file_id) as file, pytest.raises(StorageFailure, match=f'its chunk {missing} is missing'):
        file.read()


def test_a_chunk_that_was_changed_is_found_out(storage: GridFSStorage) -> None:
    file_id = storage.create(HALF_A_MIB)
    storage._db['filedepot.chunks'].update_one({'n': 2}, {'$set': {'data': b'!' * 2048}})
    with storage.get(file_id) as file:
        assert file.read(1000) == HALF_A_MIB[:1000]
        for _ in range(2):
            with pytest.raises(StorageFailure, match='checksum'):
                file.read()


def _soon() -> datetime:
    return datetime.now(timezone.utc) + timedelta(hours=1)


def test_clean_removes_old_chunks_without_a_file(storage: GridFSStorage) -> None:
    kept = storage.create(HALF_A_MIB)
    chunks, begun = storage._db['filedepot.chunks'], ObjectId()
    chunks.insert_one({'files_id': begun, 'n': 0, 'data': b'x'})
    chunks.insert_one({'files_id': 'an id of another tool', 'n': 0, 'data': b'x'})
    assert storage.clean(_soon() - timedelta(hours=2)) == []
    assert storage.clean(_soon(), dry_run=True) == [str(begun)]
    assert storage.clean(_soon()) == [str(begun)]
    assert storage.clean(_soon()) == []
    assert {each['files_id'] for each in chunks.find()} == {ObjectId(kept), 'an id of another tool'}


@pytest.mark.parametrize(
    ('url', 'message'),
    [
        ('mongodb://localhost', 'names no database'),
        ('mongodb://user:secret@localhost/?authSource=x', 'names no database'),
        ('http://localhost/db', 'mongouri'),
        ('mongodb://user:secret@localhost:port/db', 'mongouri'),
        ('', 'mongouri'),
        ('mongodb://localhost/db?w=0', 'option'),
    ],
)
def test_a_url_that_will_not_do_is_told_when_it_is_configured(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        GridFSStorage(url)
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('name', ['', 'a..b', '$x', '.x'])
def test_a_collection_that_cannot_be_is_told(name: str) -> None:
    with pytest.raises(ConfigurationError, match='collection = '):
        GridFSStorage('mongodb://localhost/db', name)


def test_a_server_that_is_not_there_is_told_at_the_call() -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(('127.0.0.1', 0))
        _refuses(f'mongodb://127.0.0.1:{bound.getsockname()[1]}/db?serverSelectionTimeoutMS=100', 'hosts of mongouri')


def test_a_server_that_does_not_answer_is_told_at_the_call() -> None:
    with socket.create_server(('127.0.0.1', 0)) as silent:
        url = f'mongodb://127.0.0.1:{silent.getsockname()[1]}/db?serverSelectionTimeoutMS=100&connectTimeoutMS=100'
        _refuses(url, 'serverSelectionTimeoutMS')


def test_files_can_be_read_when_their_storage_is_garbage(mongo_database_url: str) -> None:
    file_id = GridFSStorage(mongo_database_url).create(HALF_A_MIB)
    part = GridFSStorage(mongo_database_url).open_range(file_id, 1, 400_000)
    file = GridFSStorage(mongo_database_url).get(file_id)
    gc.collect()
    with part, file:
        assert part.read() == HALF_A_MIB[1:400_000]
        assert file.read() == HALF_A_MIB


def test_wrong_credentials_are_told_at_the_call(mongo_url: str) -> None:
    with mongo_server('--auth') as url, closing(GridFSStorage(f'{url.replace("//", "//user:secret@")}/db')) as storage:
        with pytest.raises(StorageFailure, match='credentials') as caught:
            storage.list()
        assert 'secret' not in str(caught.value)


def _refuses(url: str, message: str) -> None:
    with closing(GridFSStorage(url)) as storage:
        acts = [
            storage.list,
            lambda: storage.get(ObjectId()),
            lambda: storage.create(b'x'),
            lambda: storage.clean(_soon()),
        ]
        for act in acts:
            with pytest.raises(StorageFailure, match=message):
                act()
        assert [*storage.delete_many(['0' * 24])] == ['0' * 24]


def test_a_collection_of_another_tool_is_told(storage: GridFSStorage) -> None:
    made = storage._db['filedepot.files'].insert_one({'name': 'no file'}).inserted_id
    with pytest.raises(CorruptMetadata, match='another tool'):
        storage.get(made)


def test_a_storage_is_configured_by_its_settings(mongo_database_url: str) -> None:
    settings = {'depot.backend': 'depot.io.gridfs.GridFSStorage', 'depot.mongouri': mongo_database_url}
    storage: Any = DepotManager.from_config({**settings, 'depot.collection': 'papers'})
    with closing(storage):
        storage.create(b'x')
        assert storage._cli[storage._db.name]['papers.files'].count_documents({}) == 1
        assert storage._collection == 'papers'
        assert isinstance(storage._gridfs, GridFS)


def test_a_forgotten_storage_closes_its_connections(mongo_database_url: str) -> None:
    GridFSStorage(mongo_database_url).create(b'x')  # else a ResourceWarning comes, which is an error here
