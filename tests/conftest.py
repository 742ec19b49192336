"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from .services.fakegcs import fakegcs as fakegcs
from .services.moto import moto as moto
from .services.seaweedfs import seaweedfs as seaweedfs
from .services.secantusdb import mongo_database_url as mongo_database_url
from .services.secantusdb import mongo_url as mongo_url

# No test is judged by the clock, and none by chance: the examples are the same in each run, whatever the machine says
# of itself. For others, ``--hypothesis-profile=default``.
settings.register_profile(
    'depot',
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile('depot')

# A skip with a reason that begins so is allowed in CI too: what it needs is not to be had there.
_ALLOWED_IN_CI = 'Skipped: impossible here'


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _no_skip_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, pytest.CollectReport]:
    return _no_skip_in_ci((yield))


def _no_skip_in_ci(report: Any) -> Any:
    """CI has all that a test can need; a test that is skipped there would be a test that nobody runs."""
    if os.environ.get('CI') == 'true' and report.skipped and not hasattr(report, 'wasxfail'):
        reason = str(report.longrepr[2])
        if not reason.startswith(_ALLOWED_IN_CI):
            report.outcome = 'failed'
            report.longrepr = f'{reason}\n(CI skips nothing: see tests/conftest.py)'
    return report
