"""A fault at step 1, 2, 3, ... of a scenario, until it passes untouched; after each a recovery, a sweep, a check.

Long: ``python -m tests.crash.enumerated`` does all of it; with ``--every 10``, each tenth of the cases.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import processes, scenarios
from .application import Application
from .counts import Counts
from .notes import Notes
from .steps import FAULTS, MOMENTS, Steps, StorageSteps, SystemSteps
from .works import WAYS, TwoPhaseWork, Work
from .writers import write_once

Beginning = Callable[[Path, 'str | None'], None]
Scenario = Callable[[Application, Notes], None]

# How a child tells whether its step came. One that was killed says nothing: it was killed at its step.
UNTOUCHED, STRUCK, BROKEN = 0, 2, 1


class Case(NamedTuple):
    """A scenario, from a beginning, and one kind of fault."""

    name: str
    beginning: Beginning
    scenario: Scenario
    make_steps: Callable[[int], Steps]


@dataclass
class Enumerated:
    """What came of it."""

    counts: Counts = field(default_factory=Counts)
    faults: int = 0
    cases: int = 0
    #: The cases that went wrong, with their step.
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f'{self.counts} | faults={self.faults} cases={self.cases}'


def run(cases: Iterable[Case], url: str | None = None) -> Enumerated:
    """A fault at each step of each case."""
    result = Enumerated()
    with tempfile.TemporaryDirectory(prefix='depot-faults-') as folder:
        beginnings = Beginnings(Path(folder), url)
        for case in cases:
            result.cases += 1
            fault_at_each_step(case, beginnings, result)
    return result


class Beginnings:
    """The places where scenarios begin: made anew on a server, copied in files."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self.url = url
        self._folder = folder
        self._made: dict[Beginning, Path] = {}

    @contextlib.contextmanager
    def at(self, beginning: Beginning) -> Iterator[Path]:
        """A place that is as it should be in the beginning."""
        place = self._folder / 'place'
        if self.url:
            place.mkdir()
            beginning(place, self.url)
        else:
            shutil.copytree(self._template(beginning), place)
        yield place
        shutil.rmtree(place)

    def _template(self, beginning: Beginning) -> Path:
        if beginning not in self._made:
            self._made[beginning] = self._folder / beginning.__name__
            self._made[beginning].mkdir()
            beginning(self._made[beginning], None)
        return self._made[beginning]


def fault_at_each_step(case: Case, beginnings: Beginnings, result: Enumerated) -> None:
    """Until there is no such step."""
    for number in itertools.count(1):
        with beginnings.at(case.beginning) as place:
            counts, is_reached = fault_at(case.make_steps(number), place, beginnings.url, case.scenario)
        result.counts += counts
        result.faults += is_reached
        if counts:
            result.failed.append(f'{case.name}, step {number}: {counts}')
        if not is_reached:
            return


def fault_at(steps: Steps, place: Path, url: str | None, scenario: Scenario) -> tuple[Counts, bool]:
    """Does the scenario with one fault, then recovers; returns what was wrong, and whether it was hit."""
    application = Application(place, url)
    application.learn()
    is_reached = crash(steps, application, scenario)
    application.recover()
    counts = application.check()
    application.engine.dispose()
    return counts, is_reached


def crash(steps: Steps, application: Application, scenario: Scenario) -> bool:
    """Has a child do the scenario with one fault, and hears what it notes; returns whether it was hit."""
    notes = Notes()
    application.engine.dispose()
    status = processes.wait(processes.fork(_suffer, steps, application, scenario, notes))
    assert status != BROKEN, 'the scenario failed by itself'
    application.expected.hear('scenario', notes.read())
    notes.close()
    return status != UNTOUCHED


def _suffer(steps: Steps, application: Application, scenario: Scenario, notes: Notes) -> None:
    """Does the scenario. It may swallow its fault, and may not fail without one."""
    steps.begin()
    application = application.again(steps.faults)
    try:
        scenario(application, notes)
    except BaseException:
        if not steps.is_reached:
            raise
    application.engine.dispose()
    if steps.is_reached:
        processes.leave(STRUCK)


def transaction(way: type[Work], change: scenarios.Change, end: scenarios.Change) -> Scenario:
    """A transaction, written in one way, with an end."""

    def scenario(application: Application, notes: Notes) -> None:
        def body(work: Work) -> None:
            change(work)
            end(work)

        way.run(application.engine, notes, body)

    return scenario


def sweep(application: Application, notes: Notes) -> None:
    """One sweep."""
    application.recover()


def prepared(place: Path, url: str | None) -> None:
    """A database with some documents."""
    application, notes = Application(place, url), Notes()
    application.create(scenarios.SLOTS)
    Work.run(application.engine, notes, scenarios.prepare)
    application.engine.dispose()
    notes.close()


def littered(place: Path, url: str | None) -> None:
    """A database and a folder with what several crashes left."""
    prepared(place, url)
    for number in range(3, 60, 4):
        anything = functools.partial(_anything, seed=number)
        crash(SystemSteps(number, 'kill', 'middle'), Application(place, url), anything)


def _anything(application: Application, notes: Notes, seed: int) -> None:
    """Some random transactions, so that no two crashes are alike."""
    chance = random.Random(seed)
    for _ in range(3):
        write_once(application.engine, notes, chance, scenarios.SLOTS)


def all_cases(faults: Iterable[str] = FAULTS, ways: Iterable[type[Work]] = WAYS) -> list[Case]:
    """Every scenario, in every way, with every end, and a sweep; every fault at every moment."""
    found = [
        (f'{way.__name__} {change.__name__} {end.__name__}', prepared, transaction(way, change, end))
        for change, end, way in itertools.product(scenarios.SCENARIOS, scenarios.ENDS, ways)
    ]
    found.append(('sweep', littered, sweep))
    return [
        Case(f'{name}: {kind}', beginning, scenario, steps)
        for kind, steps in all_steps(faults)
        for name, beginning, scenario in found
    ]


def all_steps(faults: Iterable[str]) -> Iterator[tuple[str, Callable[[int], Steps]]]:
    """All kinds of faults."""
    for fault in faults:
        if fault in FAULTS:
            yield f'{fault} in the storage', functools.partial(StorageSteps, fault=fault)
        for moment in MOMENTS:
            yield f'{fault} {moment}', functools.partial(SystemSteps, fault=fault, moment=moment)


def cases_of_a_server() -> list[Case]:
    """The cases that a server knows besides: it may be lost, and it can prepare."""
    return all_cases([*FAULTS, 'disconnect'], [*WAYS, TwoPhaseWork])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--every', type=int, default=1, metavar='N', help='only each N-th of the cases')
    parser.add_argument('--url', help='of an empty database; SQLite in a temporary folder without it')
    options = parser.parse_args()
    cases = cases_of_a_server() if options.url else all_cases()
    result = run(cases[:: options.every], options.url)
    print(*result.failed[:20], result, sep='\n')


if __name__ == '__main__':
    main()
