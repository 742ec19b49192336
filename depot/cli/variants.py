"""``depot variants make`` and ``clear``: what they take, what they say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from ..images import renditions
from ..images.recipe import Variant
from .apps import App, app_options
from .storages import failures_told
from .work import Tally, do_all

if TYPE_CHECKING:
    from ..fields.rows import Held

_NAME = click.option(
    '--name', 'names', multiple=True, metavar='NAME', help='Only the variant of this name; may be given several times.'
)
_JOBS = click.option(
    '--jobs',
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default='one for each processor',
    help='How many to work on at the same time.',
)


class Job(NamedTuple):
    """A rendition of a file that a row has."""

    path: str
    #: None for all renditions that there are of it.
    variant: Variant | None
    #: Where the file is, and what the variant is called.
    name: str

    def __str__(self) -> str:
        return self.name


@click.group()
def variants() -> None:
    """Renditions of images, by named recipes."""


@variants.command()
@app_options
@_NAME
@_JOBS
def make(app: App, names: Sequence[str], jobs: int) -> None:
    """Make the named variants of all files that rows have.

    Those that were made before are left as they are. It prints how many of each.
    Those that cannot be made are named on the standard error, and the status is 1.
    """
    _check(app, names)
    _do(app, lambda each: _variants(each, names), _make, jobs)


@variants.command()
@app_options
@_NAME
@_JOBS
def clear(app: App, names: Sequence[str], jobs: int) -> None:
    """Remove the renditions of all files that rows have.

    Those that are asked for again are made anew. Without a NAME all are removed,
    also those by recipes that have none.
    """
    if names:
        _check(app, names)
    _do(app, (lambda each: _variants(each, names)) if names else _all, _clear, jobs)


def _check(app: App, names: Sequence[str]) -> None:
    from ..fields.rows import columns_with_files, variants_of  # here, because it loads SQLAlchemy

    known = sorted({name for column in columns_with_files(app.metadatas) for name in variants_of(column)})
    if not known:
        raise click.UsageError('no column has a name for a variant; see UploadedFileField(variants=...)')
    for each in names:
        if each not in known:
            raise click.UsageError(f'no column has a variant {each!r}; there are: {", ".join(known)}')


def _variants(held: Held, names: Sequence[str]) -> Iterator[Job]:
    """The named variants of what a row holds."""
    for name, variant in held.variants.items():
        if name in names or not names:
            yield from (Job(path, variant, f'{held.column} {path} {name}') for path in held.paths)


def _all(held: Held) -> Iterator[Job]:
    return (Job(path, None, f'{held.column} {path}') for path in held.paths)


def _make(job: Job) -> str:
    assert job.variant is not None
    return 'made' if renditions.make(job.path, job.variant) else 'there already'


def _clear(job: Job) -> str:
    renditions.clear(job.path, job.variant)
    return 'cleared'


def _do(app: App, jobs_of: Callable[[Held], Iterator[Job]], work: Callable[[Job], str], at_once: int) -> None:
    """Does the work once for each rendition of what the rows hold, and tells what became of it."""
    from ..fields.rows import held

    tally = Tally()
    jobs: dict[tuple[str, Variant | None], Job] = {}
    with app.engine.connect() as connection:
        for each in held(connection, app.metadatas):
            if each.error is not None:
                tally.fail(each.column, each.error)
            jobs.update(((job.path, job.variant), job) for job in jobs_of(each))
    # Only now: in an open transaction others could not write for as long as all of it takes.
    with failures_told():
        do_all(list(jobs.values()), work, at_once, tally)
    tally.tell()
