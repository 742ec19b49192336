"""moto, S3 without a server: it answers boto3 in this very process, and checks no signature, expiry or digest."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest


@pytest.fixture
def moto() -> Iterator[None]:
    """S3 without buckets; it takes any credentials."""
    if importlib.util.find_spec('moto') is None:
        pytest.skip("pip install 'moto[s3]'")
    from moto import mock_aws  # not for every run of the tests: it takes a second

    with mock_aws():
        yield
