"""A fault at step 1, 2, 3, ... of a scenario, until it passes untouched; after each a recovery, a sweep, a check.

Long: ``python -m tests.crash.enumerated`` does all of it; with ``--every 10``, each tenth of the cases.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import processes, scenarios
from .application import Application
from .counts import Counts
from .notes import Notes
from .steps import FAULTS, MOMENTS, Steps, StorageSteps, SystemSteps
from .works import WAYS, Work
from .writers import write_once

Scenario = Callable[[Application, Notes], None]

# How a child tells whether its step came. One that was killed says nothing: it was killed at its step.
UNTOUCHED, STRUCK, BROKEN = 0, 2, 1


class Case(NamedTuple):
    """A scenario, from a beginning, and one kind of fault."""

    name: str
    beginning: Callable[[Path], None]
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


def run(cases: Iterable[Case]) -> Enumerated:
    """A fault at each step of each case."""
    result = Enumerated()
    with tempfile.TemporaryDirectory(prefix='depot-faults-') as folder:
        begin = functools.cache(functools.partial(_begun, Path(folder)))
        for case in cases:
            result.cases += 1
            fault_at_each_step(case, begin(case.beginning), Path(folder, 'copy'), result)
    return result


def _begun(folder: Path, beginning: Callable[[Path], None]) -> Path:
    place = folder / beginning.__name__
    place.mkdir()
    beginning(place)
    return place


def fault_at_each_step(case: Case, beginning: Path, place: Path, result: Enumerated) -> None:
    """Until there is no such step."""
    for number in itertools.count(1):
        shutil.copytree(beginning, place)
        counts, is_reached = fault_at(case.make_steps(number), place, case.scenario)
        shutil.rmtree(place)
        result.counts += counts
        result.faults += is_reached
        if counts:
            result.failed.append(f'{case.name}, step {number}: {counts}')
        if not is_reached:
            return


def fault_at(steps: Steps, place: Path, scenario: Scenario) -> tuple[Counts, bool]:
    """Does the scenario with one fault, then recovers; returns what was wrong, and whether it was hit."""
    application = Application(place)
    application.learn()
    is_reached = crash(steps, application, place, scenario)
    application.recover()
    counts = application.check()
    application.engine.dispose()
    return counts, is_reached


def crash(steps: Steps, application: Application, place: Path, scenario: Scenario) -> bool:
    """Has a child do the scenario with one fault, and hears what it notes; returns whether it was hit."""
    notes = Notes()
    application.engine.dispose()
    status = processes.wait(processes.fork(_suffer, steps, place, scenario, notes))
    assert status != BROKEN, 'the scenario failed by itself'
    application.expected.hear('scenario', notes.read())
    notes.close()
    return status != UNTOUCHED


def _suffer(steps: Steps, place: Path, scenario: Scenario, notes: Notes) -> None:
    """Does the scenario. It may swallow its fault, and may not fail without one."""
    application = Application(place, **steps.options)
    steps.begin()
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
        with way(application.engine, notes) as work:
            change(work)
            end(work)

    return scenario


def sweep(application: Application, notes: Notes) -> None:
    """One sweep."""
    application.recover()


def prepared(place: Path) -> None:
    """A database with some documents."""
    application, notes = Application(place), Notes()
    application.create(scenarios.SLOTS)
    with Work(application.engine, notes) as work:
        scenarios.prepare(work)
        work.commit()
    application.engine.dispose()
    notes.close()


def littered(place: Path) -> None:
    """A database and a folder with what several crashes left."""
    prepared(place)
    for number in range(3, 60, 4):
        anything = functools.partial(_anything, seed=number)
        crash(SystemSteps(number, 'kill', 'middle'), Application(place), place, anything)


def _anything(application: Application, notes: Notes, seed: int) -> None:
    """Some random transactions, so that no two crashes are alike."""
    chance = random.Random(seed)
    for _ in range(3):
        write_once(application.engine, notes, chance, scenarios.SLOTS)


def all_cases() -> list[Case]:
    """Every scenario, in every way, with every end, and a sweep; every fault at every moment."""
    found = [
        (f'{way.__name__} {change.__name__} {end.__name__}', prepared, transaction(way, change, end))
        for change, end, way in itertools.product(scenarios.SCENARIOS, scenarios.ENDS, WAYS)
    ]
    found.append(('sweep', littered, sweep))
    return [
        Case(f'{name}: {kind}', beginning, scenario, steps)
        for kind, steps in all_steps()
        for name, beginning, scenario in found
    ]


def all_steps() -> list[tuple[str, Callable[[int], Steps]]]:
    """All kinds of faults: the kills first."""
    found: list[tuple[str, Callable[[int], Steps]]] = []
    for fault in FAULTS:
        found.append((f'{fault} in the storage', functools.partial(StorageSteps, fault=fault)))
        for moment in MOMENTS:
            found.append((f'{fault} {moment}', functools.partial(SystemSteps, fault=fault, moment=moment)))
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--every', type=int, default=1, metavar='N', help='only each N-th of the cases')
    result = run(all_cases()[:: parser.parse_args().every])
    print(*result.failed[:20], result, sep='\n')


if __name__ == '__main__':
    main()
