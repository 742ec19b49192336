"""Every case of the table, on every server and every storage."""

from __future__ import annotations

import pytest

from .cases.table import ATTACKS, CASES
from .cases.words import Case, NotModified, OneOf, Refused
from .servers.asking import Asking
from .servers.samples import LOCAL, MEMORY


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


def _is_plain(case: Case) -> bool:
    """Whether the server passes the request on, and has no reason to end the connection."""
    return not isinstance(case.want, (OneOf, Refused)) and case.version == b'HTTP/1.1'


def _connections(server: str, cases: list[Case]) -> int:
    """How many it takes: gunicorn's sync worker keeps none, waitress ends one after what has no length."""
    without_length = sum(isinstance(each.want, NotModified) for each in cases)
    return {'gunicorn': len(cases), 'waitress': 1 + without_length}.get(server, 1)


@pytest.mark.parametrize('storage', [LOCAL, MEMORY])
def test_answers_over_one_connection_are_not_mixed_up(asking, storage):
    cases = [each for each in CASES if storage in each.sample.storages and _is_plain(each)]
    known = [each for each in cases if not asking.complaint(each, storage)]
    assert len(known) > len(cases) / 2
    complaints, connections = asking.complaints_of_one_connection(known, storage)
    assert not complaints
    assert connections == _connections(asking.server.name, known)


def test_the_table_is_as_large_as_it_says():
    names = [(case.name, case.method) for case in CASES + ATTACKS]
    assert len(set(names)) == len(names)
    assert len(CASES) >= 250
    assert len(ATTACKS) >= 100
    assert all(case.why for case in CASES + ATTACKS)
