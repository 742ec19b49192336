"""``depot demo`` on the command line: what it says, also when it cannot."""

from __future__ import annotations

import functools
import runpy
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import NullPool, create_engine

from depot.cli.commands import depot
from depot.cli.demo import database
from depot.cli.main import main
from depot.manager import DepotManager


@pytest.fixture(autouse=True)
def _nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(database, 'create_engine', functools.partial(create_engine, poolclass=NullPool))
    DepotManager._clear()
    yield
    DepotManager._clear()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that would be served; each server is closed at once instead."""
    ports: list[int] = []

    def close_at_once(server: Any) -> None:
        ports.append(server.effective_port)
        server.close()

    monkeypatch.setattr('waitress.server.TcpWSGIServer.run', close_at_once)
    return ports


def run(*arguments: str) -> Result:
    return CliRunner().invoke(depot, arguments)


def test_it_says_where_it_is_and_where_it_stores(served: list[int], tmp_path: Path) -> None:
    result = run('demo', '--port', '0', '--folder', str(tmp_path / 'new' / 'folder'))
    assert result.exit_code == 0, result.output
    assert f'depot demo is at http://127.0.0.1:{served[0]}/\n' in result.output
    assert str(tmp_path / 'new' / 'folder') in result.output


def test_it_stores_in_the_folder_at_hand_by_default(
    served: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run('demo', '--port', '0').exit_code == 0
    assert (tmp_path / 'depot-demo' / 'documents.sqlite').is_file()


def test_an_address_of_ipv6_is_written_as_a_browser_wants_it(served: list[int], tmp_path: Path) -> None:
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('impossible here: no IPv6 loopback')
    result = run('demo', '--port', '0', '--host', '::1', '--folder', str(tmp_path))
    assert f'http://[::1]:{served[0]}/\n' in result.output


def test_a_taken_port_is_named_with_what_would_work(tmp_path: Path) -> None:
    with socket.create_server(('127.0.0.1', 0)) as other:
        result = run('demo', '--port', str(other.getsockname()[1]), '--folder', str(tmp_path / 'new'))
        assert result.exit_code == 1
        assert f'port {other.getsockname()[1]} of 127.0.0.1: it is taken' in result.output
        assert '--port 0' in result.output
    assert not (tmp_path / 'new').exists()


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    result = run('demo', '--host', '192.0.2.1', '--port', '0', '--folder', str(tmp_path))
    assert result.exit_code == 1
    assert 'cannot listen at port 0 of 192.0.2.1' in result.output


@pytest.mark.parametrize('port', ['-1', '65536', 'http'])
def test_a_port_is_a_number_that_ports_have(port: str) -> None:
    assert run('demo', '--port', port).exit_code == 2


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    assert run('demo', '--folder', str(tmp_path / 'file')).exit_code == 2
    below = run('demo', '--port', '0', '--folder', str(tmp_path / 'file' / 'below'))
    assert below.exit_code == 1
    assert f'cannot store in {tmp_path}/file/below' in below.output
    assert '--folder' in below.output


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / 'documents.sqlite').write_bytes(b'no database' * 1000)
    result = run('demo', '--port', '0', '--folder', str(tmp_path))
    assert result.exit_code == 1
    assert f'cannot store in {tmp_path}' in result.output
    assert 'not a database' in result.output


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, 'argv', ['depot', '--help'])
    with pytest.raises(SystemExit, match='0'):
        runpy.run_module('depot', run_name='__main__')
    assert 'demo' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('missing', 'forgotten'),
    [
        ('click', ['depot.cli.commands']),
        ('flask', ['depot.cli.demo.server', 'depot.cli.demo.app', 'depot.cli.demo.gallery', 'depot.cli.demo.guard']),
        ('PIL', ['depot.cli.demo.server', 'depot.cli.demo.app', 'depot.cli.demo.gallery', 'depot.cli.demo.photos']),
        ('waitress', ['depot.cli.demo.server']),
    ],
)
def test_a_missing_package_is_named_with_how_to_install_it(
    missing: str, forgotten: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for each in forgotten:
        monkeypatch.delitem(sys.modules, each)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(sys, 'argv', ['depot', 'demo', '--port', '0', '--folder', str(tmp_path)])
    with pytest.raises(SystemExit, match=rf"{missing} is not installed.*pip install 'filedepot\[demo\]'"):
        main()


def test_a_fault_of_our_own_is_not_taken_for_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'depot.cli.commands', None)
    with pytest.raises(ModuleNotFoundError, match=r'depot\.cli\.commands'):
        main()
