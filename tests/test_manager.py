"""The manager: storages by name."""

from __future__ import annotations

import subprocess
import sys
from unittest.mock import MagicMock

import pytest

from depot import manager
from depot.errors import (
    BackendMissing,
    ConfigurationError,
    FileMissing,
    InvalidFileId,
    InvalidMountpoint,
    InvalidPath,
    NameTaken,
    UnknownStorage,
    WrongOption,
)
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware

MEMORY = {'depot.backend': 'depot.io.memory.MemoryFileStorage'}


class Recording(MemoryFileStorage):
    """A storage that keeps the options it was made with."""

    def __init__(self, **options):
        super().__init__()
        self.options = options


class Failing(MemoryFileStorage):
    """A storage whose constructor has a bug."""

    def __init__(self, place='here'):
        len(3)


RECORDING = {'depot.backend': f'{__name__}.Recording'}


@pytest.fixture(autouse=True)
def _an_empty_manager():
    DepotManager._clear()
    yield
    DepotManager._clear()


# Names


def test_the_functions_of_the_module_are_those_of_the_manager():
    assert manager.get_depot == DepotManager.get
    assert manager.get_file == DepotManager.get_file
    assert manager.configure == DepotManager.configure
    assert manager.set_default == DepotManager.set_default


def test_nothing_heavy_is_imported():
    script = 'import sys, depot.manager; print(*sys.modules)'
    loaded = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True).stdout.split()
    assert 'depot.manager' in loaded
    assert not {'boto3', 'botocore', 'google.cloud', 'pymongo', 'sqlalchemy', 'depot.middleware'} & set(loaded)


# Storages


def test_a_configured_storage_is_returned_and_found():
    storage = DepotManager.configure('files', MEMORY)
    assert isinstance(storage, MemoryFileStorage)
    assert DepotManager.get('files') is storage


def test_the_first_storage_becomes_the_default():
    first = DepotManager.configure('first', MEMORY)
    DepotManager.configure('second', MEMORY)
    assert DepotManager.get_default() == 'first'
    assert DepotManager.get() is first


def test_the_default_can_be_changed():
    DepotManager.configure('first', MEMORY)
    second = DepotManager.configure('second', MEMORY)
    DepotManager.set_default('second')
    assert DepotManager.get() is second


def test_an_unknown_name_cannot_be_the_default():
    DepotManager.configure('first', MEMORY)
    with pytest.raises(RuntimeError, match=r"no storage 'other'; configured are: 'first'") as caught:
        DepotManager.set_default('other')
    assert caught.type is UnknownStorage
    assert caught.value.name == 'other'
    assert DepotManager.get_default() == 'first'


def test_an_alias_cannot_be_the_default():
    DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    with pytest.raises(UnknownStorage):
        DepotManager.set_default('other')


def test_without_a_storage_there_is_no_default():
    with pytest.raises(RuntimeError, match=r'configure\(\)') as caught:
        DepotManager.get_default()
    assert caught.type is ConfigurationError


def test_an_unknown_storage_is_none():
    assert DepotManager.get() is None
    DepotManager.configure('first', MEMORY)
    assert DepotManager.get('other') is None


def test_a_name_is_given_once():
    first = DepotManager.configure('first', MEMORY)
    with pytest.raises(NameTaken, match='first') as caught:
        DepotManager.configure('first', MEMORY)
    assert isinstance(caught.value, RuntimeError)
    assert DepotManager.get('first') is first


def test_the_name_of_an_alias_is_taken():
    DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    with pytest.raises(NameTaken, match="'other' is an alias of the storage 'first'"):
        DepotManager.configure('other', MEMORY)


# Settings that tests of applications change by hand


def test_storages_may_be_put_in_by_hand():
    mock = MagicMock()
    DepotManager._depots['mock'] = mock
    assert DepotManager.get('mock') is mock
    assert DepotManager.get_file('mock/any') is mock.get.return_value
    mock.get.assert_called_once_with('any')


def test_the_attributes_may_be_rebound_and_cleared(monkeypatch):
    DepotManager.configure('first', MEMORY)
    other = MemoryFileStorage()
    monkeypatch.setattr(DepotManager, '_depots', {'second': other})
    monkeypatch.setattr(DepotManager, '_default_depot', 'second')
    assert DepotManager.get() is other
    DepotManager._depots.clear()
    assert DepotManager.get() is None


def test_clearing_forgets_everything():
    DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    DepotManager.make_middleware(None)
    DepotManager._clear()
    assert DepotManager._default_depot is None
    assert DepotManager._depots == {}
    assert DepotManager._middleware is None
    assert DepotManager._aliases == {}


# Aliases


def test_an_alias_leads_to_its_storage():
    storage = DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    assert DepotManager.get('other') is storage
    assert DepotManager.resolve_alias('other') == 'first'
    assert DepotManager.resolve_alias('first') == 'first'
    assert DepotManager.resolve_alias('unknown') is None


def test_an_alias_can_be_switched():
    DepotManager.configure('first', MEMORY)
    second = DepotManager.configure('second', MEMORY)
    DepotManager.alias('other', 'first')
    DepotManager.alias('other', 'second')
    assert DepotManager.get('other') is second


def test_an_alias_of_nothing_is_refused():
    with pytest.raises(ValueError, match="'nothing'") as caught:
        DepotManager.alias('other', 'nothing')
    assert caught.type is UnknownStorage


def test_an_alias_of_an_alias_is_refused():
    DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    with pytest.raises(UnknownStorage, match="'first', 'other'"):
        DepotManager.alias('third', 'other')


def test_an_alias_named_like_a_storage_is_refused():
    DepotManager.configure('first', MEMORY)
    DepotManager.configure('second', MEMORY)
    with pytest.raises(ValueError, match='second') as caught:
        DepotManager.alias('second', 'first')
    assert caught.type is NameTaken


def test_an_alias_of_a_storage_that_has_gone_is_unknown():
    DepotManager.configure('first', MEMORY)
    DepotManager.alias('other', 'first')
    del DepotManager._depots['first']
    assert DepotManager.resolve_alias('other') is None
    assert DepotManager.get('other') is None


# Files


@pytest.mark.parametrize('name', ['first', 'other'])
def test_a_file_is_found_by_its_path(name):
    file_id = DepotManager.configure('first', MEMORY).create(b'content')
    DepotManager.alias('other', 'first')
    with DepotManager.get_file(f'{name}/{file_id}') as file:
        assert file.read() == b'content'


def test_a_path_is_split_at_its_first_slash():
    DepotManager.configure('first', MEMORY)
    with pytest.raises(InvalidFileId, match='second/third'):
        DepotManager.get_file('first/second/third')


def test_a_path_without_a_slash_is_refused():
    with pytest.raises(ValueError, match=r"'first'.*storage/id") as caught:
        DepotManager.get_file('first')
    assert caught.type is InvalidPath


def test_a_bad_id_is_a_value_error():
    DepotManager.configure('first', MEMORY)
    with pytest.raises(ValueError, match='Invalid file id'):
        DepotManager.get_file('first/NOT_AN_ID')


def test_a_missing_file_is_an_os_error():
    storage = DepotManager.configure('first', MEMORY)
    file_id = storage.create(b'content')
    storage.delete(file_id)
    with pytest.raises(OSError, match=file_id) as caught:
        DepotManager.get_file(f'first/{file_id}')
    assert caught.type is FileMissing


@pytest.mark.parametrize(('configured', 'named'), [([], 'none'), (['b', 'a'], "'a', 'b'")])
def test_a_file_in_an_unknown_storage_is_an_os_error_that_names_the_known(configured, named):
    for each in configured:
        DepotManager.configure(each, MEMORY)
    with pytest.raises(OSError, match=f"no storage 'other'; configured are: {named}$") as caught:
        DepotManager.get_file('other/any')
    assert caught.type is UnknownStorage


# Configuration


def test_the_default_backend_is_the_local_one(tmp_path):
    storage = DepotManager.configure('first', {'depot.storage_path': str(tmp_path)})
    assert isinstance(storage, LocalFileStorage)
    assert storage.storage_path == str(tmp_path)


def test_making_a_storage_does_not_register_it():
    assert isinstance(DepotManager.from_config(MEMORY), FileStorage)
    assert DepotManager._depots == {}
    assert DepotManager._default_depot is None


@pytest.mark.parametrize(
    ('config', 'prefix', 'options'),
    [
        ({'depot.one': '1', 'depot.two': None, 'depot.three': [3]}, 'depot.', {'one': '1', 'two': None, 'three': [3]}),
        ({'depot.one': '1', 'debug': 'true', 'sqlalchemy.url': 'x'}, 'depot.', {'one': '1'}),
        ({'depot.one': '1', 'depot.avatars.one': '2'}, 'depot.', {'one': '1'}),
        ({'depot.one': '1', 'depot.avatars.one': '2'}, 'depot.avatars.', {'one': '2'}),
        ({'one': '1', 'other.one': '2'}, '', {'one': '1'}),
    ],
)
def test_the_keys_with_the_prefix_are_the_options(config, prefix, options):
    storage = DepotManager.from_config({**config, f'{prefix}backend': f'{__name__}.Recording'}, prefix)
    assert storage.options == options


def test_the_settings_are_left_as_they_are():
    settings = {**RECORDING, 'depot.one': '1'}
    DepotManager.configure('first', settings)
    assert settings == {**RECORDING, 'depot.one': '1'}


def test_there_may_be_no_settings_where_the_backend_needs_none(monkeypatch):
    monkeypatch.setattr('depot.io.local.LocalFileStorage', MemoryFileStorage)
    assert isinstance(DepotManager.configure('first', None), MemoryFileStorage)


def test_a_class_that_does_not_tell_what_it_takes_is_called():
    assert DepotManager.from_config({'depot.backend': 'builtins.dict', 'depot.one': 1}) == {'one': 1}


@pytest.mark.parametrize(
    ('dotted_path', 'message'),
    [
        ('nowhere', "'nowhere' is no dotted path"),
        ('', "'' is no dotted path"),
        ('.', "'.' is no dotted path"),
        ('..io.Storage', 'is no dotted path'),
        (MemoryFileStorage, 'cannot load|is no dotted path'),
        ('no_such_package.Storage', r"cannot load no_such_package\.Storage: No module named 'no_such_package'$"),
        ('depot.io.tape.Storage', r"cannot load depot\.io\.tape\.Storage: No module named 'depot\.io\.tape'$"),
        ('depot.io.memory.Storage', r'the module depot\.io\.memory has no class Storage'),
        ('depot.io.memory.__name__', r'the module depot\.io\.memory has no class __name__'),
    ],
)
def test_a_backend_that_is_nowhere_is_named(dotted_path, message):
    with pytest.raises(ImportError, match=message) as caught:
        DepotManager.configure('first', {'depot.backend': dotted_path})
    assert caught.type is BackendMissing


@pytest.mark.parametrize(('module', 'extra'), [('boto3', 's3'), ('awss3', 's3'), ('gcs', 'gcs'), ('gridfs', 'gridfs')])
def test_a_backend_without_its_package_names_the_extra_to_install(module, extra, monkeypatch):
    def import_without_package(name):
        raise ModuleNotFoundError("No module named 'sdk'", name='sdk')

    monkeypatch.setattr('importlib.import_module', import_without_package)
    with pytest.raises(BackendMissing, match=rf"'sdk'; install .*: pip install filedepot\[{extra}\]$") as caught:
        DepotManager.from_config({'depot.backend': f'depot.io.{module}.Storage'})
    assert caught.value.__cause__.name == 'sdk'


@pytest.mark.parametrize('option', ['speed', 'self', 'dotted_path', 'class'])
def test_a_wrong_option_is_refused_with_those_that_work(option, tmp_path):
    with pytest.raises(TypeError, match=rf"LocalFileStorage: .*'{option}'; its options are: storage_path") as caught:
        DepotManager.configure('first', {'depot.storage_path': str(tmp_path), f'depot.{option}': 'x'})
    assert caught.type is WrongOption


def test_a_missing_option_is_named():
    with pytest.raises(WrongOption, match="'storage_path'"):
        DepotManager.configure('first', {})


def test_the_values_of_options_are_not_in_the_message():
    with pytest.raises(WrongOption) as caught:
        DepotManager.configure('first', {'depot.password': 's3cret'})
    assert 's3cret' not in str(caught.value)


def test_a_type_error_of_the_constructor_itself_is_not_taken_for_a_wrong_option():
    with pytest.raises(TypeError, match='has no len') as caught:
        DepotManager.configure('first', {'depot.backend': f'{__name__}.Failing', 'depot.place': 'there'})
    assert caught.type is TypeError


@pytest.mark.parametrize('backend', [f'{__name__}.Failing', 'nowhere', 'depot.io.local.LocalFileStorage'])
def test_a_failing_configuration_leaves_no_trace(backend):
    with pytest.raises((TypeError, ImportError)):
        DepotManager.configure('first', {'depot.backend': backend})
    assert DepotManager._depots == {}
    assert DepotManager._default_depot is None
    DepotManager.configure('first', MEMORY)
    assert DepotManager.get_default() == 'first'


# URLs


def test_a_url_takes_the_place_of_settings(tmp_path):
    storage = DepotManager.configure('first', f'file://{tmp_path}?durable=false')
    assert isinstance(storage, LocalFileStorage)
    assert storage.storage_path == str(tmp_path)
    assert 'sync' not in storage.capabilities
    assert DepotManager.get() is storage


def test_a_url_makes_a_storage_without_registering_it():
    assert isinstance(DepotManager.from_config('memory://'), MemoryFileStorage)
    assert DepotManager._depots == {}


@pytest.mark.parametrize('prefix', ['depot.', 'depot.avatars.', ''])
def test_a_url_stands_in_settings(prefix, tmp_path):
    settings = {f'{prefix}url': f'file://{tmp_path}', 'sqlalchemy.url': 'sqlite://'}
    assert DepotManager.configure('first', settings, prefix).storage_path == str(tmp_path)


def test_options_may_stand_beside_a_url():
    settings = {'depot.url': 'file:files', 'depot.durable': 'false'}
    assert 'sync' not in DepotManager.from_config(settings).capabilities


def test_an_option_beside_a_url_is_not_given_twice():
    settings = {'depot.url': 'file:files?durable=false', 'depot.durable': 'true'}
    with pytest.raises(WrongOption, match='durable: given by the URL and beside it'):
        DepotManager.from_config(settings)


def test_a_url_is_an_option_like_any_other_where_a_backend_is_named():
    assert DepotManager.from_config({**RECORDING, 'depot.url': 'tape://1'}).options == {'url': 'tape://1'}


def test_a_wrong_option_of_a_url_is_refused_with_those_that_work():
    with pytest.raises(WrongOption, match="'speed'; its options are: storage_path, durable"):
        DepotManager.configure('first', 'file:files?speed=3')


@pytest.mark.parametrize('url', ['', 'files', 'tape://1', 'file:', 'file:files?speed=3', 'file:files?durable=perhaps'])
def test_a_url_that_cannot_be_used_leaves_no_trace(url):
    with pytest.raises(ConfigurationError):
        DepotManager.configure('first', url)
    assert DepotManager._depots == {}
    assert DepotManager._default_depot is None


# The middleware


def test_a_middleware_is_made_and_registered():
    middleware = DepotManager.make_middleware(None, mountpoint='/files', cache_max_age=3)
    assert isinstance(middleware, DepotMiddleware)
    assert middleware.cache_max_age == 3
    assert DepotManager.get_middleware() is middleware
    assert DepotManager.url_for('first/any') == '/files/first/any'


def test_a_second_middleware_is_refused():
    middleware = DepotManager.make_middleware(None)
    with pytest.raises(RuntimeError, match='registered already') as caught:
        DepotManager.make_middleware(None)
    assert caught.type is ConfigurationError
    assert DepotManager.get_middleware() is middleware


def test_without_a_middleware_there_are_no_urls():
    with pytest.raises(RuntimeError, match='make_middleware') as caught:
        DepotManager.url_for('first/any')
    assert caught.type is ConfigurationError


def test_whatever_makes_urls_is_a_middleware():
    maker = MagicMock()
    DepotManager.set_middleware(maker)
    assert DepotManager.url_for('first/any') is maker.url_for.return_value
    maker.url_for.assert_called_once_with('first/any')


@pytest.mark.parametrize(
    ('options', 'error'), [({'speed': 1}, WrongOption), ({'mountpoint': 'files'}, InvalidMountpoint)]
)
def test_a_middleware_that_cannot_be_made_leaves_no_trace(options, error):
    with pytest.raises(error):
        DepotManager.make_middleware(None, **options)
    assert DepotManager._middleware is None
