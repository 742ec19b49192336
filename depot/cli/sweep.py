"""``depot sweep`` and ``depot ledger``: what they take, what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ..errors import ConfigurationError
from .apps import App, app_options
from .durations import duration

if TYPE_CHECKING:
    from ..transactions.sweeping.report import Report

_DRY_RUN = click.option('--dry-run', is_flag=True, help='Say what would be done, and change nothing.')


@click.command()
@app_options
@click.option(
    '--grace',
    callback=duration,
    metavar='DURATION',
    default='1d',
    show_default=True,
    help='How long a file may belong to a transaction that is still open: a number and s, m, h or d.',
)
@_DRY_RUN
@click.option('--force', is_flag=True, help='Remove more than 20 files and a tenth of a storage, too.')
@click.option('--quick', is_flag=True, help='Read no rows: only finish what the ledger says.')
@click.option('--full', is_flag=True, help='Look at all files, and not only at those stored since the last sweep.')
def sweep(app: App, grace: timedelta, dry_run: bool, force: bool, quick: bool, full: bool) -> None:
    """Remove the files that no row needs any more.

    Run it once a day. It prints what it did with each file, and why, and at the
    end how many of each. The status is 1 if somebody has to look: at rows whose
    file is missing, or at files that could not be removed.
    """
    from ..transactions import sweeper  # here, because it loads SQLAlchemy

    if quick and full:
        raise click.UsageError('--quick reads no rows, and --full reads all; give one of them')
    try:
        report = sweeper.sweep(
            app.engine, *app.metadatas, grace=grace, dry_run=dry_run, force=force, rows=not quick, full=full
        )
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    _tell(report)


@click.group()
def ledger() -> None:
    """The table that knows which file is needed."""


@ledger.command()
@app_options
@_DRY_RUN
def adopt(app: App, dry_run: bool) -> None:
    """Enter the files of rows that are older than the ledger."""
    from ..transactions import sweeper

    try:
        report = sweeper.adopt(app.engine, *app.metadatas, dry_run=dry_run)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    _tell(report)


def _tell(report: Report) -> None:
    if report.dry_run and report.findings:
        click.echo('Nothing was changed. This would be done:')
    for each in report.findings:
        click.echo(f'{each.what:<10} {each.about}: {each.why}')
    click.echo(report.summary())
    if not report.ok:
        raise click.exceptions.Exit(1)
