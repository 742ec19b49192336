"""The manual tells the truth: every example runs, every link leads somewhere, README's commands are as promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sybil import Sybil
from sybil.parsers.rest import PythonCodeBlockParser

from depot.io.mongodb.connection import connected
from depot.manager import DepotManager

from .services.ming import mongodb_of_the_manual as mongodb_of_the_manual

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
PAGES = sorted(DOCS.glob('*.rst'))
README = ROOT / 'README.rst'

EXAMPLES = Sybil(parsers=[PythonCodeBlockParser()])

#: The fixtures that the examples of a page ask for.
FIXTURES = {
    'gcs.rst': ['google_cloud'],
    'gridfs.rst': ['gridfs_of_the_manual'],
    'ming.rst': ['mongodb_of_the_manual'],
    'moving.rst': ['moto'],
    's3.rst': ['moto'],
}


def _name(path: Path) -> str:
    return path.name


@pytest.fixture
def google_cloud(fakegcs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('STORAGE_EMULATOR_HOST', fakegcs)
    monkeypatch.delenv('GOOGLE_APPLICATION_CREDENTIALS', raising=False)


@pytest.fixture
def gridfs_of_the_manual(mongo_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """GridFS finds an empty server by the address that examples have."""
    databases = {'mongodb://localhost:27017/app': mongo_database_url}
    monkeypatch.setattr('depot.io.gridfs.connected', lambda mongouri: connected(databases[mongouri]))


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    DepotManager._clear()
    yield
    DepotManager._clear()


@pytest.mark.usefixtures('in_an_empty_folder')
@pytest.mark.parametrize('page', [README, *PAGES], ids=_name)
def test_the_examples_of_a_page_run_one_after_the_other(page: Path, request: pytest.FixtureRequest) -> None:
    for each in FIXTURES.get(page.name, ()):
        request.getfixturevalue(each)
    document = EXAMPLES.parse(page)
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        for engine in [each for each in document.namespace.values() if isinstance(each, Engine)]:
            engine.dispose()


def test_there_are_examples() -> None:
    counts = {page.name: len(list(EXAMPLES.parse(page).examples())) for page in [README, *PAGES]}
    assert {name for name, count in counts.items() if count} >= {
        'README.rst',
        'asyncio.rst',
        'gridfs.rst',
        'index.rst',
        'ming.rst',
        'moving.rst',
        'quickstart.rst',
        'serving.rst',
        'storages.rst',
        'testing.rst',
        'transactions.rst',
        'writing-a-storage.rst',
    }


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r'^    ([a-z0-9-]+)$', (DOCS / 'index.rst').read_text(encoding='utf-8'), re.MULTILINE)
    assert sorted([*listed, 'index']) == [page.stem for page in PAGES]


@pytest.mark.parametrize('page', [README, *PAGES], ids=_name)
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding='utf-8')
    named = re.findall(r'``((?:docs|tests|depot)/[\w./-]+)``', text)
    shown = re.findall(r'^\s*\.\. (?:literalinclude|image|figure):: (\S+)', text, re.MULTILINE)
    missing = [each for each in named if not (ROOT / each).exists()]
    missing += [each for each in shown if not (page.parent / each).exists()]
    assert not missing


def test_readme_has_the_two_commands() -> None:
    commands = re.findall(r'^    (pip .*)$', README.read_text(encoding='utf-8'), re.MULTILINE)
    assert commands == ["pip install -e '.[demo]' && depot demo", "pip install -e '.[test]' && pytest"]
