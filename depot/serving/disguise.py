"""Whether a stored file is what its type says, before a browser is told so."""

from __future__ import annotations

from typing import Any

from ..errors import StorageFailure
from .description import Description
from .sniff import HEAD_SIZE, contradicts, is_looked_at

# What is known already of contents, by checksum and type; so many are remembered.
_verdicts: dict[tuple[str, str], bool] = {}
_MOST_VERDICTS = 10_000


def is_disguised(file: Any, description: Description) -> bool:
    """Whether the content is something else than its type says; reads its first bytes, once for each checksum.

    Of a file without ``open_range`` nothing is known before it is read.
    """
    content_type = description.content_type or ''
    if not description.has_ranges or not description.content_length or not is_looked_at(content_type):
        return False
    known = (description.checksum or '', content_type)
    if known not in _verdicts:
        head = _head(file, description.content_length)
        if head is None:  # what is known of the old content says nothing of the one in its place
            return True
        if not description.checksum:
            return contradicts(content_type, head)
        _remember(known, contradicts(content_type, head))
    return _verdicts[known]


def _head(file: Any, length: int) -> bytes | None:
    """The first bytes; None of a file that was replaced or deleted, which is found out again when it is sent."""
    try:
        with file.open_range(0, min(length, HEAD_SIZE)) as reader:
            head: bytes = reader.read(HEAD_SIZE)
            return head
    except StorageFailure:
        raise
    except OSError:
        return None


def _remember(known: tuple[str, str], verdict: bool) -> None:
    if len(_verdicts) >= _MOST_VERDICTS:
        _verdicts.clear()
    _verdicts[known] = verdict
