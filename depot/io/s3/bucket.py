"""The bucket of a storage: found, or made, when the storage is configured."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..objects.keys import Keys
from .failures import MISSING, UNSUPPORTED, error_code, misconfigured

_MISSING = MISSING | {'NoSuchBucket'}

# What is answered where the bucket of another owner, which no list of ours has, was to be made.
_NOT_LISTED = frozenset({'AccessDenied', 'BucketAlreadyExists'})

# S3 API Reference, "CreateBucket": the one region that must not be named.
_UNNAMED_REGION = 'us-east-1'


class BucketDriver:
    """A bucket, and the objects in it, as boto3's resources."""

    def __init__(self, s3: Any, bucket: Any, prefix: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.prefix = prefix
        self._keys = Keys(prefix)

    def get_key(self, file_or_id: Any) -> Any:
        """The object of a file, its metadata loaded; None if there is none."""
        found = self.new_key(file_or_id)
        try:
            found.load()
        except ClientError as error:
            if error_code(error) in MISSING:
                return None
            raise
        return found

    def new_key(self, file_or_id: Any) -> Any:
        """The object of a file, whether there is one or not."""
        return self.bucket.Object(self._keys.key(file_or_id))

    def list_key_names(self) -> list[str]:
        """The keys below the prefix, those of other tools too."""
        return [each.key for each in self.bucket.objects.filter(Prefix=self.prefix)]


def ensure_bucket(client: Any, name: str, public: bool, region: str | None) -> None:
    """Makes the bucket unless it is there.

    ``public`` allows objects to be public by their ACL. Raises :class:`~depot.errors.ConfigurationError` for a
    bucket that cannot be used.
    """
    try:
        if not _exists(client, name):
            _create(client, name, public, region)
    except (ClientError, BotoCoreError) as error:
        raise misconfigured(error, f'use bucket {name!r}') from error


def _exists(client: Any, name: str) -> bool:
    try:
        return name in [each['Name'] for each in client.list_buckets()['Buckets']]
    except ClientError as error:
        if error_code(error) != 'AccessDenied':
            raise
    return _answers(client, name)


def _answers(client: Any, name: str) -> bool:
    """Whether there is a bucket that we may use."""
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error_code(error) in _MISSING:
            return False
        raise
    return True


def _create(client: Any, name: str, public: bool, region: str | None) -> None:
    place = {'LocationConstraint': region}
    options = {} if region in (None, '', _UNNAMED_REGION) else {'CreateBucketConfiguration': place}
    try:
        client.create_bucket(Bucket=name, ObjectOwnership='BucketOwnerPreferred', **options)
    except ClientError as error:
        if not _is_there_after_all(client, name, error_code(error)):
            raise
    else:
        if public:
            _allow_public_acls(client, name)


def _is_there_after_all(client: Any, name: str, code: str) -> bool:
    """Whether it could not be made because another process just did, or because an owner who lets us use it has it."""
    if code == 'BucketAlreadyOwnedByYou':
        return True
    if code not in _NOT_LISTED:
        return False
    try:
        return _answers(client, name)
    except ClientError:
        return False  # it is not ours; why it could not be made says more


def _allow_public_acls(client: Any, name: str) -> None:
    # New buckets refuse them since 2023 (S3 User Guide, "Blocking public access to your Amazon S3 storage").
    blocked = {
        'BlockPublicAcls': False,
        'IgnorePublicAcls': False,
        'BlockPublicPolicy': True,
        'RestrictPublicBuckets': True,
    }
    try:
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    except ClientError as error:
        if error_code(error) not in UNSUPPORTED:  # a server of another make blocks nothing
            raise
