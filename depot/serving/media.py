"""Media types: which a browser may show, and which it must not run.

A stranger's upload that a browser runs as a page runs with the rights of the
application. So only the families of types that are known to be passive are
shown; all else is offered for download, and a browser that shows it even so
finds it locked in a sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: What is known of a file whose type is not known.
UNKNOWN = 'application/octet-stream'

#: For what is not shown: no script runs, nothing is loaded, and the origin is not the application's.
SANDBOX = "default-src 'none'; sandbox"

#: What is shown, not offered for download, unless the application chooses.
INLINE = ('image/*', 'audio/*', 'video/*', 'text/plain', 'application/pdf', UNKNOWN)

_PASSIVE_FAMILIES = frozenset({'audio', 'font', 'image', 'text', 'video'})

# Of these families, a type with one of these words in it is a page, a script, or leads to one.
_ACTIVE_WORDS = ('html', 'xml', 'xsl', 'xul', 'rdf', 'svg', 'wml', 'script', 'vbs', 'component', 'manifest')

_PASSIVE_APPLICATIONS = frozenset(
    f'application/{each}'
    for each in (
        'gzip',
        'json',
        'msword',
        'octet-stream',
        'pdf',
        'rtf',
        'vnd.ms-excel',
        'vnd.ms-powerpoint',
        'zip',
    )
)
_PASSIVE_PREFIXES = (
    'application/vnd.oasis.opendocument.',
    'application/vnd.openxmlformats-officedocument.',
)

# What a page includes as a part of itself, also from answers that are attachments and in a sandbox.
_PARTS_OF_PAGES = ('css', 'ecmascript', 'javascript', 'jscript', 'livescript')

# Characters, parameters included. RFC 6838 section 4.2 allows 127 for each half of a type.
_LONGEST = 400

# RFC 9110 section 8.3.1, without escapes in quoted strings.
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_CONTENT_TYPE = re.compile(rf'({_TOKEN}/{_TOKEN})(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[ !#-\[\]-~]*"))*;?')


def checked_content_type(stored: str | None) -> str:
    """The type as it may stand in a header: what was stored, or ``application/octet-stream`` if that is no type."""
    stripped = (stored or '').strip(' \t')
    return stripped if len(stripped) <= _LONGEST and _CONTENT_TYPE.fullmatch(stripped) else UNKNOWN


def is_passive(content_type: str) -> bool:
    """Whether a browser can show this type without running anything; parameters and case do not matter."""
    media_type = _bare(content_type)
    if media_type in _PASSIVE_APPLICATIONS:
        return True
    family, _, subtype = media_type.partition('/')
    if family in _PASSIVE_FAMILIES:
        return not any(word in subtype for word in _ACTIVE_WORDS)
    return media_type.startswith(_PASSIVE_PREFIXES) and not media_type.endswith('+xml')


def is_part_of_pages(content_type: str) -> bool:
    """Whether a page of the application could run this type, a script, or take its looks from it."""
    subtype = _bare(content_type).partition('/')[2]
    return any(word in subtype for word in _PARTS_OF_PAGES)


def is_inline(content_type: str, inline: Collection[str]) -> bool:
    """Whether a file of this type is to be shown: types as they are, or ``family/*`` for the passive ones of it."""
    media_type = _bare(content_type)
    family = media_type.partition('/')[0]
    return media_type in inline or (f'{family}/*' in inline and is_passive(media_type))


def _bare(content_type: str) -> str:
    return content_type.partition(';')[0].strip().lower()
