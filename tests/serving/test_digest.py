"""Digests, by RFC 9530."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.serving.digest import repr_digest, wants_digest


@pytest.mark.parametrize(
    'field',
    ['sha-256=1', 'sha-256=10', 'sha-512=3, sha-256=10', 'sha-256=1;a=b', 'sha-256=0, sha-256=1', 'x ,\tsha-256=1'],
)
def test_a_field_asks_for_sha_256(field):
    assert wants_digest(field)


@pytest.mark.parametrize(
    'field',
    [None, '', 'sha-256', 'sha-256=0', 'sha-512=1', 'sha-256=11', 'SHA-256=1', 'sha-256=-1', 'sha-256=1.0', '*=1'],
)
def test_any_other_field_does_not(field):
    assert not wants_digest(field)


def test_a_field_that_is_too_long_to_be_meant_is_ignored():
    assert wants_digest(f'sha-256=1{";a" * 500}')
    assert not wants_digest(f'sha-256=1{";a" * 100_000}')
    assert not wants_digest('sha-256=1, ' * 100_000)


@given(st.text())
def test_no_field_raises(field):
    assert wants_digest(field) in (True, False)


def test_a_checksum_becomes_a_digest():
    digest = hashlib.sha256(b'content')
    assert repr_digest(f'sha256:{digest.hexdigest()}') == f'sha-256=:{base64.b64encode(digest.digest()).decode()}:'


@pytest.mark.parametrize('checksum', [None, '', 'sha256:00', 'md5:' + 'a' * 64, 'sha256:' + 'g' * 64, 'a\r\nb'])
def test_what_is_no_checksum_becomes_none(checksum):
    assert repr_digest(checksum) is None
