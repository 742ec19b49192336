"""Ming's sessions on a fresh database, of a real server and of Ming's own imitation; mapped classes with files."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ming
import pytest
from ming import schema
from ming.odm import FieldProperty, MappedClass, Mapper, ThreadLocalODMSession, mapper

from depot.fields.interfaces import FileFilter
from depot.fields.ming import DepotExtension, UploadedFileProperty
from depot.io.gridfs import GridFSStorage
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

#: What both sessions are bound to: each thread has an own session of the second kind.
LAYER: Any = ming.Session()
SESSION: Any = ThreadLocalODMSession(LAYER, extensions=[DepotExtension])

_numbers = itertools.count()


class WithCopy(FileFilter):
    """Stores a second file, beside the one that was assigned."""

    def on_save(self, uploaded_file: Any) -> None:
        uploaded_file['copy'], _file_id = uploaded_file.store_content(b'copy of ' + uploaded_file.original_content)


class Document(MappedClass):
    class __mongometa__:  # noqa: N801
        session = SESSION
        name = 'document'
        unique_indexes = (('name',),)
        polymorphic_on = 'kind'
        polymorphic_identity = 'document'

    _id: Any = FieldProperty(schema.ObjectId)
    kind: Any = FieldProperty(str, if_missing='document')
    name: Any = FieldProperty(str)
    content: Any = UploadedFileProperty()
    cover: Any = UploadedFileProperty()


class Report(Document):
    class __mongometa__:  # noqa: N801
        polymorphic_identity = 'report'

    kind: Any = FieldProperty(str, if_missing='report')
    appendix: Any = UploadedFileProperty(filters=[WithCopy()])


Mapper.compile_all()

FILES = ['content', 'cover', 'appendix']


def connect(url: str) -> ming.datastore.DataStore:
    """Lets the sessions use the database at this URL."""
    LAYER.bind = ming.create_datastore(url)
    SESSION.ensure_indexes(mapper(Document).collection)
    return LAYER.bind


def disconnect() -> None:
    SESSION.close()
    LAYER.bind.conn.close()
    LAYER.bind = None


@pytest.fixture
def mongodb_of_the_manual(mongo_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ming reaches an empty server by the address that examples have."""
    datastore = ming.create_datastore(mongo_database_url)
    monkeypatch.setattr(ming, 'create_datastore', {'mongodb://localhost:27017/app': datastore}.__getitem__)
    yield
    datastore.conn.close()


#: The databases, and the storages that are tried with each.
WORLDS = ['secantusdb memory', 'secantusdb local', 'secantusdb gridfs', 'mim memory']


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> str:
    """A kind of database, and a kind of storage."""
    kinds: str = request.param
    return kinds


@pytest.fixture
def database_url(request: pytest.FixtureRequest, world: str) -> str:
    """The URL of a database that nobody has used."""
    if world.startswith('mim'):
        return f'mim:///depot{next(_numbers)}'
    url: str = request.getfixturevalue('mongo_database_url')
    return url


@pytest.fixture
def session(database_url: str) -> Iterator[Any]:
    """That of the mapped classes."""
    connect(database_url)
    yield SESSION
    disconnect()


def configure(storage: Any) -> Any:
    """Makes it the only storage, called ``default``."""
    DepotManager._clear()
    DepotManager._depots['default'] = storage
    DepotManager.set_default('default')
    return storage


@pytest.fixture
def storage(request: pytest.FixtureRequest, world: str, tmp_path: Path) -> Iterator[FileStorage]:
    """The default storage; that of GridFS is in the database of the documents."""
    if world.endswith('gridfs'):
        with contextlib.closing(GridFSStorage(request.getfixturevalue('database_url'))) as storage:
            yield configure(storage)
    else:
        yield configure(LocalFileStorage(tmp_path / 'files') if world.endswith('local') else MemoryFileStorage())
    DepotManager._clear()


def contents(storage: Any) -> list[bytes]:
    """What the storage holds, sorted."""
    found = []
    for each in storage.list():
        with storage.get(each) as file:
            found.append(file.read())
    return sorted(found)


def holds(storage: Any) -> list[bytes]:
    """What the storage holds, sorted; fails unless that is what the database's documents name."""
    assert set(storage.list()) == named(), 'the storage differs from what documents name'
    return contents(storage)


def named() -> set[str]:
    """The ids of the files that documents of the database refer to."""
    documents = SESSION.db['document'].find()
    values = [each.get(name) or {'files': []} for each in documents for name in FILES]
    return {file.partition('/')[2] for value in values for file in value['files']}


def stored(name: str) -> Any:
    """What the database has under this name."""
    return SESSION.db['document'].find_one({'name': name})


def loaded(name: str) -> Any:
    """The document as a session has it that knows of nothing."""
    SESSION.clear()
    return Document.query.get(name=name)
