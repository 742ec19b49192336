"""ICC profiles, as far as needed: whether a profile says nothing but what is understood without one."""

from __future__ import annotations

import struct

# As those describe it who put sRGB into images most often: the profile of its makers, that of Little CMS, and small
# ones. Another one that only begins so can be a linear one.
_SRGB = frozenset({'sRGB IEC61966-2.1', 'sRGB built-in', 'sRGB'})

# ICC.1:2022, section 7.3: the header, then the number of tags, then for each its name, its offset and its size.
_TAGS = 128


def is_srgb(profile: bytes) -> bool:
    """Whether an image with this profile looks the same without it; not for one that cannot be read."""
    try:
        return _description(profile) in _SRGB
    except (struct.error, UnicodeDecodeError):
        return False


def _description(profile: bytes) -> str:
    (count,) = struct.unpack_from('>I', profile, _TAGS)
    for at in range(min(count, 100)):
        name, offset, size = struct.unpack_from('>4sII', profile, _TAGS + 4 + 12 * at)
        if name == b'desc':
            return _text(profile[offset : offset + size])
    return ''


def _text(tag: bytes) -> str:
    """The first text of a tag: ``desc`` is that of version 2, ``mluc`` that of version 4 (section 10.15)."""
    if tag[:4] == b'desc':
        (length,) = struct.unpack_from('>I', tag, 8)
        return tag[12 : 12 + length].decode('ascii').rstrip('\0')
    length, offset = struct.unpack_from('>II', tag, 20)
    return tag[offset : offset + length].decode('utf-16-be').rstrip('\0')
