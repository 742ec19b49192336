"""A bucket: found, or made; and open to everybody, if that is the policy."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from google.api_core.exceptions import Conflict, Forbidden, NotFound
from google.cloud.storage import Bucket, Client

from ...errors import ConfigurationError
from .errors import advice

log = logging.getLogger(__name__)

#: Reading objects, and seeing their names.
VIEWER = 'roles/storage.objectViewer'

EVERYBODY = 'allUsers'


def opened_bucket(client: Client, name: str, prefix: str, location: str | None, limits: dict[str, Any]) -> Bucket:
    """The bucket with this name, which is made if there is none.

    Raises :class:`~depot.errors.ConfigurationError`, which names the option to change.
    """
    try:
        bucket = client.bucket(name)
        if not _is_there(bucket, prefix, limits):
            _make(bucket, location, limits)
    except ConfigurationError:
        raise
    except Forbidden as error:
        raise ConfigurationError(
            f'no right to use the bucket {name!r}, which may be of somebody else: {error.message}; change the option '
            'bucket, or credentials, or give the account the role Storage Object Admin on the bucket'
        ) from error
    except Exception as error:
        raise ConfigurationError(f'cannot open the bucket {name!r}: {error}; {advice(error)}') from error
    return bucket


def _is_there(bucket: Bucket, prefix: str, limits: dict[str, Any]) -> bool:
    try:
        found: bool = bucket.exists(**limits)
        return found
    except Forbidden:
        # Who may work with a bucket's objects need not be allowed to look at the bucket: ask for what we may.
        try:
            list(bucket.client.list_blobs(bucket, max_results=1, prefix=prefix or None, **limits))
        except NotFound:
            return False
        return True


def _make(bucket: Bucket, location: str | None, limits: dict[str, Any]) -> None:
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    try:
        bucket.create(location=location, **limits)
    except Conflict as error:
        if not _is_there_now(bucket, limits):
            raise ConfigurationError(
                f'the bucket {bucket.name!r} is of somebody else: names of buckets are one for all of Google Cloud; '
                'change the option bucket'
            ) from error
    except Forbidden as error:
        raise ConfigurationError(
            f'there is no bucket {bucket.name!r}, and no right to make it: {error.message}; make it, change the '
            'option bucket, or give the account the right storage.buckets.create in the project'
        ) from error


def _is_there_now(bucket: Bucket, limits: dict[str, Any]) -> bool:
    """Whether another process of ours has made it meanwhile."""
    try:
        found: bool = bucket.exists(**limits)
    except Forbidden:
        return False
    return found


def publish(bucket: Bucket, limits: dict[str, Any]) -> None:
    """Lets everybody read the objects of a bucket, if it is not so already, and if we may.

    Who may not even see who may read is not the one to decide it.
    """
    try:
        policy = bucket.get_iam_policy(requested_policy_version=3, **limits)
    except (Forbidden, NotFound) as error:  # NotFound: an emulator that knows no policies
        log.info('Whether everybody may read the bucket %s is not known: %s', bucket.name, error)
        return
    except Exception as error:
        raise ConfigurationError(
            f'cannot ask who may read the bucket {bucket.name!r}: {error}; {advice(error)}'
        ) from error
    if not _may_read(policy, EVERYBODY):
        add_viewers(bucket, [EVERYBODY], limits)


def add_viewers(bucket: Bucket, members: Iterable[str], limits: dict[str, Any]) -> None:
    """Lets members read the objects of a bucket, beside those who may already; writes only what is new."""
    try:
        policy = bucket.get_iam_policy(requested_policy_version=3, **limits)
        missing = [each for each in members if not _may_read(policy, each)]
        if missing:
            policy.version = 3
            policy.bindings = [*policy.bindings, {'role': VIEWER, 'members': missing}]
            bucket.set_iam_policy(policy, **limits)
    except Exception as error:
        raise ConfigurationError(
            f'cannot let everybody read the bucket {bucket.name!r}: {error}; give the account the right '
            "storage.buckets.setIamPolicy, lift the bucket's public access prevention, or set policy = private"
        ) from error


def _may_read(policy: Any, member: str) -> bool:
    return any(
        each['role'] == VIEWER and not each.get('condition') and member in each.get('members', ())
        for each in policy.bindings
    )
