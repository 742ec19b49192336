"""``depot list``, ``get``, ``put`` and ``url``: what they take, what they say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import click

from ..errors import DepotError, FileMissing
from ..io.interfaces import FileStorage, StoredFile
from ..io.utils import Content, blocks
from .downloads import copy_verified, save
from .durations import duration
from .storages import storage_options

_STDIO = '-'


def _open(stream: TextIO | None, name: str) -> TextIO:
    """A standard stream, which whoever started us may have closed."""
    if stream is None:
        raise click.UsageError(f'the standard {name} is closed')
    return stream


@click.command('list')
@storage_options
@click.option(
    '--long', is_flag=True, help='Also size, time (UTC), type and name, between tabs; one request for each file.'
)
@click.option('--after', metavar='ID', help='Begin behind this id, which need not be there any more.')
def list_files(storage: FileStorage, long: bool, after: str | None) -> None:
    """Print the ids of all files.

    One a line, in ascending order: that is by age, for files of this release.
    """
    out = _open(sys.stdout, 'output')  # not echo, which would flush every line
    well = True
    for each in storage.iter_ids(after):
        if not long:
            out.write(f'{each}\n')
            continue
        try:
            with storage.get(each) as file:
                out.write(f'{_described(each, file)}\n')
        except FileMissing:  # deleted since it was listed
            continue
        except DepotError as error:
            well = False
            click.echo(f'{each}: {error}', err=True)
    out.flush()  # here, where a pipe that nobody reads any more is still ours
    if not well:
        raise click.exceptions.Exit(1)


def _described(file_id: str, file: StoredFile) -> str:
    size, modified = getattr(file, 'content_length', None), file.last_modified
    instant = f'{modified:%Y-%m-%dT%H:%M:%SZ}' if modified else None
    return '\t'.join(map(_printable, (file_id, size, instant, file.content_type, file.filename)))


def _printable(value: Any) -> str:
    """One column: what strangers have called their files shall not speak to the terminal."""
    text = '-' if value is None else str(value)
    return ''.join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@click.command()
@storage_options
@click.argument('file_id', metavar='ID')
@click.option(
    '-o', '--output', metavar='FILE', default=_STDIO, show_default=True, help='Where to; - is the standard output.'
)
@click.option('--force', is_flag=True, help='Replace a FILE that is there already.')
def get(storage: FileStorage, file_id: str, output: str, force: bool) -> None:
    """Fetch a file.

    Size and checksum are verified, where the storage knows them. With --output
    there is the whole FILE at the end, or none; without, look at the status.
    """
    with storage.get(file_id) as file:
        if output != _STDIO:
            save(file, Path(output), force)
            return
        out = _open(sys.stdout, 'output').buffer
        if out.isatty():
            raise click.UsageError(
                'the content is not for a terminal; give -o FILE, or send it on: depot get ... | less'
            )
        copy_verified(file, out.write)
        out.flush()


@click.command()
@storage_options
@click.argument(
    'files', nargs=-1, required=True, metavar='FILE...', type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option('--name', help='Name to store it with, instead of its own.')
@click.option('--type', 'content_type', metavar='TYPE', help='Media type, instead of one guessed from the name.')
def put(storage: FileStorage, files: Sequence[str], name: str | None, content_type: str | None) -> None:
    """Store files, and print the id of each.

    - is the standard input. An id is printed when its file is safe.
    """
    if name is not None and len(files) > 1:
        raise click.UsageError('--name is for one file')
    if files.count(_STDIO) > 1:
        raise click.UsageError('the standard input can be read once')
    _open(sys.stdout, 'output')  # or nobody would learn the ids
    for each in files:
        file_id = storage.create(_content(each), name, content_type)
        storage.sync([file_id])
        click.echo(file_id)


def _content(file: str) -> Content:
    return blocks(_open(sys.stdin, 'input').buffer) if file == _STDIO else Path(file)


@click.command()
@storage_options
@click.argument('file_id', metavar='ID')
@click.option(
    '--expires',
    callback=duration,
    metavar='DURATION',
    help='How long it shall work, where the storage signs it: a number and s, m, h or d.',
)
@click.option('--download', is_flag=True, help='A browser shall save the file, and not show it.')
@click.option('--filename', metavar='NAME', help='Name that it shall be saved under.')
@click.option('--type', 'content_type', metavar='TYPE', help='Media type that it shall be sent with.')
def url(
    storage: FileStorage,
    file_id: str,
    expires: timedelta | None,
    download: bool,
    filename: str | None,
    content_type: str | None,
) -> None:
    """Print a URL by which anybody can fetch a file.

    Folders, memory and GridFS have none: their files are served by the
    application.
    """
    found = storage.url(
        file_id,
        expires=None if expires is None else expires.total_seconds(),
        filename=filename,
        disposition='attachment' if download else None,
        content_type=content_type,
    )
    if found is None:
        raise click.ClickException('the storage itself has no such URL; the middleware of the application serves it')
    click.echo(found)
