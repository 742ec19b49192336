"""Finishes what a crash or a failing storage left, and finds the files that nobody needs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, MetaData

from ..manager import DepotManager
from .drivers.sqlalchemy.columns import file_columns
from .sweeping import counts, storages
from .sweeping import report as words
from .sweeping.context import Context
from .sweeping.evidence import Evidence
from .sweeping.report import Report

log = logging.getLogger('depot.transactions')


def sweep(
    engine: Engine,
    *metadatas: MetaData,
    grace: timedelta = timedelta(days=1),
    dry_run: bool = False,
    force: bool = False,
    rows: bool = True,
    full: bool = False,
) -> Report:
    """Removes the files that no row needs any more; returns what it found.

    Finishes the removals that transactions have decided on. Then it reads the
    file columns of all rows of the ``metadatas``, and of those that share their
    ledger, and removes the files that no row refers to: those of the ledger, and
    those that the ledger does not know and that were stored after the last sweep,
    but longer ago than ``grace``. With ``rows=False`` it reads no rows, and
    removes only what the ledger says.

    It is safe beside open transactions, if none takes longer than ``grace``, and
    beside another sweep. It tells the rows whose file is missing, and leaves them
    as they are: of files stored since the last sweep, of all with ``full``, which
    also looks at all files as if it were the first sweep. With ``dry_run`` it
    changes nothing. Without ``force`` it refuses to remove more than 20 files and
    a tenth of a storage.

    Raises :class:`~depot.errors.ConfigurationError` if there is no ledger, or if
    the database lacks a table; ValueError for a negative ``grace``.
    """
    context = Context(engine, metadatas, grace, dry_run, force, full)
    if rows:
        with closing(context.evidence()) as evidence:
            _compare(context, evidence)
    else:
        counts.finish(context)
        if context.ledger.triggers:
            counts.remove_uncounted(context)
    for name in sorted(_storages_of(context)):
        _guarded(context, name, storages.clean)
    return context.report


def adopt(engine: Engine, *metadatas: MetaData, dry_run: bool = False) -> Report:
    """Enters the files of all rows that the ledger does not know yet; returns how many.

    Raises :class:`~depot.errors.ConfigurationError` as :func:`sweep` does.
    """
    context = Context(engine, metadatas, timedelta(0), dry_run)
    with closing(context.evidence()) as evidence:
        counts.adopt(context, evidence)
    return context.report


def _compare(sweep: Context, evidence: Evidence) -> None:
    """Does what follows from what rows and ledger say."""
    counts.finish(sweep, but=counts.revive(sweep, evidence))
    counts.adopt(sweep, evidence)
    counts.mend(sweep, evidence)
    for name in sorted(_storages_of(sweep) | evidence.storages()):
        if DepotManager.get(name) is None:
            sweep.report.add(words.FAILED, name, 'no storage of this name is configured here')
        _guarded(sweep, name, storages.compare, evidence)


def _storages_of(sweep: Context) -> set[str]:
    """The names of the storages that the columns store in."""
    columns = [column for table in sweep.tables for column in file_columns(table)]
    names = {getattr(each.type, '_upload_storage', None) or DepotManager.get_default() for each in columns}
    return {DepotManager.resolve_alias(each) or each for each in names}


def _guarded(sweep: Context, name: str, work: Callable[..., object], *more: Any) -> None:
    """Works on a storage, if it is configured; one that fails does not keep the others from being swept."""
    storage = DepotManager.get(name)
    try:
        if storage is not None:
            work(sweep, name, storage, *more)
    except Exception as error:
        log.exception('the sweep of the storage %s failed', name)
        sweep.report.add(words.FAILED, name, f'its sweep failed: {error}')
