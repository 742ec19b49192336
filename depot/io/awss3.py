"""The old name of the S3 storage, from the time of boto 2; see :mod:`depot.io.boto3`."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import WrongOption
from .backends import check_options
from .boto3 import CANNED_ACL_PRIVATE, CANNED_ACL_PUBLIC_READ, S3StoredFile
from .boto3 import S3Storage as _S3Storage
from .utils import flag

__all__ = ['CANNED_ACL_PRIVATE', 'CANNED_ACL_PUBLIC_READ', 'S3Storage', 'S3StoredFile']


class S3Storage(_S3Storage):
    """The storage of :mod:`depot.io.boto3` with the options it had on boto 2; the same objects.

    ``host`` is the server's name or URL, ``encrypt_key`` asks it to encrypt with
    a key of its own. Warns with DeprecationWarning: name the other one.
    """

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        bucket: str | None = None,
        host: str | None = None,
        policy: str | None = None,
        encrypt_key: bool | str = False,
        prefix: str = '',
        **options: Any,
    ) -> None:
        warnings.warn('depot.io.awss3 is an old name: use depot.io.boto3.S3Storage', DeprecationWarning, stacklevel=2)
        if flag('encrypt_key', encrypt_key):
            options.setdefault('encryption', 'AES256')
        if host and options.setdefault('endpoint_url', _url(host)) != _url(host):
            raise WrongOption('host and endpoint_url name two servers; leave one of them out')
        given = (access_key_id, secret_access_key, bucket)
        options.update(policy=policy, prefix=prefix)
        check_options('depot.io.awss3.S3Storage, beside host and encrypt_key', _S3Storage, *given, **options)
        super().__init__(*given, **options)


def _url(host: str) -> str:
    return host if '://' in host else f'https://{host}'
