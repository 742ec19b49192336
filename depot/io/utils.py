"""What every storage needs: the instant, the content it is given, a copy that digests."""

from __future__ import annotations

import datetime
import functools
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, Protocol, Union, cast

from ..errors import ConfigurationError, InvalidContent

#: Up to this size, in bytes, a copy made for the purpose is kept in memory.
INMEMORY_FILESIZE = 1024 * 1024

# Large enough that a system call costs little, small enough to stay in the processor's cache.
_BLOCK_SIZE = 256 * 1024

#: How an instant stands in a file's metadata; always UTC.
TIMESTAMP_FORMAT = '%Y-%m-%d %H:%M:%S'


class Readable(Protocol):
    """An object whose ``read(size)`` gives bytes, and none at the end."""

    def read(self, size: int = ..., /) -> bytes: ...


class Upload(Protocol):
    """What web frameworks hand over for an uploaded file: the content, and the name it had."""

    file: Any
    filename: Any


class FileIntent:
    """A content together with the name and the type that it shall be stored with.

    ``fileobj`` is a file object or ``bytes``; the three values are taken as
    they are, nothing is guessed.
    """

    def __init__(self, fileobj: BareContent, filename: str, content_type: str) -> None:
        self._fileobj = fileobj
        self._filename = filename
        self._content_type = content_type

    @property
    def fileinfo(self) -> tuple[BareContent, str, str]:
        """The content, its name and its type."""
        return self._fileobj, self._filename, self._content_type


#: Bytes, or where to get them, with no upload around it.
BareContent = Union[bytes, bytearray, memoryview, 'os.PathLike[str]', Readable, Iterator[bytes]]

#: All that can be stored; see :meth:`depot.io.interfaces.FileStorage.create`.
Content = Union[BareContent, Upload, FileIntent]


class Copied(NamedTuple):
    """What is known of a content once it has been copied."""

    #: Bytes.
    size: int
    #: ``sha256:`` and the digest in hexadecimal digits.
    checksum: str


def timestamp() -> str:
    """The current instant in UTC as ``YYYY-MM-DD HH:MM:SS``."""
    return _timestamp(int(time.time()))


@functools.lru_cache(maxsize=1)  # the second that it is now
def _timestamp(seconds: int) -> str:
    return time.strftime(TIMESTAMP_FORMAT, time.gmtime(seconds))


@functools.lru_cache(maxsize=256)
def parsed_timestamp(text: str | None) -> datetime.datetime | None:
    """The instant that a timestamp tells, in whole seconds of UTC without a time zone.

    Any form of ISO 8601 that Python reads will do. None for None, and for a text that tells no instant.
    """
    try:
        instant = datetime.datetime.fromisoformat(text or '')
        if instant.tzinfo is not None:
            instant = instant.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return instant.replace(microsecond=0)


def flag(name: str, value: object) -> bool:
    """The truth of an option, which in a settings file is a word.

    Raises :class:`~depot.errors.ConfigurationError` for a word that says neither.
    """
    word = str(value).strip().lower()
    if word not in _FLAGS:
        raise ConfigurationError(f'{name} = {value!r} is neither true nor false; choose from {", ".join(_FLAGS)}')
    return _FLAGS[word]


_FLAGS = {'true': True, 'yes': True, 'on': True, '1': True, 'false': False, 'no': False, 'off': False, '0': False}


def bare_content(content: Content) -> BareContent:
    """The content without the :class:`FileIntent` or the framework's upload around it."""
    bare: Any = content
    if isinstance(content, FileIntent):
        bare = content.fileinfo[0]
    elif hasattr(content, 'file') and hasattr(content, 'filename'):
        bare = content.file
    return cast(BareContent, bare)


def is_content(value: Any) -> bool:
    """Whether :func:`blocks` can try to read this."""
    bare = bare_content(value)
    is_named = isinstance(bare, (bytes, bytearray, memoryview, os.PathLike))
    return is_named or hasattr(bare, 'read') or hasattr(bare, '__next__')


def blocks(content: Content) -> Iterator[bytes]:
    """The bytes of a content in pieces, a file object's from its current position.

    Raises :class:`~depot.errors.InvalidContent` for what is no content, and for
    a file that gives anything but bytes. A file that is opened here is closed
    here; a file object that was handed in stays open.
    """
    bare = bare_content(content)
    if isinstance(bare, (bytes, bytearray, memoryview)):
        return iter((bytes(bare),))
    if isinstance(bare, os.PathLike):
        return _file_blocks(bare)
    if hasattr(bare, 'read'):
        return _read_blocks(bare.read)
    if hasattr(bare, '__next__'):
        return map(_checked_block, bare)
    raise _invalid(bare)


def _file_blocks(path: os.PathLike[str]) -> Iterator[bytes]:
    with open(path, 'rb') as file:
        yield from _read_blocks(file.read)


def _read_blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while block := _checked_block(read(_BLOCK_SIZE)):
        yield block


def _checked_block(block: Any) -> bytes:
    if not isinstance(block, (bytes, bytearray, memoryview)):
        raise _invalid(block)
    return bytes(block)


def _invalid(value: Any) -> InvalidContent:
    if isinstance(value, str):
        return InvalidContent('Only bytes can be stored, not unicode: encode the text, or open its file in binary mode')
    return InvalidContent(
        f'the type {type(value).__name__} cannot be stored; give bytes, a binary file object, '
        'a pathlib.Path, an iterator of bytes, an upload or a FileIntent'
    )


def copy_content(content: Content, write: Callable[[bytes], object]) -> Copied:
    """Hands a content to ``write`` piece by piece; returns its size and checksum."""
    digest = hashlib.sha256()
    size = 0
    for block in blocks(content):
        digest.update(block)
        write(block)
        size += len(block)
    return Copied(size, f'sha256:{digest.hexdigest()}')


def file_from_content(content: Content) -> tuple[bool, IO[bytes]]:
    """A seekable file with the whole content, at its beginning, and whether to close it.

    A seekable file object is rewound and returned itself; it stays its owner's
    to close. Anything else is copied: in memory, on disk when it is large.
    """
    bare = bare_content(content)
    if isinstance(bare, (bytes, bytearray, memoryview)):
        return True, io.BytesIO(bare)
    if is_seekable(bare):
        file = cast('IO[bytes]', bare)
        file.seek(0)
        return False, file
    return True, _spooled(bare)


def is_seekable(file: Any) -> bool:
    """Whether a file object, or whatever stands for one, can go back."""
    if hasattr(file, 'seekable'):
        return bool(file.seekable())
    return hasattr(file, 'seek')  # Python 3.10's SpooledTemporaryFile, in which frameworks keep uploads


def position(content: Content) -> int | None:
    """Where a seekable file object is, to go back to; None for any other content."""
    bare: Any = bare_content(content)
    try:
        return bare.tell() if is_seekable(bare) else None
    except (AttributeError, OSError, ValueError):  # such as of a closed one
        return None


def _spooled(content: BareContent) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(INMEMORY_FILESIZE)  # noqa: SIM115 (the caller closes it)
    try:
        copy_content(content, file.write)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast('IO[bytes]', file)
