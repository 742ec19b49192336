"""What a storage knows of a file, and the JSON text in which it is kept beside the content."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import CorruptMetadata
from .naming import FileInfo
from .utils import parsed_timestamp

# Bytes. Whoever uploads chooses a name, and longer texts are not kept in memory for a while.
_SHORT = 4096


class Metadata(NamedTuple):
    """What a storage knows of one file."""

    filename: str | None
    content_type: str | None
    #: Bytes; None where it is unknown.
    content_length: int | None
    #: ``YYYY-MM-DD HH:MM:SS`` in UTC; None where it is unknown.
    last_modified: str | None
    #: ``sha256:`` and hexadecimal digits; None where it is unknown.
    checksum: str | None

    @property
    def modified_at(self) -> datetime | None:
        """The last modification as an instant; None where that is unknown, or is no instant."""
        return parsed_timestamp(self.last_modified)

    def to_json(self) -> bytes:
        """The JSON text, as bytes."""
        return json.dumps(self._asdict()).encode()


def metadata_from_json(text: bytes, file_id: str) -> Metadata:
    """The metadata in a JSON text: unknown keys are ignored, missing ones and wrong types get the defaults.

    Raises :class:`~depot.errors.CorruptMetadata` for a text that holds no object.
    """
    return _remembered(text, file_id) if len(text) <= _SHORT else _parsed(text, file_id)


def _parsed(text: bytes, file_id: str) -> Metadata:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptMetadata(f'The metadata of file {file_id} is not valid JSON: {error}', file_id) from error
    if not isinstance(values, dict):
        raise CorruptMetadata(f'The metadata of file {file_id} is {values!r:.50}, not a JSON object', file_id)
    return Metadata(
        _typed(values, 'filename', str) or FileInfo.DEFAULT_NAME,
        _typed(values, 'content_type', str) or FileInfo.DEFAULT_CONTENT_TYPE,
        _typed(values, 'content_length', int),
        _typed(values, 'last_modified', str),
        _typed(values, 'checksum', str),
    )


_remembered = lru_cache(1024)(_parsed)


def _typed(values: dict[str, Any], key: str, kind: type) -> Any:
    value = values.get(key)
    return value if isinstance(value, kind) else None
