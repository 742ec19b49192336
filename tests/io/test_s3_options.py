"""S3: options, the bucket, and what is said when they do not fit the server."""

from __future__ import annotations

import datetime
import pickle
import socket
import uuid
from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError

from depot.errors import ConfigurationError, StorageFailure, WrongPolicy
from depot.io.boto3 import S3Storage
from depot.io.s3.failures import BucketRefused, S3Failure
from depot.manager import DepotManager

from ..services.seaweedfs import SeaweedFS, remove_bucket
from ..services.servers import free_port

FILE_ID = '01a1fdf6-c7a8-751d-8393-fbf0f3c4eb50'


@pytest.fixture
def no_storages() -> Iterator[None]:
    DepotManager._clear()
    yield
    DepotManager._clear()


def error(code: str, operation: str) -> ClientError:
    return ClientError({'Error': {'Code': code, 'Message': 'refused'}}, operation)


class Server:
    """boto3's session, resource and client, patched as applications patch them."""

    def __init__(self, session: mock.MagicMock) -> None:
        self.session = session
        self.resource = session.return_value.resource
        self.client = self.resource.return_value.meta.client


@pytest.fixture
def server() -> Iterator[Server]:
    with mock.patch('boto3.Session') as session:
        yield Server(session)


# How boto3 is called


def test_boto3_is_called_once_with_what_was_given(server: Server) -> None:
    S3Storage('Key', 'secret')
    server.session.assert_called_once_with(aws_access_key_id='Key', aws_secret_access_key='secret')
    server.resource.assert_called_once_with('s3')


def test_the_endpoint_and_the_region_are_handed_on(server: Server) -> None:
    S3Storage('Key', 'secret', 'bucket', 'eu-west-1', endpoint_url='https://storage.example')
    server.resource.assert_called_once_with('s3', endpoint_url='https://storage.example', region_name='eu-west-1')


def test_timeouts_retries_and_the_style_are_handed_on(moto: None) -> None:
    storage = S3Storage(
        'Key', 'secret', addressing_style='path', connect_timeout='1.5', read_timeout=7, retries='2', max_concurrency=20
    )
    config = storage._s3.meta.client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.5, 7)
    assert config.s3 == {'addressing_style': 'path'}
    assert config.retries['total_max_attempts'] == 3
    assert config.max_pool_connections == 20


def test_credentials_come_from_where_boto3_looks_for_them(moto: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'of-the-environment')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'secret')
    storage = S3Storage(bucket='some-bucket', session_token=None)
    assert storage._s3.meta.client._request_signer._credentials.access_key == 'of-the-environment'


def test_a_ready_session_is_used(moto: None) -> None:
    session = boto3.Session('of-the-session', 'secret', 'token')
    storage = S3Storage(bucket='some-bucket', session=session)
    assert storage._conn is session
    assert storage.exists(storage.create(b'x'))


def test_a_ready_client_is_used_and_stays_open(moto: None) -> None:
    client = boto3.client('s3', 'eu-west-1', aws_access_key_id='of-the-client', aws_secret_access_key='secret')
    client.create_bucket(Bucket='some-bucket', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    with mock.patch.object(client, 'close') as close:
        storage = S3Storage(bucket='some-bucket', client=client)
        file_id = storage.create(b'x')
        assert storage._s3.meta.client is client
        assert storage._bucket_driver.get_key(file_id).content_length == 1
        storage.close()
    close.assert_not_called()


def test_a_settings_file_configures_it(moto: None, no_storages: None) -> None:
    settings = {
        'depot.backend': 'depot.io.boto3.S3Storage',
        'depot.access_key_id': 'Key',
        'depot.secret_access_key': 'secret',
        'depot.bucket': 'some-bucket',
        'depot.acl': 'false',
        'depot.url_expires': '60',
        'depot.multipart_threshold': '10000000',
    }
    storage = DepotManager.configure('default', settings)
    assert storage.exists(storage.create(b'x'))


# The bucket


def test_the_bucket_is_called_by_the_access_key(moto: None) -> None:
    S3Storage('Key', 'secret')
    names = [each['Name'] for each in boto3.client('s3', 'us-east-1').list_buckets()['Buckets']]
    assert names == ['filedepot-key']


def test_a_bucket_that_is_listed_is_used(server: Server) -> None:
    server.client.list_buckets.return_value = {'Buckets': [{'Name': 'mine'}]}
    S3Storage('Key', 'secret', 'mine')
    server.client.head_bucket.assert_not_called()
    server.client.create_bucket.assert_not_called()


@pytest.mark.parametrize(('policy', 'opened'), [('public-read', 1), ('private', 0)])
def test_a_missing_bucket_is_made(server: Server, policy: str, opened: int) -> None:
    server.client.list_buckets.return_value = {'Buckets': []}
    S3Storage('Key', 'secret', 'mine', 'eu-west-1', policy)
    server.client.create_bucket.assert_called_once_with(
        Bucket='mine',
        ObjectOwnership='BucketOwnerPreferred',
        CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'},
    )
    blocks = server.client.put_public_access_block
    assert blocks.call_count == opened
    if opened:
        assert [*blocks.call_args.kwargs['PublicAccessBlockConfiguration'].values()] == [False, False, True, True]


def test_without_the_right_to_list_buckets_the_bucket_itself_is_asked(server: Server) -> None:
    server.client.list_buckets.side_effect = error('AccessDenied', 'ListBuckets')
    S3Storage('Key', 'secret', 'mine')
    server.client.head_bucket.assert_called_once_with(Bucket='mine')
    server.client.create_bucket.assert_not_called()
    server.client.head_bucket.side_effect = error('404', 'HeadBucket')
    S3Storage('Key', 'secret', 'mine')
    server.client.create_bucket.assert_called_once_with(Bucket='mine', ObjectOwnership='BucketOwnerPreferred')


@pytest.mark.parametrize('code', ['BucketAlreadyExists', 'AccessDenied', 'BucketAlreadyOwnedByYou'])
def test_a_bucket_that_lets_us_in_is_used_though_no_list_has_it(server: Server, code: str) -> None:
    server.client.list_buckets.return_value = {'Buckets': []}
    server.client.create_bucket.side_effect = error(code, 'CreateBucket')
    S3Storage('Key', 'secret', 'theirs')
    server.client.put_public_access_block.assert_not_called()


def test_a_bucket_of_somebody_else_is_refused(server: Server) -> None:
    server.client.list_buckets.return_value = {'Buckets': []}
    server.client.create_bucket.side_effect = error('BucketAlreadyExists', 'CreateBucket')
    server.client.head_bucket.side_effect = error('403', 'HeadBucket')
    with pytest.raises(ConfigurationError, match="'theirs'.*BucketAlreadyExists.*set bucket to another name"):
        S3Storage('Key', 'secret', 'theirs')


@pytest.mark.parametrize(
    ('code', 'advice'),
    [
        ('InvalidAccessKeyId', 'change access_key_id'),
        ('ExpiredToken', 'renew'),
        ('RequestTimeTooSkewed', 'clock'),
        ('AuthorizationHeaderMalformed', 'region_name'),
    ],
)
def test_an_error_of_list_buckets_says_what_to_change(server: Server, code: str, advice: str) -> None:
    server.client.list_buckets.side_effect = error(code, 'ListBuckets')
    with pytest.raises(ConfigurationError, match=advice):
        S3Storage('Key', 'secret', 'mine')
    with pytest.raises(ClientError) as caught:  # the published package let it pass
        S3Storage('Key', 'secret', 'mine')
    assert caught.value.response['Error']['Code'] == code
    server.client.head_bucket.assert_not_called()


def test_a_bucket_without_the_right_to_make_it_says_so(seaweedfs: SeaweedFS) -> None:
    with pytest.raises(ConfigurationError, match='no-such-bucket.*AccessDenied.*rights'):
        S3Storage(bucket='no-such-bucket', **seaweedfs.as_reader().options)


def test_wrong_credentials_say_so(seaweedfs: SeaweedFS) -> None:
    with pytest.raises(ConfigurationError, match='SignatureDoesNotMatch.*change secret_access_key'):
        S3Storage(bucket='mine', **{**seaweedfs.options, 'secret_access_key': 'wrong'})
    with pytest.raises(ConfigurationError, match='InvalidAccessKeyId.*change access_key_id'):
        S3Storage(bucket='mine', **{**seaweedfs.options, 'access_key_id': 'WRONG'})


def test_an_invalid_name_of_a_bucket_says_so(seaweedfs: SeaweedFS) -> None:
    with pytest.raises(ConfigurationError, match='(?s)Bad_Name.*change the option'):
        S3Storage(bucket='Bad_Name!', **seaweedfs.options)


def test_an_endpoint_where_nobody_listens_says_so() -> None:
    with pytest.raises(ConfigurationError, match='check endpoint_url'):
        S3Storage('Key', 'secret', 'mine', endpoint_url=f'http://127.0.0.1:{free_port()}', retries=0)


def test_an_endpoint_that_never_answers_is_given_up() -> None:
    with socket.create_server(('127.0.0.1', 0)) as silent:
        url = f'http://127.0.0.1:{silent.getsockname()[1]}'
        with pytest.raises(ConfigurationError, match='Read timeout.*read_timeout'):
            S3Storage('Key', 'secret', 'mine', endpoint_url=url, read_timeout=0.2, retries=0)


def test_an_endpoint_that_is_no_url_says_so() -> None:
    with pytest.raises(ConfigurationError, match='endpoint_url = .* is none; it looks like https://'):
        S3Storage('Key', 'secret', 'mine', endpoint_url='storage.example')


def test_no_credentials_anywhere_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
    monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE', str(tmp_path / 'none'))
    monkeypatch.setenv('AWS_CONFIG_FILE', str(tmp_path / 'none'))
    with pytest.raises(ConfigurationError, match='give access_key_id and secret_access_key'):
        S3Storage(bucket='mine', region_name='us-east-1')


def test_a_reader_cannot_write_and_is_told(seaweedfs: SeaweedFS) -> None:
    owner = S3Storage(bucket=f'test-{uuid.uuid4()}', **seaweedfs.options)
    file_id = owner.create(b'x')
    reader = S3Storage(bucket=owner._bucket_driver.bucket.name, **seaweedfs.as_reader().options)
    with reader.get(file_id) as file:
        assert file.read() == b'x'
    for work in (lambda: reader.create(b'y'), lambda: reader.delete(file_id), lambda: reader.replace(file_id, b'y')):
        with pytest.raises(StorageFailure, match='AccessDenied.*rights of their user'):
            work()
    assert [*reader.delete_many([file_id])] == [file_id]
    reader.close()
    remove_bucket(owner)


def test_a_bucket_that_was_removed_says_so(moto: None) -> None:
    storage = S3Storage('Key', 'secret')
    storage._bucket_driver.bucket.delete()
    with pytest.raises(StorageFailure, match='NoSuchBucket.*set bucket'):
        storage.create(b'x')
    with pytest.raises(StorageFailure, match='NoSuchBucket'):
        storage.list()


def test_a_token_that_has_expired_says_so(moto: None) -> None:
    storage = S3Storage('Key', 'secret')
    refused = error('ExpiredToken', 'PutObject')
    put_object = mock.patch.object(storage._s3.meta.client, 'put_object', side_effect=refused)
    with put_object, pytest.raises(StorageFailure, match='ExpiredToken.*renew') as caught:
        storage.create(b'x')
    assert caught.value.__cause__ is refused


# Options


def test_a_policy_other_than_the_two_is_refused() -> None:
    with pytest.raises(WrongPolicy, match="'public' is none; choose from public-read, private"):
        S3Storage('Key', 'secret', policy='public')
    with pytest.raises(AssertionError):
        S3Storage('Key', 'secret', policy='authenticated-read')


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        ({'encryption': 'aes'}, "encryption = 'aes' is none; choose from AES256"),
        ({'encryption': 'AES256', 'kms_key_id': 'key'}, 'leave kms_key_id out'),
        ({'encryption': 'AES256', 'customer_key': b'0' * 32}, 'exclude each other'),
        ({'customer_key': b'short'}, 'customer_key has 5 bytes; it needs 32'),
        ({'customer_key': 'no base64!'}, 'customer_key is no Base64'),
        ({'addressing_style': 'vhost'}, "addressing_style = 'vhost'"),
        ({'connect_timeout': 'soon'}, "connect_timeout = 'soon' is no number of seconds"),
        ({'read_timeout': 0}, 'read_timeout = 0 is no number'),
        ({'retries': -1}, 'retries = -1 is no whole number from 0'),
        ({'url_expires': 8 * 24 * 3600}, 'url_expires = 691200 is no whole number from 1 to 604800'),
        ({'multipart_chunksize': 1024}, 'multipart_chunksize = 1024'),
        ({'multipart_threshold': 'x'}, "multipart_threshold = 'x'"),
        ({'max_concurrency': 0}, 'max_concurrency = 0'),
        ({'public_url': 'cdn.example.com'}, "public_url = 'cdn.example.com' is none; it looks like https"),
        ({'public_url': 5}, 'public_url = 5 is none'),
        ({'endpoint_url': 'storage.example:80'}, "endpoint_url = 'storage.example:80' is none; it looks like https"),
        ({'endpoint_url': 'https://user:secret@storage.example'}, 'endpoint_url holds credentials'),
        ({'public_url': 'https://user:secret@cdn.example'}, 'public_url holds credentials'),
        ({'customer_key': 'ключ'}, 'customer_key is no Base64'),
        ({'customer_key': 5}, 'customer_key is no Base64'),
        ({'acl': 'publik-read'}, "acl = 'publik-read' is none; choose from false, private, public-read"),
        ({'secret_access_key': None}, 'go together'),
    ],
)
def test_a_wrong_option_is_named_before_any_request(wrong: dict[str, Any], message: str) -> None:
    with mock.patch('boto3.Session') as session, pytest.raises(ConfigurationError, match=message) as caught:
        S3Storage(**{'access_key_id': 'Key', 'secret_access_key': 'secret', **wrong})
    session.assert_not_called()
    assert 'secret' not in str(caught.value).replace('secret_access_key', '')


def test_without_an_access_key_a_bucket_is_named() -> None:
    with pytest.raises(ConfigurationError, match='name a bucket'):
        S3Storage()


@pytest.mark.parametrize('acl', ['bucket-owner-full-control', 'none', 'no', False, True])
def test_an_acl_of_s3_or_none_is_taken(server: Server, acl: str | bool) -> None:
    S3Storage('Key', 'secret', acl=acl)


def test_a_public_url_is_that_of_the_server_that_boto3_was_told_elsewhere(
    moto: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('AWS_ENDPOINT_URL_S3', 'https://storage.example')
    client = boto3.Session('key', 'secret').client('s3')
    monkeypatch.delenv('AWS_ENDPOINT_URL_S3')
    with mock.patch('depot.io.boto3.ensure_bucket'):
        storage = S3Storage(bucket='mine', client=client)
        assert storage._objects.public_url(FILE_ID) == f'https://storage.example/mine/{FILE_ID}'
        amazon = boto3.Session('key', 'secret').client('s3', region_name='eu-west-1')
        assert S3Storage(bucket='mine', client=amazon)._objects.public_url(FILE_ID) == (
            f'https://mine.s3.amazonaws.com/{FILE_ID}'
        )


def test_a_storage_on_a_patched_boto3_stores_finds_and_lists(server: Server) -> None:
    storage = S3Storage('Key', 'secret')
    file_id = storage.create(b'content')
    assert storage.get(file_id).last_modified is None
    assert storage.list() == []
    assert storage.clean(datetime.datetime.now(datetime.timezone.utc)) == []


def test_kms_is_asked_for(moto: None) -> None:
    storage = S3Storage('Key', 'secret', kms_key_id='some-key')
    key = storage.create(b'x')
    found = storage._s3.meta.client.head_object(Bucket='filedepot-key', Key=key)
    assert (found['ServerSideEncryption'], found['SSEKMSKeyId']) == ('aws:kms', 'some-key')


def test_the_errors_can_be_pickled() -> None:
    refused = pickle.loads(pickle.dumps(BucketRefused('message', {'Error': {'Code': 'X'}}, 'HeadBucket')))
    assert (str(refused), refused.response, refused.operation_name) == (
        'message',
        {'Error': {'Code': 'X'}},
        'HeadBucket',
    )
    assert str(pickle.loads(pickle.dumps(S3Failure('message', 'key', 5, 'X')))) == 'message'
