"""Digest fields (RFC 9530): the checksum of the whole file, for a client that wants to verify it."""

from __future__ import annotations

import base64
import re

_ALGORITHM = 'sha-256'
_CHECKSUM = re.compile('sha256:([0-9a-f]{64})')

# A member of a dictionary of RFC 8941 whose value is an integer, and perhaps parameters.
_PREFERENCE = re.compile(r'([a-z*][a-z0-9_\-.*]*)=([0-9]{1,2})(?:[ \t]*;.*)?')


def wants_digest(field: str | None) -> bool:
    """Whether ``Want-Repr-Digest`` (section 4) asks for SHA-256; 0 says that it does not."""
    members = (_PREFERENCE.fullmatch(each.strip(' \t')) for each in (field or '').split(','))
    preferences = {each[1]: int(each[2]) for each in members if each}  # the last of one name counts
    return 0 < preferences.get(_ALGORITHM, 0) <= 10


def repr_digest(checksum: str | None) -> str | None:
    """The value of ``Repr-Digest`` (section 3) for a stored checksum; None if that is no SHA-256."""
    found = _CHECKSUM.fullmatch(checksum or '')
    return found and f'{_ALGORITHM}=:{base64.b64encode(bytes.fromhex(found[1])).decode()}:'
