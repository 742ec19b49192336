"""From a path to a file: one URL a file, and no way around it."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest

from depot.errors import CorruptMetadata, StorageFailure
from depot.manager import DepotManager
from depot.serving.resolver import find_file, path_below

ID = 'abcdef01-2345-4789-abcd-ef0123456789'


@pytest.fixture
def storage():
    DepotManager._clear()
    storage = DepotManager.configure('files', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    storage.replace(ID, _Backup())
    yield storage
    DepotManager._clear()


class _Backup:
    """A file of another storage, with the id that the copy shall have."""

    file_id = ID
    filename = 'a.txt'

    def __init__(self):
        self._blocks = iter([b'content', b''])

    def read(self, n=-1):
        return next(self._blocks)


@pytest.mark.parametrize(
    ('mountpoint', 'path', 'below'),
    [
        ('/depot', '/depot/a/b', 'a/b'),
        ('/depot/', '/depot/a/b', 'a/b'),
        ('/depot', '/depot/', ''),
        ('/depot', '/depot', ''),
        ('/depot', '/depot//a', '/a'),
        ('/', '/a/b', 'a/b'),
        ('/', '/', ''),
        ('/a/b', '/a/b/c', 'c'),
        ('/dépôt', '/dépôt/a', 'a'),
    ],
)
def test_what_is_at_or_below_the_mountpoint(mountpoint, path, below):
    assert path_below(mountpoint, path) == below


@pytest.mark.parametrize('path', ['/', '', '/depotskipped', '/depotskipped/a', '/Depot/a', '/a/depot/b', 'depot/a'])
def test_what_is_not_below_the_mountpoint(path):
    assert path_below('/depot', path) is None


def test_a_path_leads_to_its_file(storage):
    file = find_file(f'files/{ID}')
    assert file.file_id == ID
    file.close()


def test_a_path_by_an_alias_leads_to_the_file(storage):
    DepotManager.alias('other', 'files')
    assert find_file(f'other/{ID}').file_id == ID


@pytest.mark.parametrize(
    'path',
    [
        '',
        '/',
        'files',
        'files/',
        f'/{ID}',
        f'/files/{ID}',
        f'files//{ID}',
        f'files/{ID}/',
        f'files/{ID}/a.txt',
        f'files/./{ID}',
        f'files/../files/{ID}',
        f'files/../{ID}',
        f'files%2F{ID}',
        f'files/%2E%2E/{ID}',
        f'files\\{ID}',
        f'files/{ID}\0',
        f'files\0/{ID}',
        f'files/{ID} ',
        f'files/ {ID}',
        f'files/{ID}\n',
        f'files/{ID}.',
        f'files/{ID};a',
        f'files/{ID}?a',
        f'files/{ID.upper()}',
        f'files/{ID.replace("-", "")}',
        f'files/{{{ID}}}',
        f'files/urn:uuid:{ID}',
        f'files/-{ID}',
        'files/' + ID.replace('0', '\u0660'),  # a digit of another script
        f'files/{ID.replace("0", "%30")}',
        f'files/{ID[:-1]}',
        f'files/{uuid.UUID(int=0)}',  # which nobody has stored
        'files/..',
        'files/.',
        'files/*',
        'files/\ufffd',
        f'Files/{ID}',
        f'files /{ID}',
        f'other/{ID}',
        f'../{ID}',
        f'./{ID}',
    ],
)
def test_any_other_path_leads_nowhere(storage, path):
    assert find_file(path) is None


@pytest.mark.parametrize('error', [OSError('missing'), ValueError('bad id')])
def test_what_third_party_storages_raise_means_missing(storage, monkeypatch, error):
    _fail_with(error, storage, monkeypatch)
    assert find_file(f'files/{ID}') is None


@pytest.mark.parametrize('error', [StorageFailure('disk'), CorruptMetadata('rubbish'), RuntimeError('bug')])
def test_what_is_broken_is_not_called_missing(storage, monkeypatch, error):
    _fail_with(error, storage, monkeypatch)
    with pytest.raises(type(error)):
        find_file(f'files/{ID}')


def _fail_with(error, storage, monkeypatch):
    def fail(file_id):
        raise error

    monkeypatch.setattr(storage, 'get', fail)


@pytest.mark.parametrize(
    'stored', [SimpleNamespace(), SimpleNamespace(file_id='5f0a'), SimpleNamespace(file_id=0x5F0A)]
)
def test_an_id_of_a_storage_s_own_kind_is_written_as_the_file_has_it(stored):
    DepotManager._depots['own'] = SimpleNamespace(get=lambda file_id: stored)
    try:
        written = str(getattr(stored, 'file_id', '5f0a'))
        assert find_file(f'own/{written}') is stored
        assert hasattr(stored, 'file_id') is (find_file('own/5F0A') is None)
    finally:
        DepotManager._clear()


def test_a_uuid_is_canonical_even_where_the_storage_keeps_it_as_it_was_asked_for():
    DepotManager._depots['own'] = SimpleNamespace(
        get=lambda file_id: SimpleNamespace(file_id=file_id), exists=lambda file_id: file_id == ID
    )
    try:
        assert find_file(f'own/{ID}').file_id == ID
        assert find_file(f'own/{ID.upper()}') is None
    finally:
        DepotManager._clear()


@pytest.mark.parametrize('own_id', [ID.upper(), ID.replace('-', '')])
@pytest.mark.parametrize('error', [None, OSError('broken'), ValueError('bad id')])
def test_a_storage_may_write_uuids_in_its_own_way(own_id, error):
    def exists(_file_id):
        if error:
            raise error
        return False

    DepotManager._depots['own'] = SimpleNamespace(get=lambda file_id: SimpleNamespace(file_id=file_id), exists=exists)
    try:
        assert find_file(f'own/{own_id}').file_id == own_id
    finally:
        DepotManager._clear()
