"""What a stored file says of itself, read with suspicion.

The files of third-party storages need not be
:class:`~depot.io.interfaces.StoredFile`: they may lack attributes, and what
they have may be anything. From here on it is known.
"""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from ..io.interfaces import StoredFile
from .ranges import Part, Span

# Characters of a text. Descriptions are kept for a while, and who uploads chooses names and types.
_LONGEST = 1024


class Description(NamedTuple):
    """One stored file at one moment; None is what it does not say."""

    file_id: str | None = None
    filename: str | None = None
    content_type: str | None = None
    #: UTC, without a time zone, in whole seconds.
    last_modified: datetime.datetime | None = None
    #: Bytes.
    content_length: int | None = None
    checksum: str | None = None
    #: Whether parts of it can be read.
    has_ranges: bool = False
    #: Whether the content is another than its type says, and nothing that may be shown.
    is_disguised: bool = False


class KeptFile:
    """A stored file with its content in memory. In all else it is the file that it was made from."""

    def __init__(self, file: Any, description: Description, content: bytes) -> None:
        self._file = file
        self.description = description
        self.content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def part(self, part: Part) -> bytes:
        """The bytes of a part of an answer."""
        return self.content[part.start : part.stop] if isinstance(part, Span) else part

    def close(self) -> None:
        """Nothing is open."""


def describe(file: Any) -> Description:
    """What the file says now; it may say otherwise once it is opened."""
    return Description(
        file_id=str(getattr(file, 'file_id', ''))[:_LONGEST] or None,
        filename=_text(file, 'filename')[-_LONGEST:] or None,
        content_type=_text(file, 'content_type')[:_LONGEST] or None,
        last_modified=_instant(_typed(file, 'last_modified', datetime.datetime)),
        content_length=_length(_typed(file, 'content_length', int)),
        checksum=_text(file, 'checksum')[:_LONGEST] or None,
        has_ranges=_has_ranges(file),
    )


def _has_ranges(file: Any) -> bool:
    """Whether its class opens ranges better than by reading all that is before them, which works once."""
    open_range = getattr(type(file), 'open_range', None)
    return open_range is not None and open_range is not StoredFile.open_range


def _text(file: Any, attribute: str) -> str:
    return _typed(file, attribute, str) or ''


def _typed(file: Any, attribute: str, kind: type) -> Any:
    value = getattr(file, attribute, None)
    return value if isinstance(value, kind) else None


def _length(value: int | None) -> int | None:
    return None if value is None or isinstance(value, bool) or value < 0 else value


def _instant(value: datetime.datetime | None) -> datetime.datetime | None:
    if value is not None and value.tzinfo is not None:
        try:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        except OverflowError:  # the first or the last day there is, in another zone
            return None
    return value.replace(microsecond=0) if value is not None and value.microsecond else value
