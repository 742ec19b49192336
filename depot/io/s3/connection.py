"""A resource of boto3 that works with the server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError

from ...errors import ConfigurationError
from ..objects.answers import check_answers
from ..objects.forks import close_in_children
from .failures import misconfigured
from .requests import prepare


def session_options(
    access_key_id: str | None, secret_access_key: str | None, session_token: str | None
) -> dict[str, str | None]:
    """What boto3's session is made with; without keys, it looks for credentials where it always does."""
    if bool(access_key_id) != bool(secret_access_key):
        raise ConfigurationError('access_key_id and secret_access_key go together; give both, or none of them')
    token = {'aws_session_token': session_token} if session_token else {}
    return {'aws_access_key_id': access_key_id or None, 'aws_secret_access_key': secret_access_key or None, **token}


def connected(session: Any, client: Any, options: dict[str, Any]) -> Any:
    """A session's resource: with a ready ``client`` as it is, or with one that these options make."""
    with configuring():
        resource = _made(session, options) if client is None else _made_around(session, client)
    close_in_children(resource.meta.client._endpoint.http_session)
    return resource


def _made(session: Any, options: dict[str, Any]) -> Any:
    resource = session.resource('s3', **{name: value for name, value in options.items() if value})
    prepare(resource.meta.client)
    check_answers(resource.meta.client._endpoint.http_session._manager)
    return resource


def _made_around(session: Any, client: Any) -> Any:
    """boto3 makes a resource with a client of its own; this is the same one with theirs."""
    return type(session.resource('s3', region_name=client.meta.region_name))(client=client)


@contextlib.contextmanager
def configuring() -> Iterator[None]:
    """Turns what boto3 refuses inside into a :class:`~depot.errors.ConfigurationError`."""
    try:
        yield
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise misconfigured(error, 'connect to S3') from error


def default_bucket(access_key_id: str | None) -> str:
    """The name of the bucket where none is given."""
    if not access_key_id:
        raise ConfigurationError('name a bucket; only with an access_key_id there is a name by default')
    return f'filedepot-{access_key_id.lower()}'
