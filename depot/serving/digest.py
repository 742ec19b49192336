"""Digest fields (RFC 9530): the checksum of the whole file, for a client that wants to verify it."""

from __future__ import annotations

import base64
import re

_ALGORITHM = 'sha-256'
_CHECKSUM = re.compile('sha256:([0-9a-f]{64})')

# Characters; more than all algorithms that there are would need.
_LONGEST = 1024

# A dictionary of RFC 8941 section 3.2, without inner lists, which nobody has a use for here.
_KEY = r'[a-z*][a-z0-9_\-.*]*'
_ITEM = (
    r'(?:-?[0-9]{1,15}(?:\.[0-9]{1,3})?|"(?:[ !#-\[\]-~]|\\["\\])*"'
    r"|[A-Za-z*][!#-'*+\-.^-z|~:/]*|:[A-Za-z0-9+/=]*:|\?[01])"
)
_PARAMETERS = rf'(?:; *{_KEY}(?:={_ITEM})?)*'
_member = re.compile(rf'({_KEY})(?:=({_ITEM}))?{_PARAMETERS}(?:[ \t]*(,)[ \t]*|$)').match


def wants_digest(field: str | None) -> bool:
    """Whether ``Want-Repr-Digest`` (section 4) asks for SHA-256; 0 says that it does not.

    A field that is too long to be meant is ignored, as one is that is malformed.
    """
    if field is None or len(field) > _LONGEST:
        return False
    preference = _members(field.strip(' ')).get(_ALGORITHM) or ''
    return preference.isdecimal() and 0 < int(preference) <= 10


def _members(field: str) -> dict[str, str | None]:
    """The members of the dictionary, of which the last one of a name counts; none if any is malformed."""
    members: dict[str, str | None] = {}
    end, comma = 0, ','
    while comma:
        found = _member(field, end)
        if found is None:
            return {}
        members[found[1]], comma, end = found[2], found[3], found.end()
    return members


def repr_digest(checksum: str | None) -> str | None:
    """The value of ``Repr-Digest`` (section 3) for a stored checksum; None if that is no SHA-256."""
    found = _CHECKSUM.fullmatch(checksum or '')
    return found and f'{_ALGORITHM}=:{base64.b64encode(bytes.fromhex(found[1])).decode()}:'
