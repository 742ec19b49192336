"""The command: what it takes, what it says."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    '--port',
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help='Port of the page; 0 stands for any free one.',
)
@click.option(
    '--host',
    default='127.0.0.1',
    show_default=True,
    help='Address to listen at. By any other than the default, others may reach the page too.',
)
@click.option(
    '--folder',
    type=click.Path(file_okay=False, path_type=Path),
    default='depot-demo',
    show_default=True,
    help='Where the database and the files are kept.',
)
def demo(port: int, host: str, folder: Path) -> None:
    """Serve a page that shows how files follow their rows.

    Upload photos and documents, replace and delete them; commit or roll back,
    and see what the transaction did to the folder. What you uploaded is there
    again at the next start. A second page is a gallery, whose small photos are
    made while you look.
    """
    from .server import CannotServe, make_server  # here, because it loads Flask and SQLAlchemy

    try:
        server = make_server(host, port, folder)
    except CannotServe as error:
        raise click.ClickException(str(error)) from error
    click.echo(f'depot demo is at {server.url}')
    click.echo(f'It stores in {folder.absolute()}; stop it with Ctrl-C.')
    server.wsgi.run()
