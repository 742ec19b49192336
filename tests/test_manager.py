"""The manager: storages by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
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
from depot.io.boto3 import S3Storage
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.io.settings import StorageSettings, split
from depot.io.urls import backend_and_options
from depot.manager import DepotManager
from depot.middleware import DepotMiddleware

MEMORY = {'depot.backend': 'depot.io.memory.MemoryFileStorage'}


class Recording(MemoryFileStorage):
    """A storage that keeps the options it was made with."""

    def __init__(self, **options):
        super().__init__()
        self.options = options


def demanding(place, **others):
    """A backend that needs an option, and takes any other."""


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


@pytest.mark.parametrize('name', ['', 'a/b', '/', '.', '..', 'a\\b', 'a\0'])
def test_a_name_that_cannot_stand_in_a_path_is_refused(name, tmp_path):
    with pytest.raises(ConfigurationError, match='is no name of a storage'):
        DepotManager.configure(name, {'depot.storage_path': str(tmp_path)})
    DepotManager.configure('first', {'depot.storage_path': str(tmp_path)})
    with pytest.raises(ConfigurationError, match='is no name of a storage'):
        DepotManager.alias(name, 'first')
    assert [*DepotManager._depots] == ['first']


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
    assert DepotManager._settings == {}


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
        ('s3', r"'s3' is no dotted path; .*depot\.io\.boto3\.S3Storage"),
        ('depot.io.local.Local', r'no class Local; those of depot are depot\.io\.local\.LocalFileStorage'),
        ('', "'' is no dotted path"),
        ('.', "'.' is no dotted path"),
        ('..io.Storage', 'is no dotted path'),
        (MemoryFileStorage, 'cannot load|is no dotted path'),
        ('no_such_package.Storage', r"cannot load no_such_package\.Storage: No module named 'no_such_package'$"),
        ('depot.io.tape.Storage', r"cannot load depot\.io\.tape\.Storage: No module named 'depot\.io\.tape'; those of"),
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
    with pytest.raises(BackendMissing, match=rf"'sdk'; install .*: pip install 'filedepot\[{extra}\]'$") as caught:
        DepotManager.from_config({'depot.backend': f'depot.io.{module}.Storage'})
    assert caught.value.__cause__.name == 'sdk'


@pytest.mark.parametrize('option', ['speed', 'self', 'dotted_path', 'class'])
def test_a_wrong_option_is_refused_with_those_that_work(option, tmp_path):
    with pytest.raises(TypeError, match=rf"LocalFileStorage: .*'{option}'; its options are: storage_path") as caught:
        DepotManager.configure('first', {'depot.storage_path': str(tmp_path), f'depot.{option}': 'x'})
    assert caught.type is WrongOption


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (None, r"missing .*'storage_path'; its options are: storage_path"),
        ({'depot.durable': 'no'}, r"missing .*'storage_path'; its options are: storage_path"),
        ({'depot.storage_pth': 'x'}, r"got .* 'storage_pth'; its options are: storage_path"),
        ({'storage_path': 'x'}, r"missing .*'storage_path'.*; no key of the settings begins with 'depot\.'$"),
    ],
)
def test_a_missing_option_is_named_and_a_misspelt_one_first(settings, message):
    with pytest.raises(WrongOption, match=message):
        DepotManager.configure('first', settings)


def test_a_missing_argument_is_named_where_any_may_be_given():
    with pytest.raises(WrongOption, match=r"missing .*'place'; its options are: place, others$"):
        DepotManager.from_config({'depot.backend': f'{__name__}.demanding', 'depot.speed': 1})


@pytest.mark.parametrize('config', [Path('files'), 7, ['depot.storage_path'], object()])
def test_settings_that_are_neither_settings_nor_a_url_are_refused(config):
    with pytest.raises(ConfigurationError, match=rf'a dict, or a URL .*, not the type {type(config).__name__}'):
        DepotManager.configure('first', config)
    assert DepotManager._depots == {}


def test_a_url_is_no_storage_to_override_with():
    DepotManager.configure('first', MEMORY)
    with pytest.raises(ConfigurationError, match=r'from_config\(\)'), DepotManager.override('memory://'):
        pass
    assert isinstance(DepotManager.get(), MemoryFileStorage)


def test_without_a_middleware_the_calls_that_make_one_are_told():
    with pytest.raises(ConfigurationError, match=r'make_middleware\(\) or make_asgi_middleware\(\)'):
        DepotManager.url_for('first/id')


def test_settings_in_the_place_of_the_name_are_told():
    with pytest.raises(ConfigurationError, match=r'the name goes first: configure\(name, settings\)'):
        DepotManager.configure({'depot.storage_path': 'files'}, 'first')


def test_a_path_that_is_no_text_is_none():
    for path in (5, None, {'path': 'first/id'}):
        with pytest.raises(InvalidPath, match='is no path of a file; one looks like storage/id'):
            DepotManager.get_file(path)


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


# Settings that are said to depot, and not to the backend


def settings_of(**options):
    DepotManager.configure('first', {**RECORDING, **{f'depot.{name}': value for name, value in options.items()}})
    return DepotManager.settings('first')


@pytest.mark.parametrize(
    ('options', 'settings'),
    [
        ({}, (False, 'public', 'redirect')),
        ({'private': True}, (True, 'private', 'redirect')),
        ({'private': 'true'}, (True, 'private', 'redirect')),
        ({'private': ' Yes '}, (True, 'private', 'redirect')),
        ({'private': 1}, (True, 'private', 'redirect')),
        ({'private': 'on', 'cache': 'no-store'}, (True, 'no-store', 'redirect')),
        ({'private': True, 'cache': 'private'}, (True, 'private', 'redirect')),
        ({'private': '0'}, (False, 'public', 'redirect')),
        ({'private': False, 'cache': 'public'}, (False, 'public', 'redirect')),
        ({'cache': 'No-Store'}, (False, 'no-store', 'redirect')),
        ({'cache': 'private', 'delivery': ' proxy'}, (False, 'private', 'proxy')),
        ({'delivery': 'redirect'}, (False, 'public', 'redirect')),
    ],
)
def test_a_storage_has_settings(options, settings):
    assert settings_of(**options) == settings


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'private': 'maybe'}, "private = 'maybe' is neither true nor false; choose from true, yes"),
        ({'private': None}, 'private = None is neither true nor false'),
        ({'private': ''}, "private = '' is neither true nor false"),
        ({'private': 2}, 'private = 2 is neither true nor false'),
        ({'cache': 'never'}, "cache = 'never' is none; choose from public, private, no-store$"),
        ({'cache': True}, 'cache = True is none'),
        ({'cache': ''}, "cache = '' is none"),
        ({'delivery': 'mail'}, "delivery = 'mail' is none; choose from redirect, proxy$"),
        ({'delivery': None}, 'delivery = None is none'),
        ({'private': True, 'cache': 'public'}, "cache = 'public' lets anybody .* private; choose private or no-store$"),
    ],
)
def test_settings_that_are_none_are_refused_and_leave_no_trace(options, message):
    with pytest.raises(ConfigurationError, match=message):
        settings_of(**options)
    assert (DepotManager._depots, DepotManager._settings, DepotManager._default_depot) == ({}, {}, None)


def test_settings_are_asked_before_the_storage_is_made(tmp_path):
    with pytest.raises(ConfigurationError, match='private'):
        DepotManager.configure('first', {'depot.backend': f'{__name__}.Failing', 'depot.private': 'maybe'})


def test_the_backend_is_not_given_them():
    storage = DepotManager.configure(
        'first',
        {**RECORDING, 'depot.private': 'yes', 'depot.cache': 'private', 'depot.delivery': 'proxy', 'depot.a': 1},
    )
    assert storage.options == {'a': 1}
    assert DepotManager.from_config({**RECORDING, 'depot.private': True}).options == {}


def test_a_url_has_them_in_its_query(tmp_path):
    storage = DepotManager.configure('first', f'file://{tmp_path}?private=true&durable=0&cache=no-store')
    assert storage.storage_path == str(tmp_path)
    assert DepotManager.settings('first') == (True, 'no-store', 'redirect')


def test_they_stand_beside_a_url_but_not_in_both_places():
    DepotManager.configure('first', {'depot.url': 'memory://', 'depot.private': 'true'})
    assert DepotManager.settings('first').private
    with pytest.raises(WrongOption, match='private: given by the URL and beside it'):
        DepotManager.configure('second', {'depot.url': 'memory://?private=false', 'depot.private': 'true'})


def test_they_are_none_of_the_options_of_mongodb():
    backend, options = backend_and_options({'url': 'mongodb://host/app?private=true&retryWrites=true&delivery=proxy'})
    assert backend == 'depot.io.gridfs.GridFSStorage'
    assert options == {'mongouri': 'mongodb://host/app?retryWrites=true', 'private': 'true', 'delivery': 'proxy'}


def test_settings_are_found_as_storages_are():
    DepotManager.configure('first', 'memory://?private=true')
    DepotManager.configure('second', 'memory://')
    DepotManager.alias('other', 'first')
    assert DepotManager.settings('other').private
    assert DepotManager.settings().private
    assert not DepotManager.settings('second').private
    DepotManager.alias('other', 'second')
    assert not DepotManager.settings('other').private


def test_what_was_not_configured_has_the_settings_that_are_usual():
    assert DepotManager.settings() == DepotManager.settings('unknown') == StorageSettings()
    DepotManager._depots['mock'] = MagicMock()
    assert DepotManager.settings('mock') == (False, 'public', 'redirect')


def test_what_stands_in_for_a_private_storage_is_private():
    DepotManager.configure('first', 'memory://?private=true')
    with DepotManager.override(MemoryFileStorage()):
        assert DepotManager.settings('first').private
    DepotManager._depots['first'] = MagicMock()
    assert DepotManager.settings('first').private


def test_clearing_forgets_that_a_storage_was_private():
    DepotManager.configure('first', 'memory://?private=true')
    DepotManager._clear()
    DepotManager._depots['first'] = MemoryFileStorage()
    assert not DepotManager.settings('first').private


def test_configured_anew_it_has_its_new_settings():
    DepotManager.configure('first', 'memory://?private=true')
    del DepotManager._depots['first']
    DepotManager.configure('first', 'memory://')
    assert not DepotManager.settings('first').private


class Derived(S3Storage):
    """An application's own S3 storage."""


PUBLIC_BACKENDS = [
    'depot.io.boto3.S3Storage',
    'depot.io.awss3.S3Storage',
    'depot.io.gcs.GCSStorage',
    f'{__name__}.Derived',
]


@pytest.mark.parametrize('backend', PUBLIC_BACKENDS)
@pytest.mark.parametrize('policy', [{}, {'policy': None}, {'policy': 'private'}])
def test_a_private_storage_is_private_at_its_backend_too(backend, policy):
    settings, options = split(backend, {'private': 'true', 'bucket': 'mine', **policy})
    assert settings.private
    assert options == {'bucket': 'mine', 'policy': 'private'}


@pytest.mark.parametrize('backend', PUBLIC_BACKENDS)
def test_a_private_storage_that_everybody_can_read_is_refused(backend):
    with pytest.raises(
        ConfigurationError, match="policy = 'public-read' the backend lets everybody read; leave policy"
    ):
        DepotManager.configure('first', {'depot.backend': backend, 'depot.private': 1, 'depot.policy': 'public-read'})


@pytest.mark.parametrize('backend', [*PUBLIC_BACKENDS, f'{__name__}.Recording'])
def test_the_policy_of_a_public_storage_is_left_as_it_is(backend):
    assert split(backend, {'private': 'false', 'bucket': 'mine'})[1] == {'bucket': 'mine'}


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


def test_options_of_a_url_are_passed_on():
    maker = MagicMock()
    DepotManager.set_middleware(maker)
    assert DepotManager.url_for('first/any', download=True, speed=3) is maker.url_for.return_value
    maker.url_for.assert_called_once_with('first/any', download=True, speed=3)


def test_an_option_that_the_middleware_does_not_take_is_refused():
    class Cdn:
        def url_for(self, path):
            return f'https://cdn.example.com/{path}'

    DepotManager.set_middleware(Cdn())
    assert DepotManager.url_for('first/any') == 'https://cdn.example.com/first/any'
    with pytest.raises(WrongOption, match="Cdn.url_for: .*'download'; its options are: path"):
        DepotManager.url_for('first/any', download=True)


def test_so_it_is_by_the_middleware_of_ours():
    DepotManager.make_middleware(None)
    with pytest.raises(TypeError, match="'speed'"):
        DepotManager.url_for('first/any', speed=3)


@pytest.mark.parametrize(
    ('options', 'error'), [({'speed': 1}, WrongOption), ({'mountpoint': 'files'}, InvalidMountpoint)]
)
def test_a_middleware_that_cannot_be_made_leaves_no_trace(options, error):
    with pytest.raises(error):
        DepotManager.make_middleware(None, **options)
    assert DepotManager._middleware is None
