"""The options of the S3 storage, checked before any request: values, or the texts of a settings file."""

from __future__ import annotations

import base64
import contextlib
from typing import Any, NamedTuple

from botocore.config import Config

from ...errors import ConfigurationError, WrongPolicy
from ..utils import flag

CANNED_ACL_PUBLIC_READ = 'public-read'
CANNED_ACL_PRIVATE = 'private'
POLICIES = (CANNED_ACL_PUBLIC_READ, CANNED_ACL_PRIVATE)
#: S3 User Guide, "Access control list (ACL) overview": those that an object can have.
CANNED_ACLS = (
    CANNED_ACL_PRIVATE,
    CANNED_ACL_PUBLIC_READ,
    'public-read-write',
    'authenticated-read',
    'aws-exec-read',
    'bucket-owner-read',
    'bucket-owner-full-control',
)
ADDRESSING_STYLES = ('auto', 'path', 'virtual')
ENCRYPTIONS = ('AES256', 'aws:kms', 'aws:kms:dsse')

#: Signature version 4 lets a URL live for a week (S3 API Reference, "Authenticating Requests: Using Query Parameters").
LONGEST_EXPIRY = 7 * 24 * 3600

#: Bytes: the smallest and the largest part (S3 User Guide, "Amazon S3 multipart upload limits").
SMALLEST_PART = 5 * 1024 * 1024
LARGEST_PART = 5 * 1024 * 1024 * 1024

_KEY_SIZE = 32  # of AES-256, in bytes


class Transfer(NamedTuple):
    """How large contents are sent."""

    #: Bytes up to which a content is sent by one request.
    threshold: int
    #: Bytes of a part.
    part_size: int
    #: So many parts are on their way at a time.
    concurrency: int


def checked_policy(policy: str | None) -> str:
    """The policy, by default the public one; raises :class:`~depot.errors.WrongPolicy` for any other."""
    policy = policy or CANNED_ACL_PUBLIC_READ
    if policy not in POLICIES:
        raise WrongPolicy(f'policy = {policy!r} is none; choose from {", ".join(POLICIES)}')
    return policy


def checked_acl(acl: str | bool | None, policy: str) -> str | None:
    """The ACL that objects are given: the policy's own, another canned one, or none."""
    if acl is None:
        return policy
    with contextlib.suppress(ConfigurationError):
        return policy if flag('acl', acl) else None
    if acl not in ('none', *CANNED_ACLS):
        raise ConfigurationError(f'acl = {acl!r} is none; choose from false, {", ".join(CANNED_ACLS)}')
    return None if acl == 'none' else str(acl)


def checked_url(name: str, url: Any) -> None:
    """Refuses what is no URL, or one whose password would be in the URLs of files, and in messages."""
    if not url:
        return
    if not isinstance(url, str) or not url.lower().startswith(('http://', 'https://')):
        raise ConfigurationError(f'{name} = {url!r} is none; it looks like https://files.example.com')
    if '@' in url.split('/')[2]:  # never shown: there is a secret in it
        raise ConfigurationError(f'{name} holds credentials; they belong into access_key_id and secret_access_key')


def checked_transfer(threshold: Any, part_size: Any, concurrency: Any) -> Transfer:
    """How large contents are sent."""
    return Transfer(
        whole_number('multipart_threshold', threshold, 0, LARGEST_PART),
        whole_number('multipart_chunksize', part_size, SMALLEST_PART, LARGEST_PART),
        whole_number('max_concurrency', concurrency, 1, 1000),
    )


def whole_number(name: str, value: Any, lowest: int, highest: int) -> int:
    """A number, which in a settings file is a text."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = lowest - 1
    if not lowest <= number <= highest:
        raise ConfigurationError(f'{name} = {value!r} is no whole number from {lowest} to {highest}')
    return number


def encryption_headers(encryption: str | None, kms_key_id: str | None) -> dict[str, str]:
    """What asks the server to encrypt with its own key, or with one of KMS."""
    if kms_key_id and not encryption:
        encryption = 'aws:kms'
    if encryption is not None and encryption not in ENCRYPTIONS:
        raise ConfigurationError(f'encryption = {encryption!r} is none; choose from {", ".join(ENCRYPTIONS)}')
    if kms_key_id and encryption == 'AES256':
        raise ConfigurationError("encryption = 'AES256' uses a key of S3's own; leave kms_key_id out, or use aws:kms")
    headers = {'ServerSideEncryption': encryption, 'SSEKMSKeyId': kms_key_id}
    return {name: value for name, value in headers.items() if value}


def customer_key_headers(customer_key: bytes | str | None) -> dict[str, Any]:
    """What goes with every request for an object that is encrypted with the application's own key."""
    if not customer_key:
        return {}
    key = customer_key if isinstance(customer_key, bytes) else _decoded(customer_key)
    if len(key) != _KEY_SIZE:  # never shown: it is a secret
        raise ConfigurationError(f'customer_key has {len(key)} bytes; it needs {_KEY_SIZE}, as bytes or in Base64')
    return {'SSECustomerAlgorithm': 'AES256', 'SSECustomerKey': key}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise ConfigurationError('customer_key is no Base64; it needs 32 bytes, as bytes or in Base64') from None


def client_config(
    addressing_style: str | None, connect_timeout: Any, read_timeout: Any, retries: Any, concurrency: int
) -> Config | None:
    """botocore's configuration; None where nothing differs from its defaults."""
    if addressing_style is not None and addressing_style not in ADDRESSING_STYLES:
        raise ConfigurationError(
            f'addressing_style = {addressing_style!r} is none; choose from {", ".join(ADDRESSING_STYLES)}'
        )
    given = {
        's3': None if addressing_style is None else {'addressing_style': addressing_style},
        'connect_timeout': _seconds('connect_timeout', connect_timeout),
        'read_timeout': _seconds('read_timeout', read_timeout),
        'retries': None if retries is None else {'max_attempts': whole_number('retries', retries, 0, 100)},
        # Each connection that is not kept is a handshake more; botocore keeps ten.
        'max_pool_connections': concurrency if concurrency > 10 else None,
    }
    options = {name: value for name, value in given.items() if value is not None}
    return Config(**options) if options else None


def _seconds(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0
    if not 0 < seconds < float('inf'):
        raise ConfigurationError(f'{name} = {value!r} is no number of seconds above 0')
    return seconds
