"""What a user installs: the distribution, what it needs, and what is in its wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]

#: What needs no extra.
CORE = (
    'depot.errors',
    'depot.fields.interfaces',
    'depot.fields.upload',
    'depot.io.contract',
    'depot.io.local',
    'depot.io.memory',
    'depot.manager',
    'depot.middleware',
    'depot.signing',
    'depot.transactions.scope',
    'depot.utils',
)


def run(*command: object, cwd: Path, **environment: str) -> str:
    """What a program prints; fails with it when the program does."""
    environ = {**os.environ, **environment}
    done = subprocess.run(map(str, command), cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree, built outside of it."""
    folder = tmp_path_factory.mktemp('wheel')
    build = ('egg_info', '--egg-base', folder, 'build', '--build-base', folder, 'bdist_wheel', '--dist-dir', folder)
    run(sys.executable, 'setup.py', '--quiet', *build, cwd=ROOT)
    return next(folder.glob('*.whl'))


@pytest.fixture(scope='module')
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is in the wheel."""
    folder = tmp_path_factory.mktemp('installed')
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_distribution_takes_the_place_of_the_published_one(wheel: Path) -> None:
    assert wheel.name == 'filedepot-1.0.0-py3-none-any.whl'


def test_what_is_installed_knows_its_version() -> None:
    assert metadata.version('filedepot') == '1.0.0'
    assert metadata.metadata('filedepot')['Requires-Python'] == '>=3.10'


def test_the_core_needs_two_small_packages() -> None:
    needed = metadata.requires('filedepot') or []
    assert [each for each in needed if 'extra ==' not in each] == ['anyascii', 'itsdangerous>=2.0']


def test_each_need_has_an_extra() -> None:
    extras = set(metadata.metadata('filedepot').get_all('Provides-Extra') or [])
    needs = {'sqlalchemy', 'images', 'ming', 's3', 'gcs', 'gridfs', 'cli', 'demo', 'all'}
    assert extras == {*needs, 'test', 'services', 'lint', 'docs'}


def test_the_wheel_has_the_package_whole_and_nothing_else(installed: Path) -> None:
    def inside(root: Path) -> set[str]:
        found = {each.relative_to(root).as_posix() for each in (root / 'depot').rglob('*') if each.is_file()}
        return {each for each in found if '__pycache__' not in each}

    assert inside(installed) == inside(ROOT)
    assert {each.name for each in installed.iterdir()} == {'depot', 'filedepot-1.0.0.dist-info'}


def test_the_wheel_tells_type_checkers_that_it_is_typed(installed: Path) -> None:
    assert (installed / 'depot/py.typed').exists()


def test_the_wheel_has_the_license(installed: Path) -> None:
    licenses = [each.read_text(encoding='utf-8') for each in installed.rglob('LICENSE')]
    assert licenses == [(ROOT / 'LICENSE').read_text(encoding='utf-8')]


def test_the_command_line_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    told = run(sys.executable, '-m', 'depot', '--help', cwd=tmp_path, PYTHONPATH=str(installed))
    assert 'demo' in told


def test_the_script_is_called_depot() -> None:
    scripts = [each for each in metadata.entry_points(group='console_scripts') if each.value == 'depot.cli.main:main']
    assert [each.name for each in scripts] == ['depot']


@pytest.mark.parametrize('module', CORE)
def test_the_core_works_without_any_extra(module: str, installed: Path, tmp_path: Path) -> None:
    packages = ('sqlalchemy', 'click', 'flask', 'waitress', 'werkzeug', 'typing_extensions')
    block = f'import sys; sys.modules.update(dict.fromkeys({packages!r}))'  # None: it cannot be imported
    run(sys.executable, '-c', f'{block}; import {module}', cwd=tmp_path, PYTHONPATH=str(installed))


def test_the_manager_loads_nothing_heavy(tmp_path: Path) -> None:
    listing = 'import sys; before = set(sys.modules); import depot.manager; print(*set(sys.modules) - before)'
    loaded = {each.partition('.')[0] for each in run(sys.executable, '-c', listing, cwd=tmp_path).split()}
    assert loaded - sys.stdlib_module_names <= {'depot', 'anyascii'}
