"""What is kept with an object, as text that any backend takes for user metadata and for headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, unquote

from ...utils import make_content_disposition
from ..metadata import Metadata
from ..naming import FileInfo
from ..utils import TIMESTAMP_FORMAT

#: The filename, percent-encoded UTF-8.
FILENAME = 'x-depot-filename'

#: When the file was stored: ``YYYY-MM-DD HH:MM:SS`` in UTC.
MODIFIED = 'x-depot-modified'

#: ``sha256:`` and the digest of the content in hexadecimal digits.
CHECKSUM = 'x-depot-checksum'

# Bytes for an encoded name. S3 takes 2 KB of user metadata, keys included, and 2 KB of other headers (S3 User
# Guide, "Working with object metadata"); a disposition has the name twice.
_LONGEST_NAME = 1_536
_LONGEST_DISPOSITION = 1_900


def metadata_headers(filename: str | None, modified: str, checksum: str | None) -> dict[str, str]:
    """The user metadata of an object. Of a name that is too long for a header, the end is kept."""
    headers = {FILENAME: _encoded(filename or ''), MODIFIED: modified}
    if checksum is not None:
        headers[CHECKSUM] = checksum
    return headers


def disposition_header(filename: str | None, disposition: str = 'inline') -> str:
    """The ``Content-Disposition`` of an object, which browsers see that fetch it from the backend itself."""
    name = filename or ''
    header = make_content_disposition(disposition, name)
    while len(header) > _LONGEST_DISPOSITION:
        name = name[max(1, len(name) // 8) :]
        header = make_content_disposition(disposition, name)
    return header


def header_text(content_type: str | None) -> str:
    """A media type as a header can have it; the default one in place of what would end the header."""
    text = content_type or ''
    return text if text.isascii() and text.isprintable() and text.strip() else FileInfo.DEFAULT_CONTENT_TYPE


def described(
    headers: Mapping[str, str] | None,
    content_type: str | None,
    content_length: int | None,
    modified: datetime | None = None,
) -> Metadata:
    """What an object's headers tell of it; what another tool left out has the defaults.

    ``modified`` is what the backend itself knows of the time, for an object that has none from us.
    """
    kept = {name.lower(): value for name, value in (headers or {}).items()}
    return Metadata(
        unquote(kept.get(FILENAME, '')) or FileInfo.DEFAULT_NAME,
        content_type or FileInfo.DEFAULT_CONTENT_TYPE,
        content_length,
        kept.get(MODIFIED) or (modified.strftime(TIMESTAMP_FORMAT) if modified else None),
        kept.get(CHECKSUM),
    )


def _encoded(name: str) -> str:
    encoded = quote(name, safe='', errors='replace')
    while len(encoded) > _LONGEST_NAME:
        name = name[max(1, len(name) // 8) :]
        encoded = quote(name, safe='', errors='replace')
    return encoded
