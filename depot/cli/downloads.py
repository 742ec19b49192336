"""Files that are fetched whole, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import click

from ..errors import StorageFailure
from ..io.ids import new_file_id
from ..io.interfaces import StoredFile
from ..io.utils import copy_content


def copy_verified(file: StoredFile, write: Callable[[bytes], object]) -> None:
    """Hands a file to ``write`` piece by piece.

    Raises :class:`~depot.errors.StorageFailure` at the end if size or checksum are not those that the storage knows.
    """
    copied = copy_content(file, write)
    for name, known, read in (
        ('bytes', getattr(file, 'content_length', None), copied.size),
        ('as checksum', getattr(file, 'checksum', None), copied.checksum),
    ):
        if known is not None and known != read:
            raise StorageFailure(f'File {file.file_id} is damaged: the storage knows {known} {name}, read were {read}')


def save(file: StoredFile, target: Path, force: bool) -> None:
    """Fetches a file under a hidden name beside ``target``, and renames it when it is whole and safe on the disk."""
    target = Path(os.path.realpath(target))  # what a link leads to is replaced, and not the link
    _check(target, force)
    work = target.with_name(f'.{new_file_id()}.part')
    try:
        with open(work, 'xb') as out:
            copy_verified(file, out.write)
            out.flush()
            os.fsync(out.fileno())
        _check(target, force)  # a second time: that took a while
        os.replace(work, target)
    except BaseException:
        with contextlib.suppress(OSError):
            work.unlink()
        raise


def _check(target: Path, force: bool) -> None:
    if not target.parent.is_dir():
        raise click.UsageError(f'there is no folder {target.parent}')
    if target.is_dir():
        raise click.UsageError(f'{target} is a folder; name a file in it')
    if target.exists() and not target.is_file():  # a device, which a renaming would remove
        raise click.UsageError(f'{target} is no regular file; write to it by -o - and a redirection')
    if target.exists() and not force:
        raise click.UsageError(f'{target} is there already; --force replaces it')
