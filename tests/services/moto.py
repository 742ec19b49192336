"""moto, S3 without a server: it answers boto3 in this very process, and checks no signature, expiry or digest."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 without buckets; it takes any credentials."""
    if importlib.util.find_spec('moto') is None:
        pytest.skip("pip install 'moto[s3]'")
    from moto import mock_aws  # not for every run of the tests: it takes a second
    from moto.core.botocore_stubber import BotocoreStubber

    answer, turn = BotocoreStubber.__call__, threading.Lock()

    def one_at_a_time(*request: Any, **options: Any) -> Any:
        """What moto knows of an object is not made for several threads."""
        with turn:
            return answer(*request, **options)

    monkeypatch.setattr(BotocoreStubber, '__call__', one_at_a_time)
    with mock_aws():
        yield
