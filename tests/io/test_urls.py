"""The URLs of storages: what each part means, and that no error repeats a password."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from depot.errors import BackendMissing, ConfigurationError, WrongOption
from depot.io.urls import SCHEMES, parsed

S3 = 'depot.io.boto3.S3Storage'
GCS = 'depot.io.gcs.GCSStorage'
GRIDFS = 'depot.io.gridfs.GridFSStorage'
LOCAL = 'depot.io.local.LocalFileStorage'
MEMORY = 'depot.io.memory.MemoryFileStorage'

TEXT = st.text(st.characters(exclude_categories=['Cs']), min_size=1)


@pytest.mark.parametrize(
    ('url', 'backend', 'options'),
    [
        ('s3://files', S3, {'bucket': 'files'}),
        ('s3://files/', S3, {'bucket': 'files'}),
        ('S3://files', S3, {'bucket': 'files'}),
        ('s3://Files', S3, {'bucket': 'Files'}),
        ('s3://files/a', S3, {'bucket': 'files', 'prefix': 'a/'}),
        ('s3://files/a/b/', S3, {'bucket': 'files', 'prefix': 'a/b/'}),
        ('s3://files?prefix=a-', S3, {'bucket': 'files', 'prefix': 'a-'}),
        ('s3://files?region=eu-west-1', S3, {'bucket': 'files', 'region_name': 'eu-west-1'}),
        ('s3://files?region_name=eu-west-1', S3, {'bucket': 'files', 'region_name': 'eu-west-1'}),
        ('s3://files?endpoint=http://[::1]:80/x', S3, {'bucket': 'files', 'endpoint_url': 'http://[::1]:80/x'}),
        ('s3://files?policy=private&', S3, {'bucket': 'files', 'policy': 'private'}),
        ('s3://files?prefix=', S3, {'bucket': 'files', 'prefix': ''}),
        ('s3://k:s@files', S3, {'access_key_id': 'k', 'secret_access_key': 's', 'bucket': 'files'}),
        ('s3://k:a%2Fb+c@files', S3, {'access_key_id': 'k', 'secret_access_key': 'a/b+c', 'bucket': 'files'}),
        ('s3://arn%3Aaws%3As3', S3, {'bucket': 'arn:aws:s3'}),
        ('gs://files/a?project=shop', GCS, {'bucket': 'files', 'prefix': 'a/', 'project_id': 'shop'}),
        ('gs://files?endpoint=http://h:1', GCS, {'bucket': 'files', 'endpoint_url': 'http://h:1'}),
        ('gs://files?credentials=/etc/key.json', GCS, {'bucket': 'files', 'credentials': '/etc/key.json'}),
        ('file:///var/files', LOCAL, {'storage_path': '/var/files'}),
        ('file://localhost/var/files', LOCAL, {'storage_path': '/var/files'}),
        ('file:/var/files', LOCAL, {'storage_path': '/var/files'}),
        ('file:var/files', LOCAL, {'storage_path': 'var/files'}),
        ('file:./files', LOCAL, {'storage_path': './files'}),
        ('file:../my files', LOCAL, {'storage_path': '../my files'}),
        ('file:///a+b?durable=false', LOCAL, {'storage_path': '/a+b', 'durable': 'false'}),
        ('memory://', MEMORY, {}),
        ('memory:', MEMORY, {}),
        ('memory://?private=true&cache=no-store', MEMORY, {'private': 'true', 'cache': 'no-store'}),
    ],
)
def test_a_url_means_a_backend_and_options(url: str, backend: str, options: dict[str, str]) -> None:
    assert parsed(url) == (backend, options)


@pytest.mark.parametrize(
    ('url', 'options'),
    [
        ('mongodb://host/db', {'mongouri': 'mongodb://host/db'}),
        ('mongodb://u:p%40@a:1,b:2/db?w=1&tls=true', {'mongouri': 'mongodb://u:p%40@a:1,b:2/db?w=1&tls=true'}),
        ('mongodb://host/db?collection=a+b', {'mongouri': 'mongodb://host/db', 'collection': 'a b'}),
        (
            'mongodb+srv://host/db?w=1&collection=a&tls=true',
            {'mongouri': 'mongodb+srv://host/db?w=1&tls=true', 'collection': 'a'},
        ),
    ],
)
def test_what_is_ours_is_taken_out_of_the_address_of_mongodb(url: str, options: dict[str, str]) -> None:
    pytest.importorskip('pymongo', reason='pip install pymongo')
    assert parsed(url) == (GRIDFS, options)


@pytest.mark.parametrize(
    ('query', 'message'),
    [
        ('colection=files', 'Unknown option: colection.*; ours are: collection, private, cache, delivery'),
        ('collection=files&tls=perhaps', 'tls must be .*true'),
        ('w', 'key=value'),
    ],
)
def test_what_is_neither_ours_nor_mongodb_s_is_refused(query: str, message: str) -> None:
    pytest.importorskip('pymongo', reason='pip install pymongo')
    with pytest.raises(WrongOption, match=message):
        parsed(f'mongodb://host/db?{query}')


@pytest.mark.parametrize('query', ['privat=true', 'private=true&storage_path=files', 'options=1'])
def test_the_memory_has_no_options_but_those_of_every_storage(query: str) -> None:
    with pytest.raises(WrongOption, match="memory: .*'(privat|storage_path|options)'; .*: private, cache, delivery$"):
        parsed(f'memory://?{query}')


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
@example('AKIA', 'a/b+c%2Fd', 'files', 'a b/ä?#@:', '+&=;%')
def test_any_text_can_be_part_of_a_bucket_s_url(key: str, secret: str, bucket: str, folder: str, region: str) -> None:
    user, where = f'{quote(key, "")}:{quote(secret, "")}', f'{quote(bucket, "")}/{quote(folder)}'
    _, options = parsed(f's3://{user}@{where}?region={quote_plus(region)}')
    assert options.pop('prefix') == (folder if folder.endswith('/') else f'{folder}/')
    assert options == {
        'access_key_id': key,
        'secret_access_key': secret,
        'bucket': bucket,
        'region_name': region,
    }


@given(st.binary(min_size=1).filter(lambda path: not path.startswith(b'//')))
@example(b'\xff/a?b#c%20')
def test_any_path_can_be_that_of_a_file_url(path: bytes) -> None:
    _, options = parsed(f'file:{quote(path)}')
    assert os.fsencode(options['storage_path']) == path


@given(TEXT, TEXT)
@example('a+b', 'c&d=e')
def test_any_option_can_be_given_by_any_name(name: str, value: str) -> None:
    assume(name != 'storage_path')
    backend, options = parsed(f'file:files?{quote_plus(name)}={quote_plus(value)}')
    assert (backend, options) == (LOCAL, {'storage_path': 'files', name: value})


@pytest.mark.parametrize('url', ['tape://files', 'http://bucket', 'files', './files', '', None, 3, '://', 'a b://c'])
def test_an_unknown_scheme_is_refused_with_those_that_work(url: Any) -> None:
    with pytest.raises(
        BackendMissing, match='choose from s3, gs, mongodb, mongodb.srv, file, memory .*file:path'
    ) as no:
        parsed(url)
    assert all(each in str(no.value) for each in SCHEMES)


@pytest.mark.parametrize(
    ('url', 'message'),
    [
        ('s3:', 'a URL of s3: it names no bucket; one looks like s3://bucket/folder'),
        ('s3:///folder', 'it names no bucket'),
        ('gs://?project=shop', 'it names no bucket; one looks like gs://bucket/folder'),
        ('s3://bucket:9000/', r'a bucket has no port, the server is named as \?endpoint='),
        ('s3://key@bucket', 'half of the credentials; they look like KEY:SECRET@bucket'),
        ('s3://:secret@bucket', 'half of the credentials'),
        ('s3://key:a:b@bucket', 'is percent-encoded: %2F'),
        ('gs://somebody@bucket', 'no user stands before the bucket; name a file with credentials'),
        ('file:', 'it names no folder; one looks like file:///path'),
        ('file://', 'it names no folder'),
        ('file://files', 'it names a host; one looks like file:///path, or file:path'),
        ('file://./files', 'it names a host'),
        ('file://me@localhost/files', 'it names a host'),
        ('memory://files', 'there is one memory'),
        ('memory:files', 'there is one memory'),
        ('memory://me@', 'there is one memory'),
        ('mongodb:///db', 'it names no host; one looks like mongodb://host/database'),
        ('s3://bucket/a#b', 'a # in it is written as %23'),
        ('file:///50%', 'a % in it is written as %25'),
        ('file:///a\nb', 'control characters are encoded'),
        ('s3://bucket/%ff', 'is not UTF-8'),
    ],
)
def test_what_is_no_url_of_a_storage_is_refused_with_what_would_work(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parsed(url)


@pytest.mark.parametrize(
    ('url', 'name'),
    [
        ('s3://bucket?region=a&region=b', 'region_name'),
        ('s3://bucket?region=a&region_name=b', 'region_name'),
        ('s3://bucket/folder?prefix=other', 'prefix'),
        ('s3://a:b@bucket?access_key_id=c', 'access_key_id'),
        ('file:files?storage_path=other', 'storage_path'),
    ],
)
def test_an_option_is_given_once(url: str, name: str) -> None:
    with pytest.raises(WrongOption, match=f'{name} is given twice'):
        parsed(url)


@pytest.mark.parametrize(
    'url',
    [
        's3://key:s3c/ret@bucket',
        's3://key:s3c?ret@bucket',
        's3://key:s3c#ret@bucket',
        's3://key:s3c:ret@bucket',
        's3://key:s3c@ret@bucket',
        's3://key:s3c%ret@bucket',
        's3://key:s3c%ffret@bucket',
        's3://key:s3c%20ret@',
        's3://:s3c-ret@bucket',
        's3://bucket?secret_access_key=s3c&secret_access_key=ret',
        'gs://key:s3c-ret@bucket',
        'mongodb://user:s3c/ret@host/db',
        'mongodb://user:s3c?ret@host/db',
        'mongodb://user:s3c-ret@/db',
        'tape://key:s3c-ret@bucket',
        'key=s3c://ret',
        'file://key:s3c-ret@/files',
        'memory://key:s3c-ret@files',
    ],
)
def test_no_error_repeats_a_secret(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(url)
    error: BaseException | None = refused.value
    while error is not None:
        assert 's3c' not in str(error)
        assert 'ret' not in str(error).replace('secret', '')
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
