"""What may be in the database when the writers are dead, told from what they noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .counts import Counts
from .notes import Note, State

#: Whoever is killed after these is in the middle of nothing.
IDLE = frozenset({'forked', 'acknowledged', 'ended'})

NOTHING: State = (0, None)


class Expected:
    """What each slot may hold: what an earlier check found there, or what a writer meant to commit since."""

    def __init__(self) -> None:
        #: How often each step was noted.
        self.steps: Counter[str] = Counter()
        #: By writer: the last step that it noted.
        self.last: dict[Any, str] = {}
        self._found: dict[int, State] = {}
        self._intended: dict[Any, Mapping[int, State]] = {}
        self._possible: dict[int, set[State]] = {}
        self._acknowledged: dict[int, State] = {}

    def hear(self, writer: Any, notes: Iterable[Note]) -> None:
        """Takes in what one writer noted."""
        for step, states in notes:
            self.steps[step] += 1
            self.last[writer] = step
            if step == 'committing':
                self._intend(writer, states)
            elif step == 'acknowledged':
                self._acknowledge(self._intended[writer])

    def _intend(self, writer: Any, states: Mapping[int, State]) -> None:
        self._intended[writer] = states
        for slot, state in states.items():
            self._possible.setdefault(slot, set()).add(state)

    def _acknowledge(self, states: Mapping[int, State]) -> None:
        for slot, state in states.items():
            if state[0] > self._acknowledged.get(slot, NOTHING)[0]:
                self._acknowledged[slot] = state

    def compare(self, slot: int, state: State) -> Counts:
        """Whether a slot holds less than was committed, or what nobody committed; remembers only what it holds."""
        found = self._found.get(slot, NOTHING)
        acknowledged = self._acknowledged.pop(slot, NOTHING)
        possible = self._possible.pop(slot, set()) | {found}
        self._found[slot] = state
        is_gone, is_ignored = state[0] < found[0], state[0] < acknowledged[0]
        is_phantom = not is_gone and not is_ignored and state not in possible
        return Counts(lost=is_gone, lost_ack=is_ignored, phantom=is_phantom)
