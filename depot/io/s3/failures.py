"""What the server answers in place of doing it, and what to change then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from ...errors import ConfigurationError, StorageFailure

#: Codes for an object or an upload that is not there; an answer to a HEAD has no body, so its status is its code.
MISSING = frozenset({'404', 'NoSuchKey', 'NotFound', 'NoSuchUpload'})

#: Codes for a condition that does not hold, or that another writer made undecidable.
CONFLICT = frozenset({'412', 'PreconditionFailed', '409', 'ConditionalRequestConflict'})

#: Codes for what only some servers can do.
UNSUPPORTED = frozenset({'501', 'NotImplemented', 'MethodNotAllowed', '405'})

#: Codes for what the user of the credentials may not do.
FORBIDDEN = frozenset({'403', 'AccessDenied', 'AllAccessDisabled'})

_OF_SERVER = frozenset(
    {'500', '502', '503', '504', 'InternalError', 'ServiceUnavailable', 'SlowDown', 'RequestTimeout'}
)

_RIGHTS = 'check access_key_id and secret_access_key, and the rights of their user (see docs/s3.rst)'
_CREDENTIALS = 'change access_key_id and secret_access_key'
_REGION = "set region_name to the bucket's region"

_ADVICE: Mapping[str, str] = {
    '301': _REGION,
    '400': f'{_REGION}, renew the credentials if they have expired, or give the customer_key it was stored with',
    '403': f'{_RIGHTS}, or give the customer_key it was stored with',
    'AccessControlListNotSupported': 'set acl to false: the bucket takes no ACL',
    'AccessDenied': _RIGHTS,
    'AllAccessDisabled': _RIGHTS,
    'AuthorizationHeaderMalformed': _REGION,
    'BucketAlreadyExists': 'it belongs to somebody else; set bucket to another name',
    'EntityTooLarge': 'set multipart_threshold lower',
    'ExpiredToken': 'the session has expired: renew it, or leave access_key_id out, so that boto3 renews its own',
    'IllegalLocationConstraintException': _REGION,
    'InvalidAccessKeyId': _CREDENTIALS,
    'InvalidBucketName': 'set bucket to a valid name: 3 to 63 lower-case letters, digits, hyphens and dots',
    'InvalidStorageClass': 'set storage_class to one that the server has',
    'InvalidToken': 'renew the session token',
    'KMS.NotFoundException': 'set kms_key_id to a key that is there',
    'NoSuchBucket': 'set bucket to one that is there, or make it',
    'PermanentRedirect': _REGION,
    'RequestTimeTooSkewed': 'set the clock of this machine',
    'SignatureDoesNotMatch': 'change secret_access_key',
    'TokenRefreshRequired': 'renew the session token',
}


class S3Failure(StorageFailure):
    """The server refused a request, or did not answer it."""

    def __init__(
        self, message: str, path: str | None = None, errno: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, path, errno)
        #: The error code of S3, or the status of an answer without one; None where no answer came.
        self.code = code

    @property
    def is_of_server(self) -> bool:
        """Whether the server itself failed, so that nobody knows what it has done."""
        return self.code in _OF_SERVER


class BucketRefused(ConfigurationError, ClientError):  # type: ignore[misc]
    """The server's answer for the bucket of a storage; botocore's own error too, as the published package raised it."""

    def __init__(self, message: str, error_response: Mapping[str, Any] | None = None, operation_name: str = '') -> None:
        ClientError.__init__(self, error_response or {}, operation_name)
        self.args = (message,)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.response, self.operation_name)


def error_code(error: ClientError) -> str:
    """The code of a refusal."""
    return str(error.response.get('Error', {}).get('Code', ''))


def failure(error: Exception, what: str, path: str | None) -> S3Failure:
    """The failure to do something, from boto3's own error."""
    code = error_code(error) if isinstance(error, ClientError) else None
    return S3Failure(f'cannot {what}: {error}{advice(error)}', path, getattr(error, 'errno', None), code)


def misconfigured(error: Exception, what: str) -> ConfigurationError:
    """The failure to set a storage up, from boto3's own error."""
    message = f'cannot {what}: {error}{advice(error)}'
    if isinstance(error, ClientError):
        return BucketRefused(message, error.response, error.operation_name)
    return ConfigurationError(message)


def advice(error: Exception) -> str:
    """What to change, after a semicolon."""
    if isinstance(error, ClientError):
        found = _ADVICE.get(error_code(error), '')
    elif isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        found = 'give access_key_id and secret_access_key, or credentials where boto3 looks for them'
    elif isinstance(error, ParamValidationError):
        found = 'change the option that has this value'
    elif isinstance(error, BotoCoreError):
        found = 'check endpoint_url, region_name, connect_timeout and read_timeout'
    else:
        found = ''
    return found and f'; {found}'
