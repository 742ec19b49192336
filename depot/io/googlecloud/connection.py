"""A client of the SDK, and the bucket where none is named."""

from __future__ import annotations

from typing import Any

from google.api_core.client_options import ClientOptions
from google.cloud.storage import Client

from ...errors import ConfigurationError
from ..objects.answers import check_answers
from .credentials import credentials_from
from .options import checked_url


def connected(project_id: str | None, given: Any, endpoint_url: str | None) -> Client:
    """A client that works with these options; raises :class:`~depot.errors.ConfigurationError`."""
    credentials, project = credentials_from(given)
    endpoint = checked_url('endpoint_url', endpoint_url)
    options = ClientOptions(api_endpoint=endpoint) if endpoint else None
    try:
        client = Client(project_id or project, credentials, client_options=options)
        for adapter in client._http.adapters.values():
            check_answers(adapter.poolmanager)
        return client
    except Exception as error:
        raise ConfigurationError(
            f'no client for Google Cloud Storage: {error}; change the options project_id, credentials or endpoint_url'
        ) from error


def default_bucket(client: Client) -> str:
    """The name of the bucket where none is given."""
    if not client.project:
        raise ConfigurationError('no bucket: set the option bucket, or project_id, after which one is named')
    return f'filedepot-{client.project}'.lower()
