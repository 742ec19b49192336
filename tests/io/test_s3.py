"""S3: what an object is, who may fetch it, and what the storage does in the corners."""

from __future__ import annotations

import base64
import datetime
import io
import threading
import tracemalloc
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from depot.errors import FileMissing, InvalidContent, StorageFailure, WrongOption
from depot.io.awss3 import S3Storage as OldS3Storage
from depot.io.boto3 import CANNED_ACL_PRIVATE, CANNED_ACL_PUBLIC_READ, S3Storage
from depot.io.contract.samples import SAMPLE, FailingStream, Interrupted, LargeStream, digest
from depot.io.objects.reading import ObjectReader
from depot.manager import DepotManager

from ..services.seaweedfs import SeaweedFS, remove_bucket

MIB = 1024 * 1024
CUSTOMER_KEY = bytes(range(32))

MakeS3 = Callable[..., S3Storage]


@pytest.fixture
def on_moto(moto: None) -> MakeS3:
    """Makes storages on moto."""
    return lambda **options: S3Storage('Test', 'test', **{'policy': 'private', **options})


@pytest.fixture
def on_server(seaweedfs: SeaweedFS, request: pytest.FixtureRequest) -> MakeS3:
    """Makes storages in new buckets of a real server."""

    def make(**options: Any) -> S3Storage:
        bucket = f'test-{uuid.uuid4()}'
        storage = S3Storage(**{**seaweedfs.options, 'bucket': bucket, 'policy': 'private', **options})
        request.addfinalizer(lambda: remove_bucket(storage))
        return storage

    return make


class Recorded:
    """The requests of a storage, by name."""

    def __init__(self, storage: S3Storage) -> None:
        self.names: list[str] = []
        storage._s3.meta.client.meta.events.register('before-call.s3', self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.names.append(model.name)

    def during(self, work: Callable[[], object]) -> list[str]:
        self.names.clear()
        work()
        return self.names


def raw(storage: S3Storage) -> Any:
    """boto3's own client, and the bucket's name by heart."""
    return storage._s3.meta.client


def bucket(storage: S3Storage) -> str:
    name: str = storage._bucket_driver.bucket.name
    return name


def uploads(storage: S3Storage) -> list[Any]:
    return [*raw(storage).list_multipart_uploads(Bucket=bucket(storage)).get('Uploads', ())]


def large(size: int) -> bytes:
    stream = LargeStream(size)
    return b''.join(iter(lambda: stream.read(MIB), b''))


def fetch(url: str | None) -> Any:
    assert url is not None
    return urllib.request.urlopen(url)


# The formats


def test_an_object_is_as_the_published_package_wrote_it(on_moto: MakeS3) -> None:
    storage = on_moto(prefix='files/', policy='public-read')
    with mock.patch('depot.io.utils.timestamp', return_value='2026-11-21 02:47:13'):
        file_id = storage.create(SAMPLE, 'Крупный план.txt')
    found = raw(storage).get_object(Bucket='filedepot-test', Key=f'files/{file_id}')
    assert found['Body'].read() == SAMPLE
    assert found['ContentType'] == 'text/plain'
    assert found['ContentDisposition'].startswith('inline;filename="Krupnyy plan.txt";filename*=utf-8\'\'%D0%9A')
    assert found['Metadata'] == {
        'x-depot-filename': '%D0%9A%D1%80%D1%83%D0%BF%D0%BD%D1%8B%D0%B9%20%D0%BF%D0%BB%D0%B0%D0%BD.txt',
        'x-depot-modified': '2026-11-21 02:47:13',
        'x-depot-checksum': digest(io.BytesIO(SAMPLE)),
    }


@pytest.mark.parametrize('size', [100, 11 * MIB])
def test_an_object_has_the_storage_class_and_the_acl(on_moto: MakeS3, size: int) -> None:
    storage = on_moto(policy='public-read', storage_class='STANDARD_IA')
    key = storage.create(b'x' * size)
    assert raw(storage).head_object(Bucket=bucket(storage), Key=key)['StorageClass'] == 'STANDARD_IA'
    grants = raw(storage).get_object_acl(Bucket=bucket(storage), Key=key)['Grants']
    assert 'http://acs.amazonaws.com/groups/global/AllUsers' in [each['Grantee'].get('URI') for each in grants]


def test_an_object_without_metadata_is_readable(on_server: MakeS3) -> None:
    storage = on_server(prefix='files/')
    file_id = str(uuid.uuid4())
    raw(storage).put_object(Bucket=bucket(storage), Key=f'files/{file_id}', Body=SAMPLE, ContentType='text/x-other')
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type, file.checksum) == ('unnamed', 'text/x-other', None)
        assert file.content_length == len(SAMPLE)
        assert file.last_modified is not None
        assert file.read() == SAMPLE


def test_keys_of_other_tools_are_no_files(on_server: MakeS3) -> None:
    storage = on_server(prefix='files/')
    ids = sorted(storage.create(b'x') for _ in range(3))
    foreign = ['readme.txt', 'files/readme.txt', f'files/{ids[0]}/thumb', f'other/{ids[0]}', str(uuid.uuid4())]
    for key in foreign:
        raw(storage).put_object(Bucket=bucket(storage), Key=key, Body=b'')
    assert storage.list() == ids
    assert [*storage.iter_ids(after=ids[0])] == ids[1:]
    assert sorted(storage._bucket_driver.list_key_names()) == sorted(
        [*(f'files/{each}' for each in ids), 'files/readme.txt', f'files/{ids[0]}/thumb']
    )
    assert storage.delete_many(ids) == {}
    left = raw(storage).list_objects_v2(Bucket=bucket(storage))['Contents']
    assert sorted(each['Key'] for each in left) == sorted(foreign)


def test_more_ids_than_a_page_has_are_listed(on_moto: MakeS3) -> None:
    storage = on_moto()
    ids = sorted(str(uuid.uuid4()) for _ in range(1005))
    for each in ids:
        raw(storage).put_object(Bucket=bucket(storage), Key=each, Body=b'')
    assert [*storage.iter_ids()] == ids
    assert [*storage.iter_ids(after=ids[2])] == ids[3:]
    assert storage.delete_many(ids) == {}
    assert storage.list() == []


def test_the_driver_finds_objects(on_moto: MakeS3) -> None:
    storage = on_moto(prefix='files/')
    file_id = storage.create(SAMPLE)
    driver = storage._bucket_driver
    assert (driver.s3, driver.bucket.name, driver.prefix) == (storage._s3, 'filedepot-test', 'files/')
    assert driver.get_key(file_id).content_length == len(SAMPLE)
    assert driver.get_key(uuid.uuid4()) is None
    assert driver.new_key(file_id).key == f'files/{file_id}'
    assert storage._policy == CANNED_ACL_PRIVATE == 'private'
    assert CANNED_ACL_PUBLIC_READ == 'public-read'
    assert storage._storage_class == 'STANDARD'


# What it costs


def test_what_each_operation_costs_in_requests(on_moto: MakeS3) -> None:
    storage = on_moto()
    recorded = Recorded(storage)
    (file_id,) = (storage.create(SAMPLE) for _ in '1')
    once_a_minute = ['ListObjectsV2']
    assert recorded.during(lambda: storage.delete(storage.create(b'x'))) == [
        'PutObject',
        'DeleteObject',
        *once_a_minute,
    ]
    others = [storage.create(b'x') for _ in range(3)]
    assert recorded.during(lambda: storage.create(b'x')) == ['PutObject']
    assert recorded.during(lambda: storage.get(file_id)) == ['HeadObject']
    assert recorded.during(lambda: storage.get(file_id).read()) == ['HeadObject', 'GetObject']
    assert recorded.during(lambda: storage.exists(file_id)) == ['HeadObject']
    assert recorded.during(lambda: storage.open_range(file_id, 1, 5).read()) == ['GetObject']
    file = storage.get(file_id)
    assert recorded.during(lambda: file.open_range(1, 5).read()) == ['GetObject']
    assert recorded.during(lambda: storage.url(file_id)) == ['HeadObject']
    assert recorded.during(lambda: storage.get(file_id).public_url) == ['HeadObject']
    assert recorded.during(lambda: storage.replace(file_id, b'new')) == ['HeadObject', 'PutObject']
    assert recorded.during(lambda: storage.delete_many(others)) == ['DeleteObjects']
    assert recorded.during(lambda: storage.list()) == ['ListObjectsV2']
    assert recorded.during(lambda: storage.delete(file_id)) == ['DeleteObject']
    large = ['CreateMultipartUpload', 'UploadPart', 'UploadPart', 'CompleteMultipartUpload']
    assert recorded.during(lambda: storage.create(b'x' * 9 * MIB)) == large


def test_what_derived_files_cost_in_requests(on_moto: MakeS3) -> None:
    storage = on_moto()
    recorded = Recorded(storage)
    file_id, other, *many = (storage.create(SAMPLE) for _ in range(20))
    file = storage.get(file_id)
    storage.put_derived(many[7], 'a', b'small')
    assert recorded.during(lambda: storage.put_derived(file, 'a', b'small')) == ['PutObject', 'HeadObject']
    assert recorded.during(lambda: storage.get_derived(file, 'a')) == ['HeadObject']
    assert recorded.during(lambda: storage.get_derived(file_id, 'a')) == ['HeadObject', 'HeadObject']
    assert recorded.during(lambda: storage.list()) == ['ListObjectsV2']
    assert recorded.during(lambda: storage.delete(other)) == ['DeleteObject', 'ListObjectsV2']
    found = ['ListObjectsV2', 'DeleteObjects']
    assert recorded.during(lambda: storage.delete(file_id)) == ['DeleteObject', *found]
    assert recorded.during(lambda: storage.delete_many(many)) == ['DeleteObjects', *found]
    now = datetime.datetime.now()
    assert recorded.during(lambda: storage.clean(now)) == ['ListMultipartUploads', 'ListObjectsV2']


def test_a_server_that_knows_no_conditions_gives_no_part_of_another_content(on_moto: MakeS3) -> None:
    storage = on_moto()

    def forget_the_condition(params: dict[str, Any], **_: Any) -> None:
        params['headers'].pop('If-Match', None)

    with storage.get(storage.create(SAMPLE)) as file:
        storage.replace(file, SAMPLE[::-1])
        storage._s3.meta.client.meta.events.register('before-call.s3.GetObject', forget_the_condition)
        with pytest.raises(FileMissing, match='was replaced'):
            file.open_range(1, 5)


# Large contents


def test_a_large_content_is_sent_in_parts_and_keeps_its_checksum(on_server: MakeS3) -> None:
    storage = on_server()
    content = large(20 * MIB)
    file_id = storage.create(io.BytesIO(content), 'large.bin')
    with storage.get(file_id) as file:
        assert (file.filename, file.content_length) == ('large.bin', 20 * MIB)
        assert file.checksum == digest(io.BytesIO(content))
        assert file.read() == content
    assert raw(storage).head_object(Bucket=bucket(storage), Key=file_id)['ETag'].endswith('-3"')
    assert uploads(storage) == []


def test_of_a_large_stream_the_storage_that_stored_it_knows_the_checksum(on_server: MakeS3) -> None:
    storage = on_server()
    expected = digest(LargeStream(40 * MIB))
    file_id = storage.create(LargeStream(40 * MIB), 'stream.bin')
    with storage.get(file_id) as file:
        assert file.checksum == expected
        assert digest(file) == expected
    metadata = raw(storage).head_object(Bucket=bucket(storage), Key=file_id)['Metadata']
    assert 'x-depot-checksum' not in metadata
    storage.replace(file_id, b'small')
    assert storage.get(file_id).checksum == digest(io.BytesIO(b'small'))


def test_a_large_stream_is_never_in_memory(on_server: MakeS3) -> None:
    storage = on_server()
    storage.create(LargeStream(MIB))
    stream = LargeStream(160 * MIB)
    tracemalloc.start()
    try:
        file_id = storage.create(stream)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with storage.get(file_id) as file:
            assert digest(file) == digest(LargeStream(160 * MIB))
        most_read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 100 * MIB
    assert most_read < 16 * MIB


def test_a_large_file_is_replaced(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(LargeStream(20 * MIB), 'large.bin')
    storage.replace(file_id, LargeStream(36 * MIB))
    with storage.get(file_id) as file:
        assert file.filename == 'large.bin'
        assert digest(file) == digest(LargeStream(36 * MIB))


@pytest.mark.parametrize('error', [Interrupted(), KeyboardInterrupt(), OSError('gone')])
def test_nothing_is_left_of_a_large_content_that_fails(on_server: MakeS3, error: BaseException) -> None:
    storage = on_server()
    threads = {*threading.enumerate()}  # some of earlier tests may end meanwhile
    with pytest.raises(type(error)):
        storage.create(FailingStream(bytes(40 * MIB), error))
    assert {*threading.enumerate()} <= threads
    assert uploads(storage) == []
    assert storage.list() == []


def test_nothing_is_left_of_an_upload_whose_part_is_refused(on_server: MakeS3) -> None:
    storage = on_server(retries=0)

    def broken(request: Any, **_: Any) -> None:
        if 'partNumber=2' in request.url:
            raise ConnectionClosedError(endpoint_url=request.url)

    raw(storage).meta.events.register('before-send.s3.UploadPart', broken)
    with pytest.raises(StorageFailure, match='cannot upload_part .* in bucket') as caught:
        storage.create(io.BytesIO(bytes(30 * MIB)))
    assert caught.value.__cause__ is not None
    assert uploads(storage) == []
    assert storage.list() == []


def test_a_content_that_changes_while_it_is_stored_is_refused(on_moto: MakeS3) -> None:
    class Growing(io.BytesIO):
        def seek(self, *where: int) -> int:
            if self.tell() == 9 * MIB:  # digested
                self.write(b'more')
            return super().seek(*where)

    storage = on_moto()
    with pytest.raises(InvalidContent, match='the content had'):
        storage.create(Growing(bytes(9 * MIB)))
    assert storage.list() == []
    assert uploads(storage) == []


def test_clean_aborts_what_was_begun_and_never_ended(on_server: MakeS3) -> None:
    storage = on_server(prefix='files/')
    mine, foreign = f'files/{uuid.uuid4()}', 'files/of-another-tool'
    for key in (mine, foreign):
        raw(storage).create_multipart_upload(Bucket=bucket(storage), Key=key)
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    assert storage.clean(now - hour) == []
    (name,) = storage.clean(now + hour, dry_run=True)
    assert name.startswith(mine)
    assert storage.clean((now + hour).replace(tzinfo=None)) == [name]
    assert [each['Key'] for each in uploads(storage)] == [foreign]


# Checksums


def test_the_server_refuses_a_content_that_changed_on_its_way(on_server: MakeS3) -> None:
    storage = on_server()

    def change(request: Any, **_: Any) -> None:
        request.body = io.BytesIO(b'X' + SAMPLE[1:])

    raw(storage).meta.events.register('before-send.s3.PutObject', change)
    with pytest.raises(StorageFailure, match='BadDigest'):
        storage.create(SAMPLE)
    assert storage.list() == []


def test_a_content_that_is_not_what_was_stored_is_not_read_to_its_end(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(SAMPLE)
    metadata = raw(storage).head_object(Bucket=bucket(storage), Key=file_id)['Metadata']
    raw(storage).put_object(Bucket=bucket(storage), Key=file_id, Body=SAMPLE[::-1], Metadata=metadata)
    with storage.get(file_id) as file, pytest.raises(StorageFailure, match='have the checksum'):
        file.read()


class ChangedMeanwhile(io.BytesIO):
    """A file that another program changes between its two readings."""

    def __init__(self, data: bytes, change: Callable[[io.BytesIO], object]) -> None:
        super().__init__(data)
        self._change: Callable[[io.BytesIO], object] | None = change

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if not block and self._change is not None:
            change, self._change = self._change, None
            change(self)
        return block


def _overwrite(file: io.BytesIO) -> None:
    file.getbuffer()[13 * MIB] ^= 1


@pytest.mark.parametrize(
    'change',
    [_overwrite, lambda file: file.truncate(12 * MIB), lambda file: file.truncate(100), lambda file: file.write(b'x')],
    ids=['a byte', 'shorter', 'a single piece', 'longer'],
)
def test_a_file_that_is_changed_while_it_is_stored_is_refused(
    on_moto: MakeS3, change: Callable[[io.BytesIO], object]
) -> None:
    storage = on_moto()
    with pytest.raises(InvalidContent, match='changed|while it was stored'):
        storage.create(ChangedMeanwhile(large(17 * MIB), change))
    assert (storage.list(), uploads(storage)) == ([], [])


# Writers


def test_a_file_that_is_deleted_while_it_is_replaced_does_not_come_back(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(b'old')

    def deleting() -> Iterator[bytes]:
        storage.delete(file_id)
        yield b'new'

    with pytest.raises(FileMissing):
        storage.replace(file_id, deleting())
    assert not storage.exists(file_id)


@pytest.mark.parametrize('size', [3, 40 * MIB])
def test_a_file_that_is_replaced_while_it_is_replaced_has_one_of_both(on_server: MakeS3, size: int) -> None:
    storage = on_server()
    file_id = storage.create(b'old', 'old.txt')

    def meanwhile() -> Iterator[bytes]:
        storage.replace(file_id, b'in between')
        yield bytes(size)

    storage.replace(file_id, meanwhile())
    with storage.get(file_id) as file:
        assert file.filename == 'old.txt'
        assert file.read() == bytes(size)


def test_a_replace_without_a_name_keeps_the_name_that_another_writer_gave(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(b'old', 'old.txt')

    def meanwhile(size: int) -> Iterator[bytes]:
        storage.replace(file_id, b'in between', f'{size}.html')
        yield bytes(size)

    storage.replace(file_id, meanwhile(3))
    assert storage.get(file_id).filename == '3.html'
    with pytest.raises(StorageFailure, match='another writer has changed its name'):
        storage.replace(file_id, meanwhile(40 * MIB))
    assert storage.get(file_id).filename == f'{40 * MIB}.html'
    assert uploads(storage) == []


def test_an_object_that_is_there_is_never_created_over(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(b'first')
    same_id = mock.patch('depot.io.boto3.new_file_id', return_value=file_id)
    with same_id, pytest.raises(StorageFailure, match='there already'):
        storage.create(b'second')
    with storage.get(file_id) as file:
        assert file.read() == b'first'


@pytest.mark.parametrize('size', [3, 20 * MIB])
@pytest.mark.parametrize('stream', [False, True])
def test_a_request_that_was_done_and_never_answered_is_no_failure(on_server: MakeS3, size: int, stream: bool) -> None:
    storage = on_server()
    swallowed = []

    def swallow(request: Any, **_: Any) -> None:
        if not swallowed:
            swallowed.append(raw(storage)._endpoint.http_session.send(request))
            raise ConnectionClosedError(endpoint_url=request.url)

    for operation in ('PutObject', 'CompleteMultipartUpload'):
        raw(storage).meta.events.register(f'before-send.s3.{operation}', swallow)
    file_id = storage.create(iter([bytes(size)]) if stream else bytes(size))
    assert swallowed[0].status_code == 200
    assert storage.list() == [file_id]
    with storage.get(file_id) as file:
        assert file.read() == bytes(size)
    assert uploads(storage) == []


def test_a_server_that_knows_no_conditions_is_asked_once(on_moto: MakeS3) -> None:
    storage = on_moto()
    conditions = []

    def refuse(request: Any, **_: Any) -> Any:
        conditions.append(request.headers.get('If-None-Match'))
        if conditions[-1]:
            body = mock.Mock(stream=lambda: iter([b'<Error><Code>NotImplemented</Code></Error>']))
            return AWSResponse(request.url, 400, {}, body)

    raw(storage).meta.events.register_first('before-send.s3.PutObject', refuse)
    ids = {storage.create(b'x') for _ in range(2)}
    assert conditions == [b'*', None, None]
    assert {*storage.list()} == ids


# ACLs and encryption


def test_a_bucket_without_acls_is_noticed_once(on_moto: MakeS3) -> None:
    storage = on_moto(policy='public-read')
    acls = []

    def refuse(request: Any, **_: Any) -> Any:
        acls.append(request.headers.get('x-amz-acl'))
        if acls[-1]:
            body = mock.Mock(stream=lambda: iter([b'<Error><Code>AccessControlListNotSupported</Code></Error>']))
            return AWSResponse(request.url, 400, {}, body)

    raw(storage).meta.events.register_first('before-send.s3.PutObject', refuse)
    storage.create(b'x')
    storage.create(b'x')
    assert acls == [b'public-read', None, None]


@pytest.mark.parametrize(
    ('acl', 'sent'),
    [(None, b'private'), (True, b'private'), ('false', None), ('bucket-owner-read', b'bucket-owner-read')],
)
def test_the_acl_is_an_option(on_moto: MakeS3, acl: Any, sent: bytes | None) -> None:
    storage = on_moto(acl=acl)
    acls = []
    raw(storage).meta.events.register_first(
        'before-send.s3', lambda request, **_: acls.append(request.headers.get('x-amz-acl'))
    )
    storage.create(b'x')
    assert acls == [sent]


@pytest.mark.parametrize('size', [100, 20 * MIB])
def test_the_server_can_encrypt(on_server: MakeS3, size: int) -> None:
    storage = on_server(encryption='AES256')
    file_id = storage.create(bytes(size), 'secret.txt')
    assert raw(storage).head_object(Bucket=bucket(storage), Key=file_id)['ServerSideEncryption'] == 'AES256'
    with storage.get(file_id) as file:
        assert file.read() == bytes(size)
    with storage.open_range(file_id, 10, 20) as part:
        assert part.read() == bytes(10)


@pytest.mark.parametrize('size', [100, 20 * MIB])
@pytest.mark.parametrize('key', [CUSTOMER_KEY, base64.b64encode(CUSTOMER_KEY).decode()], ids=['bytes', 'text'])
def test_the_application_can_keep_the_key(seaweedfs: SeaweedFS, on_server: MakeS3, size: int, key: Any) -> None:
    storage = on_server(customer_key=key)
    content = large(size)
    file_id = storage.create(io.BytesIO(content), 'secret.txt')
    with storage.get(file_id) as file:
        assert file.read() == content
        assert file.public_url is None
    with storage.open_range(file_id, 10, 20) as part:
        assert part.read() == content[10:20]
    storage.replace(file_id, b'new')
    assert storage.url(file_id) is None
    other_key = S3Storage(**{**seaweedfs.options, 'bucket': bucket(storage), 'customer_key': CUSTOMER_KEY[::-1]})
    without = S3Storage(**{**seaweedfs.options, 'bucket': bucket(storage)})
    for each in (other_key, without):
        with pytest.raises(StorageFailure, match='customer_key it was stored with'):
            each.get(file_id).read()
        each.close()


# URLs


def test_a_signed_url_fetches_a_private_file(on_server: MakeS3) -> None:
    storage = on_server(prefix='a b/')
    file_id = storage.create(SAMPLE, 'Крупный.txt')
    file = storage.get(file_id)
    assert file.public_url_expires
    for url in (file.public_url, storage.url(file_id)):
        with fetch(url) as answer:
            assert answer.read() == SAMPLE
            assert answer.headers['Content-Type'] == 'text/plain'
            assert 'Krupnyy.txt' in answer.headers['Content-Disposition']
    with pytest.raises(urllib.error.HTTPError, match='403'):
        fetch(str(file.public_url).partition('?')[0])


def test_a_signed_url_has_another_name_disposition_and_type(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(SAMPLE, 'page.html')
    url = storage.url(file_id, filename='Übersicht "1".csv', disposition='attachment', content_type='text/csv')
    with fetch(url) as answer:
        assert answer.headers['Content-Type'] == 'text/csv'
        assert answer.headers['Content-Disposition'].startswith('attachment;filename="Ubersicht \'1\'.csv"')
    with fetch(storage.url(file_id, disposition='attachment')) as answer:
        assert answer.headers['Content-Disposition'].startswith('attachment;filename="page.html"')


def test_a_signed_url_expires(on_server: MakeS3) -> None:
    storage = on_server(url_expires='120')
    file_id = storage.create(SAMPLE)
    file = storage.get(file_id)
    assert _expiry(storage.url(file_id)) == 120
    assert _expiry(file.public_url) == 120
    assert _expiry(storage.url(file_id, expires=0.5)) == 1
    assert _expiry(storage.url(file_id, expires=10**9)) == 7 * 24 * 3600
    assert _expiry(storage.url(file_id, expires=float('inf'))) == 7 * 24 * 3600
    from botocore import auth

    hours_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
    with mock.patch.object(auth, 'get_current_datetime', return_value=hours_ago.replace(tzinfo=None)):
        url = file.public_url
    with pytest.raises(urllib.error.HTTPError, match='403'):
        fetch(url)


def _expiry(url: str | None) -> int:
    return int(parse_qs(urlsplit(str(url)).query)['X-Amz-Expires'][0])


def test_a_public_file_has_a_plain_url(on_moto: MakeS3) -> None:
    storage = on_moto(policy='public-read', prefix='a b/')
    file_id = storage.create(SAMPLE, 'page.html')
    plain = f'https://filedepot-test.s3.amazonaws.com/a%20b/{file_id}'
    file = storage.get(file_id)
    assert (file.public_url, file.public_url_expires) == (plain, False)
    assert storage.url(file_id) == plain
    assert 'X-Amz-Signature' in str(storage.url(file_id, filename='other.html'))


@pytest.mark.parametrize('policy', ['public-read', 'private'])
def test_a_cdn_has_the_plain_urls(on_moto: MakeS3, policy: str) -> None:
    storage = on_moto(policy=policy, public_url='https://cdn.example.com/files', prefix='a/')
    file_id = storage.create(SAMPLE)
    plain = f'https://cdn.example.com/files/a/{file_id}'
    file = storage.get(file_id)
    assert (file.public_url, file.public_url_expires, storage.url(file_id)) == (plain, False, plain)


def test_a_server_of_another_make_has_plain_urls(on_server: MakeS3, seaweedfs: SeaweedFS) -> None:
    storage = on_server(policy='public-read')
    assert storage.get(storage.create(b'x')).public_url == f'{seaweedfs.url}/{bucket(storage)}/{storage.list()[0]}'


# Reading


def test_a_range_of_a_server_that_knows_none_is_read_all_the_same(on_moto: MakeS3) -> None:
    storage = on_moto()
    file_id = storage.create(SAMPLE)
    raw(storage).meta.events.register(
        'before-sign.s3.GetObject', lambda request, **_: request.headers.__delitem__('Range')
    )
    with storage.open_range(file_id, 10, 20) as part:
        assert part.read() == SAMPLE[10:20]


def test_a_connection_that_breaks_off_is_no_end(on_server: MakeS3) -> None:
    storage = on_server()
    file_id = storage.create(SAMPLE)
    with storage.get(file_id) as file:
        assert file.read(10) == SAMPLE[:10]
        assert isinstance(file._content, ObjectReader)
        file._content._body = io.BytesIO(SAMPLE[10:20])
        with pytest.raises(StorageFailure, match=f'ended after 20 of {len(SAMPLE)} bytes'):
            file.read()


# The old name


def test_the_old_name_reads_and_writes_the_same_objects(seaweedfs: SeaweedFS, on_server: MakeS3) -> None:
    storage = on_server(prefix='files/')
    with pytest.warns(DeprecationWarning, match='depot.io.boto3.S3Storage'):
        old = OldS3Storage(
            seaweedfs.access_key_id,
            seaweedfs.secret_access_key,
            bucket(storage),
            seaweedfs.url,
            'private',
            True,
            'files/',
            region_name='us-east-1',
        )
    file_id = old.create(SAMPLE, 'old.txt')
    with storage.get(file_id) as file:
        assert (file.filename, file.read()) == ('old.txt', SAMPLE)
    key = f'files/{file_id}'
    assert raw(storage).head_object(Bucket=bucket(storage), Key=key)['ServerSideEncryption'] == 'AES256'
    old.close()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'acces': 'x'}, "awss3.S3Storage, beside host and encrypt_key: .*'acces'; its options are: access_key_id, .*"),
        ({'host': 'a', 'endpoint_url': 'https://b'}, 'host and endpoint_url name two servers'),
    ],
)
def test_the_old_name_refuses_options_that_are_none(options: dict[str, str], message: str) -> None:
    old = {'depot.backend': 'depot.io.awss3.S3Storage', 'depot.access_key_id': 'a', 'depot.secret_access_key': 'b'}
    with pytest.warns(DeprecationWarning, match='an old name'), pytest.raises(WrongOption, match=message):
        DepotManager.from_config({**old, **{f'depot.{name}': value for name, value in options.items()}})


def test_the_old_name_takes_a_host_without_a_scheme(moto: None) -> None:
    with pytest.warns(DeprecationWarning, match='an old name'):
        old = OldS3Storage('Test', 'test', host='s3.amazonaws.com')
    assert raw(old).meta.endpoint_url == 'https://s3.amazonaws.com'
    assert raw(old).list_objects_v2(Bucket='filedepot-test')['KeyCount'] == 0
