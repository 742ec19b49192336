"""Google Cloud Storage: the objects that files are, and how many requests they take."""

from __future__ import annotations

import datetime
import hashlib
import io
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from depot.errors import FileMissing, StorageFailure
from depot.io.contract.samples import SAMPLE, LargeStream, digest
from depot.io.gcs import GCSStorage

from .google import Google, at, google, refused

MIB = 1024 * 1024

MakeGCS = Callable[..., GCSStorage]


@pytest.fixture
def make(fakegcs: str, request: pytest.FixtureRequest) -> MakeGCS:
    """Makes storages in one bucket of the test's own."""
    bucket = f'test-{uuid.uuid4()}'

    def made(**options: Any) -> GCSStorage:
        storage = GCSStorage('shop', 'anonymous', bucket, 'private', **{'endpoint_url': fakegcs, **options})
        request.addfinalizer(storage.close)
        return storage

    return made


@pytest.fixture
def here(fakegcs: str) -> Iterator[Google]:
    with google(behind=fakegcs) as server:
        yield server


def content(storage: GCSStorage, file_id: str) -> bytes:
    with storage.get(file_id) as file:
        return file.read()


def test_an_object_has_the_format_that_never_changes(make: MakeGCS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('depot.io.utils.timestamp', lambda: '2026-11-21 02:47:13')
    storage = make(prefix='files/')
    file_id = storage.create(b'content', 'žluť.txt', 'text/x-other')
    blob = storage.bucket.get_blob(f'files/{file_id}')
    assert blob.download_as_bytes() == b'content'
    assert blob.content_type == 'text/x-other'
    assert blob.content_disposition == 'inline;filename="zlut.txt";filename*=utf-8\'\'%C5%BElu%C5%A5.txt'
    assert blob.metadata == {
        'x-depot-filename': '%C5%BElu%C5%A5.txt',
        'x-depot-modified': '2026-11-21 02:47:13',
        'x-depot-content-type': 'text/x-other',
        'x-depot-checksum': f'sha256:{hashlib.sha256(b"content").hexdigest()}',
    }
    with storage.get(file_id) as file:
        assert file.last_modified == datetime.datetime(2026, 11, 21, 2, 47, 13)


def test_an_object_of_the_published_package_is_readable(make: MakeGCS) -> None:
    storage = make()
    file_id = str(uuid.uuid4())
    blob = storage.bucket.blob(file_id)
    blob.metadata = {
        'x-depot-filename': 'old%20name.txt',
        'x-depot-modified': '2020-01-02 03:04:05',
        'x-depot-content-type': 'text/x-old',
    }
    blob.upload_from_string(b'old', 'application/x-server')
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type) == ('old name.txt', 'text/x-old')
        assert file.last_modified == datetime.datetime(2020, 1, 2, 3, 4, 5)
        assert (file.content_length, file.checksum, file.read()) == (3, None, b'old')


def test_an_object_without_our_metadata_is_readable(make: MakeGCS) -> None:
    storage = make()
    file_id = str(uuid.uuid4())
    storage.bucket.blob(file_id).upload_from_string(b'other', 'text/x-other')
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type, file.read()) == ('unnamed', 'text/x-other', b'other')
        assert isinstance(file.last_modified, datetime.datetime)
        assert (file.last_modified.tzinfo, file.last_modified.microsecond) == (None, 0)


def test_keys_of_other_tools_are_no_files(make: MakeGCS) -> None:
    storage = make(prefix='files/')
    file_id = storage.create(b'ours')
    for key in (
        'files/',
        'files/readme.txt',
        f'files/{file_id}/thumb',
        f'other/{file_id}',
        file_id,
        f'files/{file_id}x',
    ):
        storage.bucket.blob(key).upload_from_string(b'theirs')
    storage.bucket.blob(f'files/{str(uuid.uuid4()).upper()}').upload_from_string(b'theirs')
    assert storage.list() == [*storage.iter_ids()] == [file_id]


def test_storages_with_different_prefixes_do_not_see_each_other(make: MakeGCS) -> None:
    storages = [make(prefix=prefix) for prefix in ('', 'a/', 'a/b/', 'a')]
    ids = [storage.create(str(number).encode()) for number, storage in enumerate(storages)]
    assert [storage.list() for storage in storages] == [[each] for each in ids]
    with pytest.raises(FileMissing):
        storages[0].get(ids[1])
    storages[0].delete(ids[1])
    assert [*storages[0].delete_many(ids[1:])] == []
    assert [content(storage, each) for storage, each in zip(storages, ids, strict=True)] == [b'0', b'1', b'2', b'3']


def test_ids_come_by_pages_and_go_on_from_any(make: MakeGCS, here: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('depot.io.googlecloud.listing.PAGE', 10)
    storage = make(prefix='files/', endpoint_url=here.url)
    ids = sorted(str(uuid.uuid4()) for _ in range(25))
    for each in ids:
        storage.bucket.blob(f'files/{each}').upload_from_string(b'')
    here.requests.clear()
    every = storage.iter_ids()
    assert next(every) == ids[0]
    assert len(here.requests) == 1
    assert [*every] == ids[1:]
    assert len(here.requests) == 3
    assert [*storage.iter_ids(after=ids[19])] == ids[20:]
    assert len(here.requests) == 4


def test_a_content_that_was_changed_is_not_read_to_its_end(make: MakeGCS) -> None:
    storage = make()
    file_id = storage.create(SAMPLE)
    blob = storage.bucket.get_blob(file_id)
    blob.upload_from_string(SAMPLE[:-1] + b'?')  # which leaves the metadata
    with storage.get(file_id) as file, pytest.raises(StorageFailure, match='checksum'):
        file.read()


@pytest.mark.parametrize('size', [8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 12 * MIB, 12 * MIB + 1])
def test_contents_about_the_size_where_the_way_changes_come_back(size: int, make: MakeGCS) -> None:
    storage = make(chunk_size=4 * MIB)
    file_id = storage.create(LargeStream(size), 'large.bin')
    with storage.get(file_id) as file:
        assert file.checksum == digest(LargeStream(size)) == digest(file)
        assert (file.content_length, file.filename) == (size, 'large.bin')
    storage.replace(file_id, LargeStream(size + 1))
    with storage.get(file_id) as file:
        assert file.checksum == digest(LargeStream(size + 1)) == digest(file)
        assert (file.content_length, file.filename) == (size + 1, 'large.bin')


def test_a_stream_that_cannot_seek_goes_in_and_out_in_little_memory(make: MakeGCS) -> None:
    storage = make()
    size = 64 * MIB
    tracemalloc.start()
    try:
        file_id = storage.create(LargeStream(size))
        with storage.get(file_id) as file:
            found = digest(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == digest(LargeStream(size))
    assert peak < 56 * MIB  # three pieces of 16 MiB, and what is as small for any size


def test_the_pieces_of_an_upload_have_the_size_of_the_option(make: MakeGCS, here: Google) -> None:
    storage = make(chunk_size='1048576', endpoint_url=here.url)
    here.requests.clear()
    storage.create(LargeStream(10 * MIB + 1))
    sizes = [len(each.body) for each in here.asked('PUT', '')]
    assert sizes == [MIB] * 10 + [1]


def test_a_range_fetches_its_bytes_only(make: MakeGCS, here: Google) -> None:
    storage = make(endpoint_url=here.url)
    file_id = storage.create(SAMPLE * 10)
    here.requests.clear()
    with storage.open_range(file_id, 100, 300) as part:
        assert part.read() == (SAMPLE * 10)[100:300]
    (request,) = here.requests
    assert request.headers['range'] == 'bytes=100-299'


def test_each_operation_costs_as_many_requests_as_the_manual_says(make: MakeGCS, here: Google) -> None:
    storage = make(endpoint_url=here.url)
    file_id, derived = storage.create(b'content'), make(endpoint_url=here.url)
    file, of = storage.get(file_id), derived.get(derived.create(b'content'))
    costs: dict[str, tuple[int, Callable[[], object]]] = {
        'create': (1, lambda: storage.create(b'content')),
        'create large': (1 + 2 + 1, lambda: storage.create(LargeStream(20 * MIB))),
        'get': (1, lambda: storage.get(file_id)),
        'get and read': (2, lambda: content(storage, file_id)),
        'open_range': (1, lambda: storage.open_range(file_id, 1, 3).close()),
        'a part': (1, lambda: file.open_range(1, 3).close()),
        'exists': (1, lambda: storage.exists(file_id)),
        'url': (1, lambda: storage.url(file_id)),
        'replace, once a minute': (3, lambda: storage.replace(file_id, b'new')),
        'replace': (2, lambda: storage.replace(file_id, b'new')),
        'list': (1, storage.list),
        'delete_many': (2, lambda: storage.delete_many([file_id, uuid.uuid4()])),
        'delete': (1, lambda: storage.delete(file_id)),
        'put_derived': (2, lambda: derived.put_derived(of, 'a', b'small')),
        'get_derived': (1, lambda: derived.get_derived(of, 'a')),
        'get_derived by id': (2, lambda: derived.get_derived(of.file_id, 'a')),
        'delete without derived files, where others have some': (2, lambda: derived.delete(uuid.uuid4())),
        'delete with a derived file': (1 + 1 + 1, lambda: derived.delete(of)),
    }
    found = {}
    for name, (_, act) in costs.items():
        here.requests.clear()
        act()
        # After an answer 404, the SDK looks for the bucket, in a thread of its own.
        found[name] = len([each for each in here.requests if '/o' in each.path])
    assert found == {name: cost for name, (cost, _) in costs.items()}


def test_a_storage_class_is_kept_and_may_be_the_bucket_s(make: MakeGCS) -> None:
    for given, kept in ((None, 'STANDARD'), ('coldline', 'COLDLINE')):
        storage = make(storage_class=given)
        assert storage.bucket.get_blob(storage.create(b'content')).storage_class == kept


@pytest.mark.parametrize('content_type', ['text/plain\r\nX-Injected: yes', 'text/plain\r\n\r\ncontent', 'žluť', ''])
@pytest.mark.parametrize('size', [10, 9 * MIB])
def test_a_type_that_no_header_takes_comes_back(content_type: str, size: int, make: MakeGCS) -> None:
    storage = make()
    file_id = storage.create(LargeStream(size), 'file.bin', content_type)
    with storage.get(file_id) as file:
        assert file.content_type == (content_type or 'application/octet-stream')
        assert digest(file) == digest(LargeStream(size))


def test_a_file_that_is_deleted_while_it_is_replaced_stays_deleted(make: MakeGCS) -> None:
    storage = make()
    file_id = storage.create(b'old')

    def deleting() -> Iterator[bytes]:
        storage.delete(file_id)
        yield b'new'

    with pytest.raises(FileMissing, match=f'{file_id} was deleted while it was replaced'):
        storage.replace(file_id, deleting())
    assert storage.list() == []


def test_a_file_that_is_deleted_before_it_is_read_is_missing(make: MakeGCS) -> None:
    storage = make()
    file_id = storage.create(b'content')
    with storage.get(file_id) as file:
        storage.delete(file_id)
        with pytest.raises(FileMissing, match=file_id):
            file.read()


def test_deletions_that_fail_are_told_by_id_and_the_others_done(make: MakeGCS, fakegcs: str) -> None:
    storage = make()
    ids = [storage.create(b'content') for _ in range(20)]
    with google(at('DELETE', ids[7], refused(403)), behind=fakegcs) as here:
        failures = make(endpoint_url=here.url).delete_many(iter(ids))
    assert [*failures] == [ids[7]]
    assert isinstance(failures[ids[7]], StorageFailure)
    assert storage.list() == [ids[7]]


def test_connections_are_used_again(make: MakeGCS) -> None:
    storage = make()
    pools = storage.client._http.get_adapter('http://').poolmanager.pools

    def connections() -> int:
        return sum(pools[each].num_connections for each in pools.keys())  # noqa: SIM118 (it is no dict)

    file_id = storage.create(SAMPLE)
    before = connections()
    for _ in range(5):
        content(storage, file_id)
        with storage.open_range(file_id, 0, 10) as part:
            part.read()
        storage.create(io.BytesIO(SAMPLE))
    assert connections() - before < 5  # one whose server has not ended its answer yet, on a busy machine, is given up
