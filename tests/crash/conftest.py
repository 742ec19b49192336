"""How long the harnesses run, and the line that each prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from depot.manager import DepotManager

from ..services.postgres import postgres_url as postgres_url

LINE = 'line of counts'


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--crash-rounds', type=int, default=1, metavar='N', help='let the harnesses of crashes run N times as long'
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for outcome in ('passed', 'failed') for each in terminalreporter.getreports(outcome)]
    lines = [text for each in reports for name, text in each.user_properties if name == LINE]
    if lines:
        terminalreporter.section('crashes')
    for each in lines:
        terminalreporter.write_line(each)


@pytest.fixture
def rounds(pytestconfig: pytest.Config) -> int:
    """How many times as long as in CI."""
    return int(pytestconfig.getoption('--crash-rounds', 1))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Prints a line of counts at the end of the test run, whether the test passes or not."""
    properties = request.node.user_properties  # which a process of pytest-xdist sends on
    return lambda result: properties.append((LINE, f'{request.node.name}: {result}'))


@pytest.fixture(params=['sqlite', 'postgresql'])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the database is; None for SQLite in a file."""
    return None if request.param == 'sqlite' else request.getfixturevalue('postgres_url')


@pytest.fixture(autouse=True)
def no_storage_is_left() -> Iterator[None]:
    yield
    DepotManager._clear()
