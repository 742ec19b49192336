"""All commands, under one name."""

from __future__ import annotations

import click

from .demo.command import demo
from .files import get, list_files, put, url
from .sweep import ledger, sweep
from .variants import variants


@click.group()
@click.version_option(package_name='filedepot', prog_name='depot')
def depot() -> None:
    """Files that commit and roll back with their database rows."""


for each in demo, get, ledger, list_files, put, sweep, url, variants:
    depot.add_command(each)
