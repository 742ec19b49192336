"""Which storage a command works on: a URL, a file of settings, an application, the environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from depot.cli.commands import depot
from depot.cli.main import main
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager

#: An application's module that configures storages.
APP = """
from depot.manager import DepotManager

DepotManager.configure('default', 'file:of-app')


def configure():
    DepotManager.configure('made', 'file:made-by-app')


class application:
    pass
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    for each in 'DEPOT_URL', 'DEPOT_CONFIG':
        monkeypatch.delenv(each, raising=False)
    DepotManager._clear()
    yield
    DepotManager._clear()
    sys.modules.pop('files_app', None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(depot, ['list', *arguments])


def store(*folders: str) -> None:
    """Each folder becomes a storage whose one file tells that it is this one."""
    for each in folders:
        LocalFileStorage(each).create(b'content', name := Path(each).name, f'text/{name}')


def found(*arguments: str) -> str:
    """The folder of the storage that was found."""
    result = run('--long', *arguments)
    assert result.exit_code == 0, result.output
    assert result.output, 'another storage, with nothing in it'
    return result.output.strip().rpartition('\t')[2]


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    return ' '.join(result.output.split())


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding='utf-8')


# Which goes first


def test_an_option_goes_before_the_environment_and_a_url_before_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    store('a', 'b', 'c')
    write('b.toml', '[depot]\nurl = "file:b"')
    write('c.toml', '[depot.default]\nurl = "file:c"')
    assert 'Give --storage URL, --config FILE or --app MODULE, or set DEPOT_URL or DEPOT_CONFIG' in refused()
    monkeypatch.setenv('DEPOT_CONFIG', 'c.toml')
    assert found() == 'c'
    monkeypatch.setenv('DEPOT_URL', 'file:a')
    assert found() == 'a'
    assert found('--depot', 'default') == 'c'
    assert found('--config', 'b.toml') == 'b'
    assert found('--storage', 'file:b') == 'b'


def test_what_is_empty_in_the_environment_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('DEPOT_URL', '')
    monkeypatch.setenv('DEPOT_CONFIG', '')
    assert 'which storage?' in refused()


@pytest.mark.parametrize(
    'arguments',
    [
        ['--storage', 'file:a', '--config', 'a.toml'],
        ['--storage', 'file:a', '--app', 'a'],
        ['--config', 'a.toml', '--app', 'a'],
    ],
)
def test_one_storage_is_given(arguments: list[str]) -> None:
    assert 'give one of --storage, --config and --app' in refused(*arguments)


def test_a_url_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert '--depot chooses among the storages of --config or --app' in refused(
        '--storage', 'file:a', '--depot', 'default'
    )
    monkeypatch.setenv('DEPOT_URL', 'file:a')
    assert 'a URL has no --depot' in refused('--depot', 'default')


# Files


@pytest.mark.parametrize(
    ('file', 'text'),
    [
        ('a.toml', '[depot]\nurl = "file:files"'),
        ('a.toml', 'depot.url = "file:files"'),
        ('a.toml', '[depot.default]\nstorage_path = "files"\ndurable = false'),
        ('a.toml', '[depot.photos]\nbackend = "depot.io.local.LocalFileStorage"\nstorage_path = "files"'),
        ('a.toml', '[depot.default]\nurl = "file:files"\n[depot.photos]\nurl = "file:photos"\n[other]\nx = 1'),
        ('a.toml', '[depot]\nurl = "file:files"\n[depot.default]\nurl = "file:photos"'),
        ('a.ini', '[app:main]\nuse = egg:shop\ndepot.storage_path = files\ndebug = %(unknown)s'),
        ('a.ini', '[app:main]\ndepot.default.storage_path = %(here)s/files\ndepot.photos.storage_path = photos'),
        ('a.ini', '[app:main]\ndepot.url = file:files\n[app:other]\ndepot.url = file:photos'),
        ('a.ini', '[app:shop]\ndepot.url = file:files\n[server:main]\nport = 80'),
        ('a.ini', '[DEFAULT]\ndepot.url = file:files\n[app:main]\nuse = egg:shop'),
        ('a.ini', '[DEFAULT]\ndebug = true\n[depot]\nurl = file:files'),
        ('a.cfg', '[depot.default]\nurl = file:files\n[depot.photos]\nurl = file:photos'),
        ('my 50%/a.ini', '[depot]\nurl = file:files\n[other]\nplace = %(here)s'),
        ('a.ini', '[depot]\nurl = file:%%66iles'),
    ],
)
def test_a_file_configures_storages(file: str, text: str) -> None:
    store('files')
    write(file, text)
    assert found('--config', file) == 'files'


@pytest.mark.parametrize(
    'text',
    [
        '[depot.default]\nurl = "file:files"\n[depot.photos]\nurl = "file:photos"',
        '[depot]\nurl = "file:files"\nphotos.storage_path = "photos"',
        '[depot."photos"]\nurl = "file:photos"',
    ],
)
def test_a_storage_is_chosen_by_its_name(text: str) -> None:
    store('files', 'photos')
    write('a.toml', text)
    assert found('--config', 'a.toml', '--depot', 'photos') == 'photos'


def test_a_percent_sign_of_a_folder_is_one() -> None:
    store('50%/files')
    write('50%/a.ini', '[app:main]\ndepot.storage_path = %(here)s/files')
    assert found('--config', '50%/a.ini') == 'files'


@pytest.mark.parametrize(
    ('file', 'text', 'message'),
    [
        ('a.toml', '[depot.a]\nx = 1\n[depot.b]\nx = 1', "it is to say which by --depot; configured are: 'a', 'b'"),
        ('a.toml', '', 'a.toml configures no storage'),
        ('a.ini', '[app:main]\nuse = egg:shop', 'a.ini configures no storage'),
        ('a.toml', 'x =', 'a.toml cannot be read: '),
        ('a.toml', 'depot = 3', "a.toml: 'depot' is no table"),
        ('a.ini', 'x = 1', 'a.ini is not INI: see line 1; TOML is for names that end in .toml'),
        ('a.ini', '[app:main]\nx = 1\nx y', 'a.ini is not INI: see line 3'),
        ('a.ini', '[app:main]\n[app:main]', 'a.ini cannot be read: '),
        ('a.ini', '[app:a]\ndepot.url = x\n[app:b]\ndepot.url = x', '[app:a], [app:b]: several sections'),
        ('a.ini', '[depot]\nurl = file:%66iles', '[depot] url: cannot be expanded; a % itself is written as %%'),
        ('a.toml', '[depot]\nurl = "file:files?speed=3"', "'speed'; its options are: storage_path"),
        ('a.toml', '[depot]\nurl = "tape://"', "no storage has URLs of the scheme 'tape'; choose from s3"),
        ('a.toml', '[depot]\nbackend = "nowhere.Storage"', 'cannot load nowhere.Storage'),
    ],
)
def test_a_file_that_configures_nothing_sound_is_named(file: str, text: str, message: str) -> None:
    write(file, text)
    assert message in refused('--config', file)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'No such file or directory' in refused('--config', 'nowhere.toml')
    monkeypatch.setenv('DEPOT_CONFIG', 'nowhere.ini')
    assert 'nowhere.ini cannot be read' in refused()
    Path('binary.ini').write_bytes(b'\xff\xfe')
    assert 'binary.ini cannot be read' in refused('--config', 'binary.ini')


def test_an_unknown_name_is_named_with_those_that_are_there() -> None:
    write('a.toml', '[depot]\nurl = "file:files"\n[depot.photos]\nurl = "file:photos"')
    message = "no storage 'other'; configured are: one without a name, 'photos'"
    assert message in refused('--config', 'a.toml', '--depot', 'other')


@pytest.mark.parametrize(
    ('file', 'text'),
    [
        ('a.ini', '[depot]\nurl = s3://key:s3c%2Fret@bucket'),
        ('a.ini', '[depot]\nurl = s3://key:s3c%(x)ret@bucket'),
        ('a.ini', 'url = s3://key:s3c-ret@bucket'),
        ('a.ini', '[depot]\nx\ns3://key/s3c-ret@bucket'),
        ('a.toml', 'url = s3://key:s3c-ret@bucket'),
        ('a.toml', '[depot]\nurl = "s3://key:s3c/ret@bucket"'),
    ],
)
def test_no_message_repeats_a_secret(file: str, text: str) -> None:
    write(file, text)
    assert 's3c' not in refused('--config', file)


def test_a_backend_whose_package_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in [
        each for each in sys.modules if each.partition('.')[0] == 'boto3' or each.startswith('depot.io.boto3')
    ]:
        monkeypatch.delitem(sys.modules, each)
    monkeypatch.setitem(sys.modules, 'boto3', None)
    assert "install what it needs with: pip install 'filedepot[s3]'" in refused('--storage', 's3://bucket')


def test_python_without_toml_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write('a.toml', '[depot]\nurl = "file:files"')
    monkeypatch.setattr('depot.cli.settings._TOML', 'tomli')
    monkeypatch.setitem(sys.modules, 'tomli', None)
    monkeypatch.setattr(sys, 'argv', ['depot', 'list', '--config', 'a.toml'])
    with pytest.raises(SystemExit, match=r"tomli is not installed; .*pip install 'filedepot\[cli\]'"):
        main()


# Applications


def test_a_module_configures_storages() -> None:
    store('of-app')
    write('files_app.py', APP)
    assert found('--app', 'files_app') == 'of-app'


def test_a_function_of_a_module_configures_storages() -> None:
    store('made-by-app')
    write('files_app.py', APP)
    assert found('--app', 'files_app:configure', '--depot', 'made') == 'made-by-app'


def test_what_is_no_function_is_not_called() -> None:
    store('of-app')
    write('files_app.py', APP)
    assert found('--app', 'files_app:application') == 'of-app'


def test_an_alias_is_a_name() -> None:
    store('of-app')
    write('files_app.py', f"{APP}\nDepotManager.alias('uploads', 'default')")
    assert found('--app', 'files_app', '--depot', 'uploads') == 'of-app'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--app', 'files_ap'], "No module named 'files_ap'; it is looked for in this folder"),
        (['--app', 'files_app:other'], "has no attribute 'other'"),
        (['--app', 'files_app', '--depot', 'other'], "no storage 'other'; configured are: 'default'"),
        (['--app', 'json'], 'no storage is configured'),
    ],
)
def test_what_an_application_does_not_have_is_named(arguments: list[str], message: str) -> None:
    write('files_app.py', APP)
    assert message in refused(*arguments)


# What is held open


class Closing(LocalFileStorage):
    """A storage that has to be closed."""

    closed = 0

    def close(self) -> None:
        type(self).closed += 1


def test_a_storage_that_can_be_closed_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Closing, 'closed', 0)
    write('a.toml', f'[depot]\nbackend = "{__name__}.Closing"\nstorage_path = "files"')
    assert run('--config', 'a.toml').exit_code == 0
    assert Closing.closed == 1
