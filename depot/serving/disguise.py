"""Whether a stored file is what its type says, before a browser is told so."""

from __future__ import annotations

from typing import Any

from ..errors import StorageFailure
from .description import Description, KeptFile, describe
from .remembered import Remembered
from .sniff import HEAD_SIZE, contradicts, is_looked_at

# What is known already of contents, by checksum and type.
_verdicts: Remembered[tuple[str, str], bool] = Remembered(1000)


def examine(file: Any) -> Description:
    """What the file says of itself, and whether that is true."""
    if isinstance(file, KeptFile):
        return file.description
    description = describe(file)
    return description._replace(is_disguised=True) if is_disguised(file, description) else description


def is_disguised(file: Any, description: Description) -> bool:
    """Whether the content is something else than its type says; reads its first bytes, once for each checksum.

    Of a file without ``open_range`` nothing is known before it is read.
    """
    content_type = description.content_type or ''
    if not description.has_ranges or not description.content_length or not is_looked_at(content_type):
        return False
    known = (description.checksum or '', content_type)
    verdict = _verdicts.get(known)
    if verdict is None:
        head = _head(file, min(description.content_length, HEAD_SIZE))
        # Of a file that was replaced or deleted nothing is known; that is found out again when it is sent.
        verdict = head is None or contradicts(content_type, head)
        if head is not None and description.checksum:
            _verdicts[known] = verdict
    return verdict


def _head(file: Any, length: int) -> bytes | None:
    """The first bytes; None of a file that is not there any more as it was."""
    try:
        with file.open_range(0, length) as reader:
            return b''.join(iter(lambda: reader.read(length), b''))
    except StorageFailure:
        raise
    except OSError:
        return None
