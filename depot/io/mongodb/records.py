"""The document of a file: what GridFS says of it, and what we add."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

from bson import ObjectId

from ...errors import CorruptMetadata
from .. import utils
from ..naming import FileInfo
from ..utils import Copied, parsed_timestamp
from .connection import Document

#: Bytes; what GridFS has always had. The last chunk of a file may be shorter.
CHUNK_SIZE = 255 * 1024

_is_checksum = re.compile('sha256:[0-9a-f]{64}').fullmatch


class Record(NamedTuple):
    """What the document of a file says.

    Ours is the field ``depot``, in which ``checksum``, and after a replace ``content``, which its chunks have too;
    while they are not in their place yet, ``replaced`` are the contents that were there before.
    """

    file_id: ObjectId
    filename: str
    content_type: str
    #: Bytes.
    content_length: int
    chunk_size: int
    uploaded: datetime | None
    modified_at: datetime | None
    checksum: str | None
    content: Any
    #: None where the content is in its place.
    replaced: list[Any] | None

    @property
    def places(self) -> list[ObjectId]:
        """The ``files_id`` that its chunks have; they move from the first to the last."""
        return [self.file_id] if self.replaced is None else [self.content, self.file_id]

    def is_content_of(self, other: Record) -> bool:
        """Whether both have the same content, even if it is in another place."""
        ours = (self.content, self.content_length, self.uploaded)
        return ours == (other.content, other.content_length, other.uploaded)

    def size_of(self, number: int) -> int:
        """The bytes that a chunk must have."""
        return min(self.chunk_size, self.content_length - number * self.chunk_size)


def record_of(document: Document) -> Record:
    """What a document says, whoever wrote it; missing names and types get the defaults.

    Raises :class:`~depot.errors.CorruptMetadata` for one that is not of GridFS.
    """
    depot = document.get('depot')
    depot = depot if isinstance(depot, dict) else {}
    uploaded = document.get('uploadDate')
    uploaded = uploaded if isinstance(uploaded, datetime) else None
    return Record(
        document['_id'],
        _text(document, 'filename') or FileInfo.DEFAULT_NAME,
        _text(document, 'contentType') or FileInfo.DEFAULT_CONTENT_TYPE,
        _number(document, 'length', 0),
        _number(document, 'chunkSize', 1),
        uploaded,
        parsed_timestamp(_text(document, 'last_modified')) or (uploaded and uploaded.replace(microsecond=0)),
        checksum if (checksum := _text(depot, 'checksum')) and _is_checksum(checksum) else None,
        depot.get('content'),
        replaced if isinstance(replaced := depot.get('replaced'), list) else None,
    )


def fields_of(copied: Copied, filename: str | None, content_type: str | None, **depot: Any) -> Document:
    """The fields of a file that is stored now, its texts storable; ``depot`` is what we add, beside its checksum."""
    return {
        'filename': filename,
        'contentType': content_type,
        'length': copied.size,
        'chunkSize': CHUNK_SIZE,
        'uploadDate': datetime.now(timezone.utc),
        'last_modified': utils.timestamp(),
        'depot': {'checksum': copied.checksum, **depot},
    }


def storable(text: str | None) -> str | None:
    """The text without half characters, which a name from a disk can have and BSON cannot."""
    return text and text.encode('utf-8', 'surrogatepass').decode('utf-8', 'replace')


def _text(document: Document, key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) else None


def _number(document: Document, key: str, least: int) -> int:
    value = document.get(key)
    if isinstance(value, (int, float)) and value >= least:  # the shell writes numbers as floats
        return int(value)
    raise CorruptMetadata(
        f'The document with the _id {document["_id"]} is not one of GridFS, its {key} is {value!r:.50}; '
        'is the collection that of another tool?',
        str(document['_id']),
    )
