"""The house keeps its shape: imports run down only, and each dependency has one door."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / 'depot').rglob('*.py'))

#: The floor of every room; docs/design.rst draws them.
FLOORS = {
    'errors': 0,
    'utils': 0,
    'signing': 1,
    'threads': 1,
    'io': 1,
    'manager': 2,
    'transactions': 3,
    'images': 3,
    'fields': 4,
    'serving': 4,
    'middleware': 5,
    'cli': 7,
    '__main__': 8,
}

#: Where ``import depot`` itself leads, and rooms that nobody knows.
TOO_HIGH = 99

#: Which modules may import a package from outside; a path that ends in ``/`` is a folder.
DOORS = {
    'anyascii': ['depot/utils.py'],
    'bson': ['depot/io/gridfs.py', 'depot/io/mongodb/'],
    'boto3': ['depot/io/boto3.py'],
    'botocore': ['depot/io/s3/'],
    'click': ['depot/cli/'],
    'flask': ['depot/cli/demo/'],
    'google': ['depot/io/gcs.py', 'depot/io/googlecloud/'],
    'requests': ['depot/io/googlecloud/'],  # by which Google's packages send
    'urllib3': ['depot/io/objects/answers.py'],
    'itsdangerous': ['depot/signing.py'],
    'ming': ['depot/fields/ming.py', 'depot/transactions/drivers/ming/'],
    'gridfs': ['depot/io/gridfs.py'],
    'PIL': ['depot/cli/demo/photos.py', 'depot/images/pil.py'],
    'pillow_heif': ['depot/images/pillow_files.py'],
    'pyvips': ['depot/images/vips.py'],
    'pymongo': ['depot/io/gridfs.py', 'depot/io/mongodb/', 'depot/transactions/drivers/ming/'],
    'sqlalchemy': [
        'depot/fields/sqlalchemy.py',
        'depot/fields/attributes.py',
        'depot/fields/multiple.py',
        'depot/fields/rows.py',
        'depot/transactions/drivers/sqlalchemy/',
        'depot/transactions/counting.py',
        'depot/transactions/ledger.py',
        'depot/transactions/entries.py',
        'depot/transactions/sweeper.py',
        'depot/transactions/sweeping/',
        'depot/transactions/triggers/',
        'depot/cli/apps.py',
        'depot/cli/demo/',
    ],
    'typing_extensions': ['depot/fields/'],  # for type checkers only: nothing imports it when it runs
    'waitress': ['depot/cli/demo/'],
    'werkzeug': ['depot/cli/demo/'],
}

#: Folders whose own path applications import, so that they re-export what is inside.
FACADES = {'depot/io/contract/__init__.py', 'depot/io/faults/__init__.py'}


class Import(NamedTuple):
    """What one import statement names: ``depot.io.utils``, ``sqlalchemy.orm``."""

    name: str
    line: int

    @property
    def package(self) -> str:
        return self.name.partition('.')[0]

    @property
    def room(self) -> str:
        """The part of ``depot`` that is imported."""
        return [*self.name.split('.'), ''][1]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _room(path: Path) -> str:
    return path.relative_to(ROOT / 'depot').with_suffix('').parts[0]


def _imports(path: Path) -> Iterator[Import]:
    """Every import in a module, also inside functions and under ``TYPE_CHECKING``."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (Import(each.name, node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*_package(path, node.level), *filter(None, [node.module])]
            yield from (Import('.'.join([*base, each.name]), node.lineno) for each in node.names)


def _package(path: Path, level: int) -> list[str]:
    """Where the ``level`` dots of a relative import lead to."""
    folders = path.relative_to(ROOT).parts[:-1]
    return list(folders[: len(folders) + 1 - level]) if level else []


def _may_import(room: str, other: str) -> bool:
    return other == room or FLOORS.get(other, TOO_HIGH) < FLOORS[room]


def _may_pass(name: str, doors: list[str]) -> bool:
    return any(name.startswith(door) if door.endswith('/') else name == door for door in doors)


@pytest.mark.parametrize('path', MODULES, ids=_name)
def test_a_room_has_a_floor(path: Path) -> None:
    assert _room(path) == '__init__' or _room(path) in FLOORS, 'which floor is this room on? see docs/design.rst'


@pytest.mark.parametrize('path', MODULES, ids=_name)
def test_imports_run_down_only(path: Path) -> None:
    inside = [each for each in _imports(path) if each.package == 'depot']
    upward = [each for each in inside if not _may_import(_room(path), each.room)]
    assert not upward, f'{_room(path)} is on floor {FLOORS[_room(path)]}'


@pytest.mark.parametrize('path', MODULES, ids=_name)
def test_a_dependency_has_one_door(path: Path) -> None:
    outside = [each for each in _imports(path) if each.package not in {'depot', *sys.stdlib_module_names}]
    strays = [each for each in outside if not _may_pass(_name(path), DOORS.get(each.package, []))]
    assert not strays, 'a package from outside has one door; see DOORS'


@pytest.mark.parametrize('path', [each for each in MODULES if each.name == '__init__.py'], ids=_name)
def test_an_init_holds_a_docstring_and_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1 or _name(path) in FACADES


@pytest.mark.parametrize('path', MODULES, ids=_name)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))


def test_every_room_of_the_table_is_built_and_drawn() -> None:
    drawing = (ROOT / 'docs/design.rst').read_text(encoding='utf-8')
    assert set(FLOORS) == {_room(path) for path in MODULES} - {'__init__'}
    assert [room for room in FLOORS if room not in drawing] == []


def test_every_door_is_used() -> None:
    used = {(each.package, _name(path)) for path in MODULES for each in _imports(path)}
    unused = [
        (package, door) for package, doors in DOORS.items() for door in doors if not _is_used(package, door, used)
    ]
    assert not unused


def _is_used(package: str, door: str, used: set[tuple[str, str]]) -> bool:
    return any(package == each and _may_pass(name, [door]) for each, name in used)


def test_the_rules_see_what_they_are_to_refuse() -> None:
    assert not _may_import('io', 'manager')
    assert not _may_import('serving', 'fields')
    assert _may_import('fields', 'fields')
    assert not _may_pass('depot/io/local.py', DOORS['sqlalchemy'])
    assert _may_pass('depot/transactions/drivers/sqlalchemy/rows.py', DOORS['sqlalchemy'])
    assert _package(ROOT / 'depot/io/contract/reads.py', 3) == ['depot']
