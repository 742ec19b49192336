"""One file on the disk: a folder with the content in ``file``, and what is known of it in ``metadata.json``.

A file that is derived from it has such a folder, too, ``derived/<key>`` in it.

The functions that look into a folder raise FileNotFoundError where there is none.
"""

from __future__ import annotations

import io
import os
import time

from . import utils
from .disk import failing, sync_path
from .metadata import Metadata
from .ranges import RangeReader
from .utils import Content

# Small pieces are gathered up to this size, in bytes; larger ones are written as they come.
_SMALL_SIZE = 8 * 1024

# Descriptors, not file objects, for what is written and read at once: half the system calls.
_BINARY = getattr(os, 'O_BINARY', 0)  # only Windows knows it, and needs it
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
_READ = os.O_RDONLY | _BINARY
#: Seconds after which the time of a change tells it from every later one: some disks count it in steps of two.
SETTLED = 2

_METADATA_SIZE = 4 * 1024  # bytes to ask for at a time; more are rare


def folder_paths(folder: str) -> tuple[str, str]:
    """Where the content is, and where the metadata."""
    return f'{folder}/file', f'{folder}/metadata.json'


def derived_folder(folder: str, key: str = '') -> str:
    """Where a derived file is; without a key, all of them. Keys come from :func:`~depot.io.ids.checked_key`."""
    return f'{folder}/derived/{key}'


def write_folder(folder: str, content: Content, filename: str | None, content_type: str | None) -> None:
    """Writes a content and its metadata into an empty folder.

    What the disk refuses raises :class:`~depot.errors.StorageFailure`; what reading the content raises passes.
    """
    file_path, metadata_path = folder_paths(folder)
    with _Output(file_path) as file:
        size, checksum = utils.copy_content(content, file.write)
    with _Output(metadata_path) as file:
        file.write(Metadata(filename, content_type, size, utils.timestamp(), checksum).to_json())


def has_metadata(folder: str) -> bool:
    """True; a folder without them holds no file."""
    os.stat(folder_paths(folder)[1])
    return True


def read_metadata(folder: str) -> tuple[str, bytes]:
    """The folder itself, and its metadata."""
    descriptor = os.open(folder_paths(folder)[1], _READ)
    try:
        return folder, _read_all(descriptor)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int) -> bytes:
    text = block = os.read(descriptor, _METADATA_SIZE)
    while len(block) == _METADATA_SIZE:  # less is all there is: it is a file on a disk
        block = os.read(descriptor, _METADATA_SIZE)
        text += block
    return text


def open_content(folder: str) -> io.FileIO:
    """The content, opened, without a buffer."""
    return open(folder_paths(folder)[0], 'rb', buffering=0)


def open_pair(folder: str) -> tuple[str, bytes, io.FileIO]:
    """The folder itself, its metadata, and its content, opened; the two belong together."""
    metadata_path = folder_paths(folder)[1]
    while True:
        metadata = os.open(metadata_path, _READ)
        try:
            content = open_content(folder)
            try:
                if os.path.samestat(os.fstat(metadata), os.stat(metadata_path)):
                    return folder, _read_all(metadata), content
            except BaseException:
                content.close()
                raise
            content.close()  # another folder has taken this one's place in between
        finally:
            os.close(metadata)


class ContentReader(RangeReader):
    """Reads a content, or a part of it; what the disk refuses is a :class:`~depot.errors.StorageFailure`.

    It closes the file, also if it cannot be made.
    """

    def __init__(self, content: io.FileIO, start: int, stop: int) -> None:
        try:
            with failing(str(content.name)):
                size = os.fstat(content.fileno()).st_size
                start = min(start, size)
                if start:
                    content.seek(start)
        except BaseException:
            content.close()
            raise
        super().__init__(content, min(stop, size) - start)
        self._is_whole = start == 0 and stop >= size

    def read(self, size: int | None = -1, /) -> bytes:
        with failing(str(self._file.name)):
            return super().read(size)

    def fileno(self) -> int:
        """The descriptor, by which a server can send the rest; only of a whole content, because some begin at 0."""
        if not self._is_whole:
            raise io.UnsupportedOperation('fileno')
        return int(self._file.fileno())


def folder_version(folder: str) -> tuple[int, ...] | None:
    """What changes with every change of the two; None where that cannot be told: of a missing one, or a young one."""
    try:
        file, metadata = map(os.stat, folder_paths(folder))
    except OSError:
        return None
    if max(file.st_ctime, metadata.st_ctime) > time.time() - SETTLED:
        return None
    return (file.st_ino, file.st_ctime_ns, file.st_size, metadata.st_ino, metadata.st_ctime_ns, metadata.st_size)


def sync_folder(folder: str) -> None:
    """Returns when the file would survive a power loss, but for the name of its folder."""
    for each in (*folder_paths(folder), folder):
        sync_path(each)


class _Output:
    """A new file on the disk. What the disk refuses is a StorageFailure; what else happens meanwhile is not."""

    def __init__(self, path: str) -> None:
        self._path = path

        self._pending = b''

    def __enter__(self) -> _Output:
        with failing(self._path):
            self._descriptor = os.open(self._path, _NEW, 0o666)
        return self

    def write(self, block: bytes) -> None:
        self._pending += block
        if len(self._pending) >= _SMALL_SIZE:
            self._flush()

    def _flush(self) -> None:
        with failing(self._path):
            while self._pending:  # a disk that becomes full takes a part first, and then says so
                written = os.write(self._descriptor, self._pending)
                self._pending = self._pending[written:]

    def __exit__(self, *error: object) -> None:
        try:
            self._flush()
        finally:
            with failing(self._path):
                os.close(self._descriptor)
