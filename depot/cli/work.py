"""One kind of work on many things: several at a time, with a bar that shows how far it got."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import click

from ..errors import ConfigurationError, DepotError

T = TypeVar('T')


class Tally:
    """What became of the things that were worked on."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []

    def count(self, word: str) -> None:
        """One more of which this can be said: ``made``."""
        self._counts[word] += 1

    def fail(self, name: str, error: Exception) -> None:
        """One more that could not be worked on."""
        self._failures.append(f'{name}: {error}')

    def tell(self) -> None:
        """Prints how many of each, and names the failures on the standard error; then it ends with status 1."""
        for each in self._failures:
            click.echo(each, err=True)
        counts = {**self._counts, 'failed': len(self._failures)}
        click.echo(', '.join(f'{count} {word}' for word, count in counts.items() if count) or 'nothing to do')
        if self._failures:
            raise click.exceptions.Exit(1)


def do_all(things: Sequence[T], work: Callable[[T], str], at_once: int, tally: Tally) -> None:
    """Works on each thing, ``at_once`` of them at the same time; ``work`` returns the word to count it by.

    Goes on after a failure, but not after a :class:`~depot.errors.ConfigurationError`, which it raises: all others
    would have it, too.
    """
    with _bar(len(things)) as advance, ThreadPoolExecutor(at_once) as threads:
        for thing, future in _completed(threads, things, work, at_once):
            try:
                tally.count(future.result())
            except ConfigurationError:
                raise
            except (DepotError, OSError) as error:
                tally.fail(str(thing), error)
            advance(1)


@contextmanager
def _bar(length: int) -> Iterator[Callable[[int], object]]:
    """A bar for a terminal, beside what is printed; elsewhere it would be rubbish."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield bool
        return
    with click.progressbar(length=length, show_pos=True, file=sys.stderr) as bar:
        yield bar.update


def _completed(
    threads: ThreadPoolExecutor, things: Iterable[T], work: Callable[[T], str], at_once: int
) -> Iterator[tuple[T, Future[str]]]:
    """Each thing with what became of it, as it comes; no more are begun than can be worked on."""
    left = iter(things)
    begun: dict[Future[str], T] = {}
    while True:
        for each in islice(left, at_once - len(begun)):
            begun[threads.submit(work, each)] = each
        if not begun:
            return
        for done in wait(begun, return_when=FIRST_COMPLETED).done:
            yield begun.pop(done), done
