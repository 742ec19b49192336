"""All commands, under one name."""

from __future__ import annotations

import click

from .demo.command import demo
from .sweep import ledger, sweep


@click.group()
@click.version_option(package_name='filedepot', prog_name='depot')
def depot() -> None:
    """Files that commit and roll back with their database rows."""


depot.add_command(demo)
depot.add_command(sweep)
depot.add_command(ledger)
