"""Derived files in buckets: what is left where, and what finds it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from depot.errors import FileMissing, StorageFailure
from depot.io.contract.samples import SAMPLE, FarFile
from depot.io.gcs import GCSStorage
from depot.io.objects import derived as rules

from ..services.storages import KINDS

SOON = timedelta(hours=1)


@pytest.fixture(params=['moto', 'seaweedfs', 'fakegcs'])
def storage(request: pytest.FixtureRequest) -> Any:
    return KINDS[request.param](request)


@pytest.fixture
def moto_storage(request: pytest.FixtureRequest) -> Any:
    return KINDS['moto'](request)


def keys(storage: Any) -> set[str]:
    """All keys of the storage, whatever they are, without its prefix."""
    prefix = storage._keys.prefix
    if isinstance(storage, GCSStorage):
        return {each.name[len(prefix) :] for each in storage.client.list_blobs(storage.bucket, prefix=prefix)}
    found = storage._requests('list_objects_v2', Prefix=prefix)
    return {each['Key'][len(prefix) :] for each in found.get('Contents', ()) if not each['Key'].endswith('/')}


def remove(storage: Any, file_id: str) -> None:
    """Removes a file, and what is derived from it stays: as a delete that was cut off."""
    if isinstance(storage, GCSStorage):
        storage._derived.delete_object(storage._keys.key(file_id))
    else:
        storage._requests('delete_object', storage._keys.key(file_id))


def soon() -> datetime:
    return datetime.now(timezone.utc) + SOON


def with_derived(storage: Any, *names: str) -> str:
    file_id: str = storage.create(SAMPLE, 'original.bin')
    for name in names:
        storage.put_derived(file_id, name, b'small')
    return file_id


def test_it_lies_under_the_id_and_the_version_of_its_original(storage: Any) -> None:
    file_id = with_derived(storage, 'key')
    original, derived = sorted(keys(storage))
    assert original == file_id
    assert derived.startswith(f'derived/{file_id}/')
    assert derived.endswith('/key')
    assert derived.count('/') == 3


@pytest.mark.parametrize(
    'go',
    [
        lambda storage, file_id: storage.delete(file_id),
        lambda storage, file_id: storage.delete_many([file_id]),
        lambda storage, file_id: storage.delete_derived(file_id),
        lambda storage, file_id: storage.replace(file_id, b'new'),
        lambda storage, file_id: storage.replace(file_id, FarFile(file_id, b'elsewhere')),
    ],
    ids=['delete', 'delete_many', 'delete_derived', 'replace', 'copy'],
)
def test_nothing_of_it_is_left_in_the_bucket(storage: Any, go: Any) -> None:
    other, file_id = with_derived(storage, 'a'), with_derived(storage, 'a', 'b')
    left = {each for each in keys(storage) if other in each}
    go(storage, file_id)
    assert {each for each in keys(storage) if 'derived' in each or other in each} == left


def test_what_comes_late_is_removed_again(storage: Any) -> None:
    file_id = with_derived(storage)

    def content() -> Iterator[bytes]:
        yield b'small'
        storage.delete(file_id)

    with pytest.raises(FileMissing):
        storage.put_derived(file_id, 'key', content())
    assert keys(storage) == set()


def test_what_a_cut_off_delete_left_is_removed_by_the_next(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, many = with_derived(storage, 'a'), [with_derived(storage, 'a', 'b') for _ in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(storage._derived, '_page', functools.partial(_fail, StorageFailure('no route to host')))
        with pytest.raises(StorageFailure, match='no route'):
            storage.delete(one)
        assert {*storage.delete_many(many)} == {*many}
    assert storage.list() == []
    assert len(keys(storage)) == 7
    storage.delete(one)
    assert storage.delete_many(many) == {}
    assert keys(storage) == set()


def _fail(error: Exception, *_: Any) -> Any:
    raise error


def test_what_a_crash_left_is_found_by_clean_when_it_is_old(storage: Any) -> None:
    kept, deleted = with_derived(storage, 'a'), with_derived(storage, 'a', 'b')
    live = keys(storage) - {each for each in keys(storage) if deleted in each}
    remove(storage, deleted)
    with pytest.raises(FileMissing):
        storage.get_derived(deleted, 'a')
    left = keys(storage) - live
    assert len(left) == 2
    assert storage.clean(datetime.now(timezone.utc) - SOON) == []
    prefix = storage._keys.prefix
    assert sorted(storage.clean(soon(), dry_run=True)) == sorted(f'{prefix}{each}' for each in left)
    assert keys(storage) - live == left
    assert sorted(storage.clean(soon().replace(tzinfo=None))) == sorted(f'{prefix}{each}' for each in left)
    assert keys(storage) == live
    assert storage.get_derived(kept, 'a').read() == b'small'


def test_what_was_derived_from_another_content_is_never_found_and_goes(
    storage: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file_id = with_derived(storage, 'a')
    with monkeypatch.context() as patch:
        patch.setattr(storage._derived, '_page', functools.partial(_fail, StorageFailure('no route to host')))
        storage.replace(file_id, b'new')
    assert 'no route to host' in caplog.text
    assert storage.get(file_id).read() == b'new'
    with pytest.raises(FileMissing):
        storage.get_derived(file_id, 'a')
    storage.put_derived(file_id, 'a', b'of the new')
    assert len(keys(storage)) == 3
    assert len(storage.clean(soon())) == 1
    assert len(keys(storage)) == 2
    assert storage.get_derived(file_id, 'a').read() == b'of the new'


def test_a_few_are_found_among_many(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, 'FEW', 2)
    monkeypatch.setattr(rules, 'MANY', 3)
    ids = [with_derived(storage, *names) for names in ['', 'a', 'ab', 'abcde', '', 'a', 'abcd', '', 'ab', 'a']]
    gone, kept = ids[1:8:2], {*ids[0:8:2], *ids[8:]}
    assert storage.delete_many(gone) == {}
    left = keys(storage)
    assert not [each for each in left if any(file_id in each for file_id in gone)]
    assert len(left) == len(kept) + 2 + 0 + 4 + 2 + 1
    for each in ids[2], ids[8]:
        remove(storage, each)
    assert len(storage.clean(soon())) == 4
    assert len(keys(storage)) == len(kept) - 2 + 0 + 4 + 1


def test_what_is_derived_costs_a_listing_of_files_nothing(storage: Any) -> None:
    file_ids = sorted(with_derived(storage, 'a', 'b', 'c') for _ in range(4))
    assert storage.list() == file_ids
    assert [*storage.iter_ids(after=file_ids[1])] == file_ids[2:]


def test_that_there_are_none_is_believed_for_a_minute(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = rules.Derived(*(getattr(storage._derived, name) for name in ('_keys', '_page', '_remove', '_tag')))
    asked: list[Any] = []
    page = elsewhere._page
    monkeypatch.setattr(elsewhere, '_page', lambda *place: (asked.append(place), page(*place))[1])
    for _ in range(3):
        elsewhere.clear([storage.create(SAMPLE)])
    assert len(asked) == 1
    monkeypatch.setattr(elsewhere, '_look_again', 0)
    file_id = with_derived(storage, 'a')
    elsewhere.clear([file_id])
    assert keys(storage) >= {file_id}
    assert not [each for each in keys(storage) if each.startswith('derived/')]


def test_who_may_not_list_may_delete(moto_storage: Any) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({'Error': {'Code': 'AccessDenied', 'Message': 'no'}}, 'ListObjectsV2')

    one, *many = (moto_storage.create(SAMPLE) for _ in range(3))
    events = moto_storage._requests.client.meta.events
    events.register('before-call.s3.ListObjectsV2', refuse)
    moto_storage.delete(one)
    assert moto_storage.delete_many(many) == {}
    events.unregister('before-call.s3.ListObjectsV2', refuse)
    assert keys(moto_storage) == set()


def test_what_fails_while_all_are_cleaned_is_told(moto_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = with_derived(moto_storage, 'a', 'b')
    remove(moto_storage, file_id)
    with monkeypatch.context() as patch:
        patch.setattr(moto_storage._derived, '_remove', lambda keys: {keys[0]: StorageFailure('SlowDown')})
        with pytest.raises(StorageFailure, match='could not be removed'):
            moto_storage.clean(soon())
    assert len(moto_storage.clean(soon())) == 2
    assert keys(moto_storage) == set()


def test_what_is_derived_from_a_public_file_is_not_public(moto: None) -> None:
    from depot.io.boto3 import S3Storage

    storage = S3Storage('Test', 'test', policy='public-read')
    file_id = with_derived(storage, 'a')
    public = {}
    for each in keys(storage):
        grants = storage._requests('get_object_acl', each)['Grants']
        public[each] = any('AllUsers' in grant['Grantee'].get('URI', '') for grant in grants)
    assert public == {each: each == file_id for each in keys(storage)}


def test_a_large_one_is_sent_in_parts_and_its_upload_is_cleaned(moto_storage: Any) -> None:
    file_id = with_derived(moto_storage)
    content = SAMPLE * 1000
    moto_storage.put_derived(file_id, 'large', content)
    with moto_storage.get_derived(file_id, 'large') as file:
        assert (file.content_length, file.read() == content) == (len(content), True)
        with file.open_range(10, 20) as part:
            assert part.read() == content[10:20]
    [key] = keys(moto_storage) - {file_id}
    moto_storage._requests('create_multipart_upload', key)
    [cleaned] = moto_storage.clean(soon())
    assert cleaned.startswith(key)


def test_what_is_derived_from_a_file_that_stays_stays(moto_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file_ids = [with_derived(moto_storage, 'a') for _ in range(2)]
    stays = moto_storage._keys.key(file_ids[0])
    call = type(moto_storage._requests).__call__

    def refuse(self: Any, operation: str, key: str | None = None, **params: Any) -> Any:
        if operation != 'delete_objects' or all(each['Key'] != stays for each in params['Delete']['Objects']):
            return call(self, operation, key, **params)
        return {'Errors': [{'Key': stays, 'Code': 'AccessDenied', 'Message': 'locked'}]}

    with monkeypatch.context() as patch:
        patch.setattr(type(moto_storage._requests), '__call__', refuse)
        assert [*moto_storage.delete_many(file_ids)] == file_ids[:1]
    assert moto_storage.get_derived(file_ids[0], 'a').read() == b'small'


def test_what_is_deleted_by_itself_is_looked_for_at_once(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.delete(storage.create(SAMPLE))  # since then it is believed that there are none
    file_id = with_derived(storage, 'a')
    monkeypatch.setattr(storage._derived, '_used', False)  # as in another process
    storage.delete_derived(file_id)
    assert keys(storage) == {file_id}
