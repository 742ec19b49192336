"""``depot variants make`` and ``depot variants clear`` on the command line."""

from __future__ import annotations

import importlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from depot.cli.commands import depot
from depot.errors import BackendMissing
from depot.fields.upload import UploadedFile
from depot.images import decoding
from depot.images.recipe import Variant
from depot.images.renditions import find
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager

from ..images.photos import Counted, photo
from ..images.photos import makings as makings

#: An application, as a user would write it.
MODELS = """
from depot.fields.sqlalchemy import UploadedFileField
from depot.images.recipe import Variant
from depot.manager import DepotManager
from sqlalchemy import Integer, MetaData, NullPool, create_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column

DepotManager.configure('default', {'depot.storage_path': './files'})


class Base(DeclarativeBase):
    pass


class Photo(Base):
    __tablename__ = 'photos'
    id = mapped_column(Integer, primary_key=True)
    image = mapped_column(UploadedFileField(variants={
        'thumb': Variant(resize_to_fill=(20, 20)), 'small': Variant(resize=(8, 8)),
    }))
    paper = mapped_column(UploadedFileField)


class Album(Base):
    __tablename__ = 'albums'
    id = mapped_column(Integer, primary_key=True)
    images = mapped_column(UploadedFileField(multiple=True, variants={'thumb': Variant(resize=(12, 12))}))


class Others(DeclarativeBase):
    pass


class Paper(Others):
    __tablename__ = 'papers'
    id = mapped_column(Integer, primary_key=True)
    content = mapped_column(UploadedFileField)


engine = create_engine('sqlite:///app.sqlite', poolclass=NullPool)
Base.metadata.create_all(engine)
Others.metadata.create_all(engine)
"""

THUMB, SMALL, ICON = Variant(resize_to_fill=(20, 20)), Variant(resize=(8, 8)), Variant(resize=(12, 12))


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application's module, in the folder at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    (tmp_path / 'shop_photos.py').write_text(MODELS)
    DepotManager._clear()
    importlib.invalidate_caches()
    yield importlib.import_module('shop_photos')
    del sys.modules['shop_photos']
    DepotManager._clear()


@pytest.fixture
def session(models: Any) -> Iterator[Any]:
    from sqlalchemy.orm import Session

    with Session(models.engine) as session:
        yield session


@pytest.fixture
def two(models: Any, session: Any) -> list[str]:
    """The paths of two photos."""
    photos = [models.Photo(image=photo(blue=each)) for each in (0, 1)]
    session.add_all(photos)
    session.commit()
    return [each.image.path for each in photos]


def run(*arguments: str, app: str = 'shop_photos:Base') -> Result:
    return CliRunner().invoke(depot, ['variants', *arguments, '--app', app])


def made(path: str) -> list[Variant]:
    """The renditions that there are of a file."""
    file_id = path.partition('/')[2]
    return [each for each in (THUMB, SMALL, ICON) if find(DepotManager.require(), file_id, each)]


def test_the_variants_of_all_files_are_made_once(two: list[str], makings: Counted) -> None:
    result = run('make')
    assert (result.exit_code, result.stdout) == (0, '4 made\n')
    assert [made(each) for each in two] == [[THUMB, SMALL]] * 2
    assert run('make').stdout == '4 there already\n'
    assert len(makings) == 4


def test_only_some_can_be_made(two: list[str]) -> None:
    assert run('make', '--name', 'small', '--jobs', '1').stdout == '2 made\n'
    assert [made(each) for each in two] == [[SMALL]] * 2
    assert run('make', '--name', 'small', '--name', 'thumb').stdout in {
        '2 made, 2 there already\n',
        '2 there already, 2 made\n',
    }


def test_the_files_of_a_list_have_them_too(models: Any, session: Any) -> None:
    album = models.Album(images=[photo(), photo(blue=1)])
    session.add_all([album, models.Album(images=[])])
    session.commit()
    assert run('make').stdout == '2 made\n'
    assert [made(each.path) for each in album.images] == [[ICON]] * 2


def test_a_file_that_two_rows_have_is_worked_on_once(models: Any, session: Any, two: list[str]) -> None:
    session.add(models.Photo(image=session.get(models.Photo, 1).image))
    session.commit()
    assert run('make').stdout == '4 made\n'


def test_where_there_are_no_files_there_is_nothing_to_do(models: Any, session: Any) -> None:
    session.add(models.Photo(paper=b'text'))
    session.commit()
    for command in ['make'], ['clear', '--name', 'thumb']:
        result = run(*command)
        assert (result.exit_code, result.output) == (0, 'nothing to do\n')


def test_what_cannot_be_made_is_named_and_the_others_are_made(models: Any, session: Any, two: list[str]) -> None:
    broken, gone = models.Photo(image=b'no image'), models.Photo(image=photo())
    session.add_all([broken, gone])
    session.flush()
    session.execute(text("INSERT INTO photos (image) VALUES ('rubbish')"))
    session.commit()
    DepotManager.require().delete(gone.image.file_id)
    result = run('make', '--name', 'thumb')
    assert (result.exit_code, result.stdout) == (1, '2 made, 3 failed\n')
    unreadable, *others = sorted(result.stderr.splitlines(), key=len)
    assert unreadable.startswith('photos.image: a file column holds JSON')
    assert [each for each in others if each.startswith(f'photos.image {broken.image.path} thumb: ')]
    assert [each for each in others if each.startswith(f'photos.image {gone.image.path} thumb: File ')]


@pytest.mark.parametrize('command', ['make', 'clear'])
def test_a_name_that_no_column_has_is_named(command: str) -> None:
    result = run(command, '--name', 'thumbs')
    assert result.exit_code == 2
    assert "no column has a variant 'thumbs'; there are: small, thumb" in ' '.join(result.output.split())


def test_models_without_variants_are_named() -> None:
    result = run('make', app='shop_photos:Others')
    assert result.exit_code == 2
    assert 'no column has a name for a variant' in ' '.join(result.output.split())


@pytest.fixture
def elsewhere(models: Any, session: Any, tmp_path: Path) -> str:
    """The path of a photo in a storage of its own."""
    DepotManager.configure('elsewhere', {'depot.storage_path': str(tmp_path / 'elsewhere')})
    image = UploadedFile(photo(), 'elsewhere')
    session.add(models.Photo(image=image))
    session.commit()
    return image.path


def test_of_a_storage_that_keeps_none_each_is_named_and_the_others_are_made(
    elsewhere: str, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DepotManager.require('elsewhere'), 'capabilities', frozenset())
    result = run('make')
    assert (result.exit_code, result.stdout) == (1, '4 made, 2 failed\n')
    assert result.stderr.count(f'the storage of {elsewhere} keeps no derived files') == 2


def test_of_a_storage_that_nobody_configured_each_is_named_and_the_others_are_made(
    elsewhere: str, two: list[str]
) -> None:
    del DepotManager._depots['elsewhere']
    for command, done in ('make', '4 made, 2 failed\n'), ('clear', '2 cleared, 1 failed\n'):
        result = run(command)
        assert (result.exit_code, result.stdout) == (1, done)
        assert f'photos.image {elsewhere}' in result.stderr
        assert "no storage 'elsewhere'" in result.stderr


def test_without_the_image_library_it_ends(two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise BackendMissing("images need pyvips and libvips: pip install 'filedepot[images]'")

    monkeypatch.setattr(decoding, 'transformed', fail)
    result = run('make')
    assert result.exit_code == 2
    assert result.output.count('pip install') == 1


def test_a_failing_storage_is_told_for_each_file(two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError('no more room')

    monkeypatch.setattr(LocalFileStorage, 'put_derived', fail)
    result = run('make', '--name', 'thumb')
    assert (result.exit_code, result.stdout) == (1, '2 failed\n')
    assert result.stderr.count('no more room') == 2


def test_an_error_of_ours_is_not_hidden(two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(decoding, 'transformed', fail)
    assert isinstance(run('make').exception, ZeroDivisionError)


def test_no_transaction_is_open_while_they_are_made(
    models: Any, session: Any, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(source: Any, variant: Variant) -> Any:
        with models.engine.begin() as connection:
            connection.execute(text('DELETE FROM photos'))
        return Counted()(source, variant)

    monkeypatch.setattr(decoding, 'transformed', write)
    session.close()
    assert run('make', '--jobs', '1').stdout == '4 made\n'


def test_all_renditions_are_cleared_those_by_recipes_without_a_name_too(
    two: list[str], models: Any, session: Any
) -> None:
    run('make')
    session.get(models.Photo, 1).image.variant(ICON).make()
    assert run('clear').stdout == '2 cleared\n'
    assert [made(each) for each in two] == [[], []]


def test_only_some_can_be_cleared(two: list[str]) -> None:
    run('make')
    result = run('clear', '--name', 'small')
    assert (result.exit_code, result.stdout) == (0, '2 cleared\n')
    assert [made(each) for each in two] == [[THUMB]] * 2


def test_models_without_variants_may_have_renditions_to_clear(models: Any, session: Any) -> None:
    paper = models.Paper(content=photo())
    session.add(paper)
    session.commit()
    paper.content.variant(THUMB).make()
    assert run('clear', app='shop_photos:Others').stdout == '1 cleared\n'
    assert made(paper.content.path) == []


def test_a_terminal_shows_how_far_it_got(two: list[str], tmp_path: Path) -> None:
    terminal, ours = pty.openpty()
    command = [sys.executable, '-m', 'depot', 'variants', 'make', '--app', 'shop_photos:Base']
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2]), 'TERM': 'xterm'}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=ours, cwd=tmp_path, env=environment, check=True)
    os.close(ours)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert done.stdout == b'4 made\n'
    assert '4/4' in shown
