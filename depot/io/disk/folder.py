"""One file on the disk: a folder with the content in ``file``, and what is known of it in ``metadata.json``.

A file that is derived from it has such a folder, too, ``derived/<key>`` in it.

The functions that look into a folder raise FileNotFoundError where there is none.
"""

from __future__ import annotations

import io
import os
import time

from .. import utils
from ..metadata import Metadata
from ..utils import Content
from .contents import READ, Output
from .system import sync_path

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
    with Output(file_path) as file:
        size, checksum = utils.copy_content(content, file.write)
    with Output(metadata_path) as file:
        file.write(Metadata(filename, content_type, size, utils.timestamp(), checksum).to_json())


def has_metadata(folder: str) -> bool:
    """True; a folder without them holds no file."""
    os.stat(folder_paths(folder)[1])
    return True


def read_metadata(folder: str) -> tuple[str, bytes]:
    """The folder itself, and its metadata."""
    descriptor = os.open(folder_paths(folder)[1], READ)
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
        metadata = os.open(metadata_path, READ)
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
