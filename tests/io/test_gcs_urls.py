"""Google Cloud Storage: URLs at which clients fetch files from Google itself."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from depot.errors import ConfigurationError
from depot.io.gcs import GCSStorage

from .google import ACCOUNT, KEY, TOKEN, Answer, Google, Request, at, google, refused

#: Seconds by which the clock may go on while a test runs.
A_WHILE = 60


class Signed:
    """A signed URL, whose signature was verified with the account's public key, as Google does it.

    Cloud Storage, "V4 signing process" and "Canonical requests".
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.path = parts.netloc, parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        signature = bytes.fromhex(self.query['X-Goog-Signature'])
        KEY.public_key().verify(signature, self._text().encode(), PKCS1v15(), SHA256())

    def _text(self) -> str:
        assert self.query['X-Goog-Algorithm'] == 'GOOG4-RSA-SHA256'
        account, scope = self.query['X-Goog-Credential'].split('/', 1)
        assert account == ACCOUNT
        digest = hashlib.sha256(self._canonical_request().encode()).hexdigest()
        return '\n'.join([self.query['X-Goog-Algorithm'], self.query['X-Goog-Date'], scope, digest])

    def _canonical_request(self) -> str:
        pairs = sorted((name, value) for name, value in self.query.items() if name != 'X-Goog-Signature')
        query = '&'.join(f'{quote(name, safe="~")}={quote(value, safe="~")}' for name, value in pairs)
        return f'GET\n{self.path}\n{query}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD'

    @property
    def expires_in(self) -> float:
        """Seconds from now."""
        signed = datetime.strptime(self.query['X-Goog-Date'], '%Y%m%dT%H%M%SZ').replace(tzinfo=timezone.utc)
        return (signed + timedelta(seconds=int(self.query['X-Goog-Expires'])) - datetime.now(timezone.utc)).seconds


@pytest.fixture
def here(fakegcs: str) -> Iterator[Google]:
    with google(TOKEN, behind=fakegcs) as server:
        yield server


MakeGCS = Callable[..., GCSStorage]


@pytest.fixture
def make(here: Google, request: pytest.FixtureRequest) -> MakeGCS:
    """Makes storages with the key of an account."""

    def made(**options: Any) -> GCSStorage:
        given = {'credentials': here.account(), 'bucket': 'urls', 'policy': 'private', 'endpoint_url': here.url}
        storage = GCSStorage(**{**given, **options})
        request.addfinalizer(storage.close)
        return storage

    return made


def test_a_private_file_has_a_url_that_is_signed_and_expires(make: MakeGCS, here: Google) -> None:
    storage = make(prefix='a folder/')
    file_id = storage.create(b'content')
    with storage.get(file_id) as file:
        assert file.public_url is not None
        signed = Signed(file.public_url)
        assert file.public_url_expires is True
    assert f'http://{signed.host}' == here.url
    assert signed.path == f'/urls/a%20folder/{file_id}'
    assert 3600 - A_WHILE < signed.expires_in <= 3600


def test_how_long_it_works_is_an_option_and_an_argument(make: MakeGCS) -> None:
    storage = make(url_expires='600')
    file_id = storage.create(b'content')
    assert 600 - A_WHILE < Signed(storage.url(file_id) or '').expires_in <= 600
    assert Signed(storage.url(file_id, expires=120) or '').query['X-Goog-Expires'] == '120'


@pytest.mark.parametrize(
    ('asked', 'given'), [(0, 1), (-5, 1), (1.5, 2), (1e9, 7 * 24 * 3600), (math.inf, 7 * 24 * 3600)]
)
def test_a_time_that_google_does_not_sign_for_becomes_one_that_it_does(asked: float, given: int, make: MakeGCS) -> None:
    storage = make()
    url = storage.url(storage.create(b'content'), expires=asked)
    assert Signed(url or '').query['X-Goog-Expires'] == str(given)


def test_name_disposition_and_type_are_signed_with_it(make: MakeGCS) -> None:
    storage = make()
    file_id = storage.create(b'content', 'stored.txt')
    url = storage.url(file_id, filename='žluť.pdf', disposition='attachment', content_type='application/pdf')
    query = Signed(url or '').query
    assert query['response-content-type'] == 'application/pdf'
    assert query['response-content-disposition'].startswith('attachment;filename="zlut.pdf";')
    only = Signed(storage.url(file_id, disposition='attachment') or '').query['response-content-disposition']
    assert only.startswith('attachment;filename="stored.txt";')
    named = Signed(storage.url(file_id, filename='other.txt') or '').query['response-content-disposition']
    assert named.startswith('inline;filename="other.txt";')


def test_the_test_notices_another_signature(make: MakeGCS) -> None:
    storage = make()
    url = storage.url(storage.create(b'content'), filename='one.txt') or ''
    with pytest.raises(InvalidSignature):
        Signed(url.replace('one.txt', 'two.txt'))


def test_credentials_that_cannot_sign_give_no_url(make: MakeGCS) -> None:
    storage = make(credentials='anonymous', project_id='shop')
    file_id = storage.create(b'content')
    assert storage.get(file_id).public_url is None
    assert storage.url(file_id, expires=60) is None
    assert storage.url(file_id, filename='other.txt') is None


def test_a_public_file_has_a_plain_url(make: MakeGCS, here: Google) -> None:
    storage = make(policy='public-read', prefix='a folder/')
    file_id = storage.create(b'content')
    with storage.get(file_id) as file:
        assert file.public_url == storage.url(file_id) == f'{here.url}/urls/a%20folder/{file_id}'
        assert file.public_url_expires is False


@pytest.mark.parametrize('policy', ['public-read', 'private'])
def test_files_have_a_plain_url_below_that_of_a_cdn(policy: str, make: MakeGCS) -> None:
    storage = make(policy=policy, prefix='a folder/', public_url='https://cdn.example.com/')
    file_id = storage.create(b'content')
    assert storage.url(file_id) == f'https://cdn.example.com/a%20folder/{file_id}'
    assert storage.get(file_id).public_url_expires is False


def test_a_public_file_has_a_signed_url_where_the_answer_shall_differ(make: MakeGCS) -> None:
    storage = make(policy='public-read')
    file_id = storage.create(b'content')
    assert Signed(storage.url(file_id, content_type='text/plain') or '').query['response-content-type'] == 'text/plain'


class Policies:
    """The policies of one bucket, which fake-gcs-server knows nothing of."""

    def __init__(self) -> None:
        self.bindings: list[dict[str, Any]] = []
        self.written = 0

    def __call__(self, request: Request) -> Answer | None:
        if '/iam?' not in request.path:
            return None
        if request.method == 'PUT':
            self.bindings = request.json()['bindings']
            self.written += 1
        return Answer(200, {'version': 3, 'etag': 'CAE=', 'bindings': self.bindings})


def public(here: Google) -> GCSStorage:
    return GCSStorage('shop', 'anonymous', 'public', endpoint_url=here.url, retry_timeout=0)


def test_a_public_bucket_s_policy_is_written_once(fakegcs: str) -> None:
    policies = Policies()
    policies.bindings.append({'role': 'roles/storage.admin', 'members': ['user:owner@shop']})
    with google(policies, behind=fakegcs) as here:
        for _ in range(3):
            public(here).close()
    assert policies.written == 1
    assert policies.bindings == [
        {'role': 'roles/storage.admin', 'members': ['user:owner@shop']},
        {'role': 'roles/storage.objectViewer', 'members': ['allUsers']},
    ]


def test_a_private_bucket_s_policy_is_not_even_asked_for(fakegcs: str) -> None:
    with google(Policies(), behind=fakegcs) as here:
        GCSStorage('shop', 'anonymous', 'public', 'private', endpoint_url=here.url).close()
        assert not [each for each in here.requests if '/iam' in each.path]


def test_members_may_be_let_read_a_bucket(fakegcs: str) -> None:
    policies = Policies()
    with google(policies, behind=fakegcs) as here:
        storage = GCSStorage('shop', 'anonymous', 'public', 'private', endpoint_url=here.url)
        for members in (['user:a@shop'], ['user:a@shop', 'user:b@shop'], ['user:b@shop']):
            storage.set_bucket_public_iam(storage.bucket, members)
        storage.close()
    assert [each['members'] for each in policies.bindings] == [['user:a@shop'], ['user:b@shop']]
    assert policies.written == 2


def test_a_bucket_that_may_not_be_public_is_told(fakegcs: str) -> None:
    prevented = at('PUT', '/iam', refused(412, 'public access prevention is enforced'))
    told = pytest.raises(ConfigurationError, match='public access prevention.*policy = private')
    with google(prevented, Policies(), behind=fakegcs) as here, told:
        public(here)
