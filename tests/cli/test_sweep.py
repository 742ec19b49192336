"""``depot sweep`` and ``depot ledger adopt`` on the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from depot.cli.commands import depot
from depot.manager import DepotManager

#: An application, as a user would write it.
MODELS = """
from depot.fields.sqlalchemy import UploadedFileField
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger
from sqlalchemy import Integer, MetaData, NullPool, create_engine, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

DepotManager.configure('default', {'depot.storage_path': './files'})


class Request:
    def __getattr__(self, name):
        raise RuntimeError('Working outside of request context')


request = Request()

class Base(DeclarativeBase):
    pass


ledger = Ledger(Base.metadata)


class Document(Base):
    __tablename__ = 'documents'
    id = mapped_column(Integer, primary_key=True)
    content = mapped_column(UploadedFileField)


engine = create_engine('sqlite:///app.sqlite', poolclass=NullPool)
Base.metadata.create_all(engine)
number = 3


class nested:
    base = Base
    metadata = 3


def make():
    return Base


def without():
    return MetaData()
"""


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application's module, in the folder at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    (tmp_path / 'shop_models.py').write_text(MODELS)
    DepotManager._clear()
    importlib.invalidate_caches()
    yield importlib.import_module('shop_models')
    del sys.modules['shop_models']
    DepotManager._clear()


@pytest.fixture
def session(models: Any) -> Iterator[Any]:
    from sqlalchemy.orm import Session

    with Session(models.engine) as session:
        yield session


def run(*arguments: str, app: str = 'shop_models:Base') -> Result:
    return CliRunner().invoke(depot, [*arguments, '--app', app])


def add(models: Any, session: Any, *contents: bytes) -> None:
    session.add_all([models.Document(content=each) for each in contents])
    session.commit()


def forget(models: Any, session: Any) -> None:
    session.execute(models.ledger.table.delete())
    session.commit()


@pytest.mark.parametrize('command', [['sweep'], ['sweep', '--quick'], ['ledger', 'adopt']], ids=' '.join)
def test_where_all_is_well_it_says_so(models: Any, session: Any, command: list[str]) -> None:
    add(models, session, b'one')
    result = run(*command)
    assert (result.exit_code, result.output) == (0, 'nothing to do\n')


def test_it_says_what_it_removed_and_why(models: Any, session: Any) -> None:
    orphan = DepotManager.get().create(b'orphan')
    add(models, session, b'one')
    result = run('sweep')
    assert (result.exit_code, result.output) == (0, 'nothing to do\n')
    result = run('sweep', '--grace', '0s', '--dry-run')
    line = f'removed    default/{orphan}: neither a row nor the ledger speaks of it\n'
    assert (result.exit_code, result.output) == (
        0,
        f'Nothing was changed. This would be done:\n{line}would have: 1 removed\n',
    )
    result = run('sweep', '--grace', '0s')
    assert (result.exit_code, result.output) == (0, f'{line}1 removed\n')
    assert len(DepotManager.get().list()) == 1


def test_a_row_without_its_file_is_a_problem(models: Any, session: Any) -> None:
    add(models, session, b'one')
    path = session.get(models.Document, 1).content.path
    DepotManager.get().delete(path.partition('/')[2])
    result = run('sweep')
    assert result.exit_code == 1
    assert result.output == (
        f'missing    {path}: documents.content of row 1 refers to it, but it is not there\n1 missing\n'
    )


def test_an_implausible_share_has_to_be_forced(models: Any) -> None:
    for _ in range(21):
        DepotManager.get().create(b'orphan')
    result = run('sweep', '--grace', '0s')
    assert result.exit_code == 1
    assert result.output.endswith('21 left\n')
    assert run('sweep', '--grace', '0s', '--force').output.endswith('21 removed\n')


def test_the_files_of_old_rows_are_adopted(models: Any, session: Any) -> None:
    add(models, session, b'one', b'two')
    forget(models, session)
    assert run('ledger', 'adopt', '--dry-run').output == 'would have: 2 adopted\n'
    assert run('ledger', 'adopt').output == '2 adopted\n'
    assert run('ledger', 'adopt').output == 'nothing to do\n'


@pytest.mark.parametrize('attribute', ['Base', 'Base.metadata', 'ledger', 'make', 'nested.base'])
def test_the_application_says_where_its_models_are(attribute: str) -> None:
    assert run('sweep', app=f'shop_models:{attribute}').exit_code == 0


def test_another_database_can_be_named(models: Any, session: Any) -> None:
    add(models, session, b'one')
    forget(models, session)
    assert run('sweep', '--database', 'sqlite:///app.sqlite').output == '1 adopted\n'
    for command in ['sweep'], ['ledger', 'adopt']:
        result = run(*command, '--database', 'sqlite:///other.sqlite')
        assert result.exit_code == 2
        assert 'there is no database other.sqlite in ' in ' '.join(result.output.split())
        assert not Path('other.sqlite').exists()
    Path('other.sqlite').touch()
    result = run('sweep', '--database', 'sqlite:///other.sqlite')
    assert result.exit_code == 2
    assert ('the database sqlite:///other.sqlite lacks the tables depot_ledger, documents; make them with') in ' '.join(
        result.output.split()
    )


@pytest.mark.parametrize(
    ('app', 'message'),
    [
        ('shop_models', '--app shop_models: it is a module, a colon and an object in it, such as myapp.models:Base'),
        ('shop_models:', '--app shop_models:: it is a module, a colon and an object in it, such as myapp.models:Base'),
        ('shop_model:Base', "No module named 'shop_model'; it is looked for in this folder and on PYTHONPATH"),
        ('shop_models.inner:Base', "No module named 'shop_models.inner'"),
        (
            './shop_models.py:Base',
            '--app ./shop_models.py:Base: it is a module, a colon and an object in it, such as myapp.models:Base',
        ),
        (
            '..shop_models:Base',
            '--app ..shop_models:Base: it is a module, a colon and an object in it, such as myapp.models:Base',
        ),
        (
            'shop/models.py:Base',
            '--app shop/models.py:Base: it is a module, a colon and an object in it, such as myapp.models:Base',
        ),
        ('shop_models:Bas', "has no attribute 'Bas'; what has metadata there: Base, ledger, Document"),
        ('shop_models:func', 'no metadata in an object of the type _FunctionGenerator; what has metadata there: Base'),
        ('shop_models:number', 'no metadata in an object of the type int; what has metadata there: Base, ledger'),
        ('json:dumps.x', "has no attribute 'x'; one that has is myapp.models:Base"),
        ('shop_models:nested', 'no metadata in an object of the type type'),
        ('shop_models:without', r'a sweep needs one ledger, not 0; make one with Ledger(Base.metadata)'),
    ],
)
def test_what_cannot_be_found_is_named_with_what_would_work(app: str, message: str) -> None:
    result = run('sweep', app=app)
    assert result.exit_code == 2
    assert message in ' '.join(result.output.split())


def test_a_module_whose_own_imports_fail_says_which(tmp_path: Path) -> None:
    (tmp_path / 'broken_models.py').write_text('import nowhere_at_all')
    result = run('sweep', app='broken_models:Base')
    assert isinstance(result.exception, ModuleNotFoundError)
    assert result.exception.name == 'nowhere_at_all'


def test_an_engine_that_cannot_be_used_is_named(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine, message in (
        (None, "neither it nor its module has an 'engine'; give --database"),
        (3, 'of the type int, cannot'),
    ):
        monkeypatch.setattr(models, 'engine', engine)
        result = run('sweep')
        assert result.exit_code == 2
        assert message in ' '.join(result.output.split())


def test_a_database_that_cannot_be_reached_is_named() -> None:
    result = run('sweep', '--database', 'sqlite:///.')
    assert result.exit_code == 1
    assert 'the database says: ' in result.output
    result = run('sweep', '--database', 'sqlite:////nowhere/at/all')
    assert result.exit_code == 2
    assert 'there is no database /nowhere/at/all' in ' '.join(result.output.split())
    result = run('sweep', '--database', 'no url')
    assert result.exit_code == 2
    assert '--database no url' in result.output


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'psycopg', None)
    result = run('sweep', '--database', 'postgresql+psycopg://somebody:secret@localhost/shop')
    assert result.exit_code == 2
    assert 'its driver psycopg is not installed; install it, or name another' in ' '.join(result.output.split())
    assert 'secret' not in result.output


def test_a_full_sweep_looks_at_old_files_too(models: Any, session: Any) -> None:
    assert run('sweep', '--grace', '0s').output == 'nothing to do\n'
    add(models, session, b'one')
    path = session.get(models.Document, 1).content.path
    DepotManager.get().delete(path.partition('/')[2])
    later = str(datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1))
    session.execute(text(f"UPDATE depot_ledger SET since = '{later}' WHERE state = 'swept'"))
    session.commit()
    assert run('sweep').output == 'nothing to do\n'
    assert run('sweep', '--full').output.endswith('1 missing\n')
    result = run('sweep', '--full', '--quick')
    assert (result.exit_code, '--quick reads no rows' in result.output) == (2, True)


def test_no_grace_period_is_too_long(models: Any, session: Any) -> None:
    DepotManager.get().create(b'orphan')
    result = run('sweep', '--grace', '999999d')
    assert (result.exit_code, result.output) == (0, 'nothing to do\n')


@pytest.mark.parametrize('grace', ['', '1', 'd', '-1d', '1.5h', '1y', 'one day', '9999999d'])
def test_a_grace_period_that_is_none_is_named_with_what_would_work(grace: str) -> None:
    result = run('sweep', '--grace', grace)
    assert result.exit_code == 2
    assert 'one looks like 30m, 12h or 1d' in ' '.join(result.output.split())


def test_it_looks_in_the_folder_at_hand(models: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, 'path', [each for each in sys.path if each != str(tmp_path)])
    monkeypatch.delitem(sys.modules, 'shop_models')
    DepotManager._clear()
    assert run('sweep').exit_code == 0
