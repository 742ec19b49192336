"""The content of an upload as a file that can be read more than once."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any, cast

from ..images.settings import limits_in_force
from ..io.utils import INMEMORY_FILESIZE, Content, bare_content, blocks


@contextlib.contextmanager
def rereadable(content: Content) -> Iterator[IO[bytes]]:
    """A seekable file with the content, at its beginning; what a stream gives is copied: on disk when it is large.

    A file object counts from its position. Raises :class:`~depot.errors.InvalidContent`
    for what is no content, and :class:`~depot.errors.ImageTooLarge` for one
    of more bytes than an image may have.
    """
    bare: Any = bare_content(content)
    if isinstance(bare, (bytes, bytearray, memoryview)):
        yield io.BytesIO(bare)
    elif isinstance(bare, os.PathLike):
        with open(bare, 'rb') as file:
            yield file
    elif _is_at_its_beginning(bare):
        yield bare
    else:
        with _copied(content) as copy:
            yield copy


@contextlib.contextmanager
def original(uploaded_file: Any) -> Iterator[IO[bytes]]:
    """What was uploaded, once more, as :func:`rereadable` gives it: from the storage if it cannot be read again."""
    with contextlib.ExitStack() as stack:
        bare: Any = bare_content(uploaded_file.original_content)
        if not isinstance(bare, (bytes, bytearray, memoryview, os.PathLike)) and not _rewound(uploaded_file, bare):
            bare = uploaded_file.file
            stack.callback(getattr(bare, 'close', bool))  # those of other storages may have nothing to close
        yield stack.enter_context(rereadable(bare))


def _rewound(uploaded_file: Any, bare: Any) -> bool:
    """Whether the file object could be put where it was when it was uploaded."""
    start = uploaded_file.original_position
    try:
        if start is not None:
            bare.seek(start)
    except (OSError, ValueError):  # it was closed since
        return False
    return start is not None


def _is_at_its_beginning(bare: Any) -> bool:
    # Python's own files only: those of frameworks differ in what seek() returns, and some have no seekable().
    return isinstance(bare, io.IOBase) and bare.seekable() and bare.tell() == 0


@contextlib.contextmanager
def _copied(content: Content) -> Iterator[IO[bytes]]:
    limits = limits_in_force()
    size = 0
    with tempfile.SpooledTemporaryFile(INMEMORY_FILESIZE, prefix='depot-image-') as copy:
        for block in blocks(content):
            size += len(block)
            limits.check_bytes(size)
            copy.write(block)
        copy.seek(0)
        yield cast('IO[bytes]', copy)
