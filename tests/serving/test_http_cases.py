"""Every case of the table, on every server and every storage."""

from __future__ import annotations

import pytest

from .cases.table import ATTACKS, CASES
from .cases.words import Case
from .servers.asking import Asking


def _each(table: list[Case]):
    return pytest.mark.parametrize('case', table, ids=lambda case: case.name)


def _complaints(asking: Asking, case: Case) -> str:
    storages = [each for each in asking.server.storages if each in case.sample.storages]
    complaints = filter(None, (asking.complaint(case, each) for each in storages))
    return '\n'.join([*complaints])


@_each(CASES)
def test_a_case_of_the_table_is_answered_as_it_must_be(asking, case):
    complaints = _complaints(asking, case)
    assert not complaints, f'{case.why}\n{complaints}'


@_each(ATTACKS)
def test_an_attack_reaches_nothing_and_breaks_nothing(asking, case):
    complaints = _complaints(asking, case)
    assert not complaints, f'{case.why}\n{complaints}'


def test_the_table_is_as_large_as_it_says():
    names = [(case.name, case.method) for case in CASES + ATTACKS]
    assert len(set(names)) == len(names)
    assert len(CASES) >= 250
    assert len(ATTACKS) >= 100
    assert all(case.why for case in CASES + ATTACKS)
