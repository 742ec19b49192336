"""A content at whose middle something happens."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

from .. import utils
from ..utils import BareContent, Content, FileIntent

#: What a storage may want to know of a content beside its bytes.
_DESCRIPTION = ('filename', 'name', 'content_type', 'type', 'file_id')


def with_middle(content: Content, middle: Callable[[], object]) -> Content:
    """The same content, described alike; ``middle`` is called once, when some of it has been read, and not yet all."""
    if isinstance(content, FileIntent):
        bare, filename, content_type = content.fileinfo
        return FileIntent(_Halfway(bare, middle), filename, content_type)
    return _Halfway(content, middle)


class _Halfway(io.RawIOBase):
    """Reads a content from its beginning to its end; it cannot seek, and leaves the content itself open."""

    def __init__(self, content: Content | BareContent, middle: Callable[[], object]) -> None:
        super().__init__()
        self._pieces = filter(None, _pieces(content, middle))
        self._piece = memoryview(b'')
        vars(self).update(_description(content))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._piece = self._piece or memoryview(next(self._pieces, b''))
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size


def _description(content: Any) -> dict[str, Any]:
    values = ((each, getattr(content, each, None)) for each in _DESCRIPTION)
    return {name: value for name, value in values if value is not None}


def _pieces(content: Content, middle: Callable[[], object]) -> Iterator[bytes]:
    # Half of the first block, because there need not be a second.
    blocks = utils.blocks(content)
    first = next(blocks, b'')
    half = len(first) // 2
    yield first[:half]
    middle()
    yield first[half:]
    yield from blocks
