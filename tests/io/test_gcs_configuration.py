"""Google Cloud Storage: what its settings may be, and what a wrong one is told."""

from __future__ import annotations

import json
import pickle
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from depot.errors import BackendMissing, ConfigurationError, StorageFailure, WrongCredentials, WrongPolicy
from depot.io.gcs import CANNED_ACL_PRIVATE, CANNED_ACL_PUBLIC_READ, GCSStorage
from depot.manager import DepotManager

from .google import TOKEN, Answer, Request, at, google, refused

IMPATIENT = {'timeout': 5, 'retry_timeout': 0}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('GOOGLE_APPLICATION_CREDENTIALS', 'STORAGE_EMULATOR_HOST', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT'):
        monkeypatch.delenv(name, raising=False)


def stored(**options: Any) -> GCSStorage:
    """A storage that has stored something."""
    storage = GCSStorage(**{'policy': 'private', 'bucket': 'configured', **options})
    file_id = storage.create(b'content')
    with storage.get(file_id) as file:
        assert file.read() == b'content'
    storage.close()
    return storage


def test_credentials_are_the_dict_of_a_key(fakegcs: str) -> None:
    with google(TOKEN, behind=fakegcs) as here:
        storage = stored(credentials=here.account(), endpoint_url=here.url)
        assert here.asked('POST', '^/token$')
        assert here.requests[-1].headers['authorization'] == 'Bearer secret'
    assert storage.client.project == 'shop'


def test_credentials_are_the_path_of_a_key_or_its_text(fakegcs: str, tmp_path: Path) -> None:
    with google(TOKEN, behind=fakegcs) as here:
        path = tmp_path / 'key.json'
        path.write_text(json.dumps(here.account()))
        for credentials in (path, str(path), path.read_text()):
            assert stored(credentials=credentials, endpoint_url=here.url).client.project == 'shop'


def test_credentials_are_those_of_the_environment(
    fakegcs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(TOKEN, behind=fakegcs) as here:
        path = tmp_path / 'key.json'
        path.write_text(json.dumps(here.account()))
        monkeypatch.setenv('GOOGLE_APPLICATION_CREDENTIALS', str(path))
        for credentials in (None, '', 'default'):
            assert stored(credentials=credentials, endpoint_url=here.url).client.project == 'shop'


def test_credentials_are_an_object(fakegcs: str) -> None:
    stored(project_id='shop', credentials=AnonymousCredentials(), endpoint_url=fakegcs)


def test_an_emulator_needs_no_credentials(fakegcs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('STORAGE_EMULATOR_HOST', fakegcs)
    stored()


def test_a_ready_client_takes_the_place_of_project_and_credentials(fakegcs: str) -> None:
    client = Client('shop', AnonymousCredentials(), client_options={'api_endpoint': fakegcs})
    assert stored(client=client).client is client


def test_without_any_credentials_the_two_ways_to_give_them_are_told() -> None:
    with pytest.raises(WrongCredentials, match='credentials.*GOOGLE_APPLICATION_CREDENTIALS') as caught:
        GCSStorage(bucket='any')
    assert isinstance(caught.value, ValueError)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), WrongCredentials)


@pytest.mark.parametrize(
    ('given', 'told'),
    [
        ('/nowhere/key.json', "cannot read the file '/nowhere/key.json'"),
        ('{"type": ', 'not valid JSON'),
        ({}, "of type 'None'"),
        ({'type': 'external_account'}, "of type 'external_account'"),
        ({'type': 'service_account'}, "no key of type 'service_account'"),
        ({'type': 'service_account', 'client_email': 'a', 'token_uri': 'b', 'private_key': 'c'}, 'no key of type'),
        ({'type': 'authorized_user'}, "no key of type 'authorized_user'"),
        (7, 'the option credentials is a int'),
    ],
)
def test_wrong_credentials_are_told(given: Any, told: str) -> None:
    with pytest.raises(WrongCredentials, match=told) as caught:
        GCSStorage(credentials=given, bucket='any')
    assert 'credentials' in str(caught.value)


@pytest.mark.parametrize(
    'text',
    [
        '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
        'hunter2',
        '"hunter2"',
        'hunter2' * 1000,
        'hunter2\0',
        '{"type": "service_account", "private_key": "hunter2"',
    ],
)
def test_no_error_tells_a_key_that_is_given_wrongly(text: str) -> None:
    with pytest.raises(WrongCredentials, match='the option credentials') as caught:
        GCSStorage(credentials=text, bucket='any')
    assert 'hunter2' not in ''.join(traceback.format_exception(caught.value))


@pytest.mark.parametrize('text', ['not JSON', '[]', '"text"'])
def test_a_file_that_holds_no_key_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / 'key.json'
    path.write_text(text)
    with pytest.raises(WrongCredentials, match='key.json'):
        GCSStorage(credentials=str(path), bucket='any')


def test_a_wrong_file_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json')
    with pytest.raises(WrongCredentials, match="GOOGLE_APPLICATION_CREDENTIALS = '/nowhere/key.json'"):
        GCSStorage(bucket='any')


def test_a_key_that_google_does_not_know_is_told() -> None:
    revoked = at('POST', '^/token$', Answer(400, {'error': 'invalid_grant', 'error_description': 'Invalid JWT'}))
    with google(revoked) as here, pytest.raises(ConfigurationError, match='change the option credentials'):
        GCSStorage(credentials=here.account(), bucket='any', policy='private', endpoint_url=here.url, **IMPATIENT)


@pytest.mark.parametrize('status', [401, 403])
def test_credentials_that_expire_are_told_at_the_call(status: int, fakegcs: str) -> None:
    refusals: list[Answer] = []
    with google(lambda _: refusals[0] if refusals else None, behind=fakegcs) as here:
        storage = GCSStorage('shop', 'anonymous', f'expiring-{status}', 'private', endpoint_url=here.url, **IMPATIENT)
        file_id = storage.create(b'content')
        refusals.append(refused(status, 'Invalid Credentials'))
        for act in (
            lambda: storage.create(b'content'),
            lambda: storage.get(file_id),
            lambda: storage.exists(file_id),
            lambda: storage.delete(file_id),
            lambda: storage.open_range(file_id, 0, 1),
            storage.list,
        ):
            with pytest.raises(StorageFailure, match='change the option credentials'):
                act()
        assert isinstance(storage.delete_many([file_id])[file_id], StorageFailure)
        refusals.clear()
        assert storage.list() == [file_id]
        storage.close()


def test_a_missing_bucket_is_made_with_uniform_access_in_the_location(fakegcs: str) -> None:
    with google(behind=fakegcs) as here:
        stored(project_id='shop', credentials='anonymous', bucket='made', location='EU', endpoint_url=here.url)
        (made,) = here.asked('POST', r'^/storage/v1/b\?')
        stored(project_id='shop', credentials='anonymous', bucket='made', location='EU', endpoint_url=here.url)
        assert len(here.asked('POST', r'^/storage/v1/b\?')) == 1
    assert made.json()['location'] == 'EU'
    assert made.json()['iamConfiguration']['uniformBucketLevelAccess']['enabled'] is True


def test_no_object_gets_rights_of_its_own_which_uniform_access_forbids(fakegcs: str) -> None:
    with google(behind=fakegcs) as here:
        for policy in ('private', 'public-read'):
            stored(project_id='shop', credentials='anonymous', policy=policy, endpoint_url=here.url)
        assert not [each for each in here.requests if 'acl' in each.path.lower().replace('projection=noacl', '')]
        assert not [each for each in here.requests if b'"acl"' in each.body]


def test_a_bucket_is_named_after_the_project(fakegcs: str) -> None:
    storage = stored(project_id='shop', credentials='anonymous', bucket=None, endpoint_url=fakegcs)
    assert storage.bucket.name == 'filedepot-shop'


def test_without_bucket_and_project_both_are_told(fakegcs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('STORAGE_EMULATOR_HOST', fakegcs)
    with pytest.raises(ConfigurationError, match='set the option bucket, or project_id'):
        GCSStorage()


def test_a_missing_bucket_without_the_right_to_make_it_is_told() -> None:
    no_right = at('POST', r'^/storage/v1/b\?', refused(403, 'tests does not have storage.buckets.create access'))
    with google(no_right) as here, pytest.raises(ConfigurationError, match="no bucket 'any'.*storage.buckets.create"):
        GCSStorage('shop', 'anonymous', 'any', 'private', endpoint_url=here.url, **IMPATIENT)


def test_a_bucket_of_somebody_else_is_told() -> None:
    taken = at('POST', r'^/storage/v1/b\?', refused(409, 'already exists'))
    hidden = at('GET', '^/storage/v1/b/any', refused(403, 'no storage.buckets.get access'))
    for routes in ([hidden], [taken], [taken, hidden]):
        with google(*routes) as here, pytest.raises(ConfigurationError, match="'any'.*somebody else.*option bucket"):
            GCSStorage('shop', 'anonymous', 'any', 'private', endpoint_url=here.url, **IMPATIENT)


def test_the_rights_on_objects_are_enough(fakegcs: str) -> None:
    stored(project_id='shop', credentials='anonymous', endpoint_url=fakegcs)
    hidden = at('GET', r'^/storage/v1/b/configured(\?|$)', refused(403, 'no storage.buckets.get access'))
    unseen = at('GET', r'^/storage/v1/b/configured/iam', refused(403, 'no storage.buckets.getIamPolicy access'))
    with google(hidden, unseen, behind=fakegcs) as here:
        for policy in ('private', 'public-read'):
            stored(project_id='shop', credentials='anonymous', policy=policy, endpoint_url=here.url)
        assert not here.asked('POST', r'^/storage/v1/b\?')


def test_another_process_may_make_the_bucket_at_the_same_time(fakegcs: str) -> None:
    seen: list[Request] = []

    def missing_once(request: Request) -> Answer | None:
        if request.method == 'GET' and not seen:
            seen.append(request)
            return refused(404)
        return None

    stored(project_id='shop', credentials='anonymous', endpoint_url=fakegcs)
    with google(missing_once, behind=fakegcs) as here:
        stored(project_id='shop', credentials='anonymous', endpoint_url=here.url)
        assert len(here.asked('POST', r'^/storage/v1/b\?')) == 1


def test_an_endpoint_that_does_not_answer_is_told() -> None:
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        url = f'http://127.0.0.1:{silent.getsockname()[1]}'
        with pytest.raises(ConfigurationError, match='option endpoint_url'):
            GCSStorage('shop', 'anonymous', 'any', 'private', endpoint_url=url, timeout=0.2, retry_timeout=0.5)


def test_an_endpoint_where_nobody_is_is_told() -> None:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        url = f'http://127.0.0.1:{free.getsockname()[1]}'
        with pytest.raises(ConfigurationError, match='option endpoint_url'):
            GCSStorage('shop', 'anonymous', 'any', 'private', endpoint_url=url, **IMPATIENT)


@pytest.mark.parametrize('url', ['nonsense', 'http://', 'gopher://storage', 'localhost:4443', 5])
def test_an_endpoint_that_is_no_url_is_told(url: Any) -> None:
    with pytest.raises(ConfigurationError, match='endpoint_url'):
        GCSStorage('shop', 'anonymous', 'any', 'private', endpoint_url=url, **IMPATIENT)


@pytest.mark.parametrize('name', ['a bucket', 'UPPER', '-', '../up'])
def test_a_name_that_is_none_of_a_bucket_is_told(name: str) -> None:
    with (
        google(at('POST', '', refused(400, 'Invalid name'))) as here,
        pytest.raises(ConfigurationError, match='bucket'),
    ):
        GCSStorage('shop', 'anonymous', name, 'private', endpoint_url=here.url, **IMPATIENT)


@pytest.mark.parametrize('policy', ['public', 'PRIVATE', 'authenticated-read', 7])
def test_a_policy_other_than_the_two_is_told(policy: Any) -> None:
    with pytest.raises(WrongPolicy, match='public-read, private') as caught:
        GCSStorage(policy=policy)
    assert isinstance(caught.value, AssertionError)
    assert (CANNED_ACL_PUBLIC_READ, CANNED_ACL_PRIVATE) == ('public-read', 'private')


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('storage_class', 'CHEAP'),
        ('storage_class', 5),
        ('chunk_size', 0),
        ('chunk_size', 100_000),
        ('chunk_size', 'large'),
        ('url_expires', 0),
        ('url_expires', '-1'),
        ('url_expires', 8 * 24 * 3600),
        ('url_expires', 'never'),
        ('public_url', 'cdn.example.com'),
        ('public_url', 5),
        ('timeout', 0),
        ('timeout', 'long'),
        ('timeout', 'nan'),
        ('retry_timeout', -1),
        ('retry_timeout', 'inf'),
    ],
)
def test_a_wrong_value_is_told_with_its_option(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f'{option} = {value!r}|{option} = 0'):
        GCSStorage(**{option: value})


def test_settings_may_be_texts(fakegcs: str) -> None:
    settings = {
        'depot.backend': 'depot.io.gcs.GCSStorage',
        'depot.project_id': 'shop',
        'depot.credentials': 'anonymous',
        'depot.bucket': 'texts',
        'depot.policy': 'private',
        'depot.storage_class': 'nearline',
        'depot.prefix': 'files/',
        'depot.chunk_size': '262144',
        'depot.endpoint_url': fakegcs,
        'depot.url_expires': '60',
        'depot.timeout': '10',
        'depot.retry_timeout': '0',
    }
    storage = DepotManager.from_config(settings)
    assert isinstance(storage, GCSStorage)
    file_id = storage.create(b'content')
    assert storage.bucket.get_blob(f'files/{file_id}').storage_class == 'NEARLINE'
    storage.close()


def test_a_missing_package_is_told_with_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, 'google.cloud.storage', None)
    for name in [each for each in sys.modules if each.startswith(('depot.io.gcs', 'depot.io.googlecloud'))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BackendMissing, match=r"pip install 'filedepot\[gcs\]'"):
        DepotManager.from_config({'depot.backend': 'depot.io.gcs.GCSStorage'})
