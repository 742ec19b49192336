"""The harnesses find the bugs that are planted, so that they can fail."""

from __future__ import annotations

import datetime

import pytest

from . import enumerated, plants, power, traffic


def test_enumerated_faults_find_an_old_file_that_goes_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    plants.remove_before_the_commit(monkeypatch)
    assert enumerated.run(cases('Work replace commit: kill before')).counts.dangling


def test_power_losses_find_an_old_file_that_goes_before_the_commit() -> None:
    result = power.run(4, losses=1, plant='remove_before_the_commit')
    assert result.order.early_removals
    assert result.counts.dangling


def test_power_losses_find_a_commit_before_its_files_are_durable() -> None:
    result = power.run(4, losses=1, plant='commit_before_files_are_durable')
    assert result.order.late_syncs
    assert result.counts.dangling
    assert result.counts.torn


def test_enumerated_faults_find_an_unknown_outcome_that_is_taken_for_a_rollback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plants.take_an_unknown_outcome_for_a_rollback(monkeypatch)
    assert enumerated.run(cases('Work create commit: interrupt after')).counts.dangling


def test_traffic_finds_a_sweep_without_a_grace_period() -> None:
    assert any(traffic.run(4, grace=datetime.timedelta(0)) for _ in range(40))  # a busy machine needs more of them


def cases(name: str) -> list[enumerated.Case]:
    return [each for each in enumerated.all_cases() if each.name == name]
