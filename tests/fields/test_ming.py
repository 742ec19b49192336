"""The property of Ming's mapped classes, as an application uses it."""

from __future__ import annotations

import copy
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ming import Field, collection, schema
from ming.odm import FieldProperty, MappedClass, Mapper
from ming.odm.base import state
from ming.odm.odmsession import SessionExtension

from depot.errors import FileMissing, ImmutableFile, InvalidContent, InvalidValue, UnknownStorage
from depot.fields.ming import DepotExtension, UploadedFileProperty, get_depot_history
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage
from depot.io.utils import FileIntent
from depot.manager import DepotManager, get_file

from ..services.ming import LAYER, SESSION, Document, Report, WithCopy, contents, holds, loaded, stored
from ..services.ming import database_url as database_url
from ..services.ming import session as session
from ..services.ming import storage as storage
from ..services.ming import world as world

pytestmark = [
    pytest.mark.parametrize('world', ['secantusdb memory', 'mim memory'], indirect=True),
    pytest.mark.usefixtures('session', 'storage'),
]


class Signed(UploadedFile):
    """An application's own kind of information."""

    def process_content(self, content: Any, filename: str | None = None, content_type: str | None = None) -> None:
        super().process_content(content, filename, content_type)
        self['signed'] = True


class Refuse(WithCopy):
    def on_save(self, uploaded_file: Any) -> None:
        super().on_save(uploaded_file)
        raise ValueError('refused')


class Letter(MappedClass):
    class __mongometa__:  # noqa: N801
        session = SESSION
        name = 'letter'

    _id: Any = FieldProperty(schema.ObjectId)
    body: Any = UploadedFileProperty(upload_type=Signed, upload_storage='letters')
    refused: Any = UploadedFileProperty(filters=(Refuse(),))


class Page:
    """Mapped in the other way, without a base class."""

    query: Any
    content: Any

    def __init__(self, content: Any) -> None:
        self.content = content


PAGES: Any = collection('page', LAYER, Field('_id', schema.ObjectId), Field('content', None))
SESSION.mapper(Page, PAGES, properties={'content': UploadedFileProperty()})

Mapper.compile_all()


@pytest.fixture
def letters() -> MemoryFileStorage:
    DepotManager._depots['letters'] = letters = MemoryFileStorage()
    return letters


def test_the_class_gives_the_property() -> None:
    assert isinstance(Document.content, UploadedFileProperty)
    assert Document.content.name == 'content'
    assert issubclass(DepotExtension, SessionExtension)


def test_the_attribute_is_an_uploaded_file_and_the_document_has_a_plain_dict(session: Any) -> None:
    document = Document(name='document', content=FileIntent(b'a,b', 'report.csv', 'text/csv'))
    assert isinstance(document.content, UploadedFile)
    assert type(state(document).document['content']) is dict
    session.flush()
    assert stored('document')['content'] == document.content
    found = loaded('document').content
    assert isinstance(found, UploadedFile)
    assert (found.filename, found.content_type, found.size) == ('report.csv', 'text/csv', 3)
    assert json.loads(found.encode()) == stored('document')['content']


def test_a_file_is_there_as_soon_as_it_is_assigned() -> None:
    document = Document(name='document', content=b'bytes')
    with document.content.file as file:
        assert file.read() == b'bytes'
    assert get_file(document.content.path).filename == 'unnamed'
    assert document.content is document.content


CONTENTS: list[Callable[[Path], Any]] = [
    lambda _path: b'bytes',
    lambda _path: bytearray(b'bytes'),
    lambda _path: io.BytesIO(b'bytes'),
    lambda _path: FileIntent(io.BytesIO(b'bytes'), 'name.txt', 'text/plain'),
    lambda _path: iter([b'by', b'tes']),
    lambda path: path,
    lambda _path: UploadedFile(b'bytes'),
]


@pytest.mark.parametrize('make', CONTENTS)
def test_the_attribute_takes_every_content(
    make: Callable[[Path], Any], session: Any, storage: Any, tmp_path: Path
) -> None:
    path = tmp_path / 'content.bin'
    path.write_bytes(b'bytes')
    Document(name='document', content=make(path))
    session.flush()
    assert holds(storage) == [b'bytes']


@pytest.mark.parametrize('content', ['text', 12, ['list']])
def test_what_is_no_content_is_refused(content: Any, session: Any, storage: Any) -> None:
    document = Document(name='document', content=b'old')
    with pytest.raises(InvalidContent):
        document.content = content
    session.flush()
    assert holds(storage) == [b'old']


def test_a_dict_of_another_file_is_refused(session: Any, storage: Any) -> None:
    document = Document(name='document', content=b'old')
    other = Document(name='other', content=b'other')
    with pytest.raises(InvalidValue, match=r'assign UploadedFile\(dict\)'):
        document.content = dict(other.content)
    document.content = UploadedFile(dict(other.content))
    session.flush()
    assert holds(storage) == [b'other']


def test_no_file_is_none(session: Any) -> None:
    document = Document(name='document')
    assert document.content is None
    document.content = None
    session.flush()
    assert loaded('document').content is None


def test_a_document_from_before_the_property_has_no_file(session: Any) -> None:
    session.db['document'].insert_one({'name': 'older', 'kind': 'document'})
    assert loaded('older').content is None


def test_a_document_that_filedepot_wrote_is_read(session: Any, storage: Any) -> None:
    file_id = storage.create(b'old', 'old.txt', 'text/plain')
    info = {
        'depot_name': 'default',
        'files': [f'default/{file_id}'],
        'file_id': file_id,
        'path': f'default/{file_id}',
        'filename': 'old.txt',
        'content_type': 'text/plain',
        'uploaded_at': '2016-11-21 02:47:13',
        '_public_url': None,
    }
    session.db['document'].insert_one({'name': 'older', 'kind': 'document', 'content': info})
    document = loaded('older')
    assert document.content.size is None
    with document.content.file as file:
        assert file.read() == b'old'
    document.delete()
    session.flush()
    assert holds(storage) == []


def test_rubbish_in_the_database_is_named(session: Any) -> None:
    session.db['document'].insert_one({'name': 'rubbish', 'kind': 'document', 'content': 12})
    with pytest.raises(InvalidValue, match='12'):
        loaded('rubbish').content  # noqa: B018


def test_a_document_with_rubbish_can_be_mended(session: Any, storage: Any) -> None:
    session.db['document'].insert_one({'name': 'rubbish', 'kind': 'document', 'content': {'files': [None, 12, 'x']}})
    loaded('rubbish').content = b'mended'
    session.flush()
    assert holds(storage) == [b'mended']


def test_the_information_does_not_change() -> None:
    document = Document(name='document', content=b'bytes')
    with pytest.raises(ImmutableFile):
        document.content['filename'] = 'other'


def test_copies_and_pickles_of_the_information_are_equal() -> None:
    info = Document(name='document', content=b'bytes').content
    assert copy.deepcopy(info) == pickle.loads(pickle.dumps(info)) == info


def test_a_property_has_a_storage_and_a_type_of_its_own(session: Any, letters: MemoryFileStorage) -> None:
    Letter(body=b'Dear Ada')
    session.flush()
    session.clear()
    letter = Letter.query.find().first()
    assert (type(letter.body), letter.body.signed, letter.body.depot_name) == (Signed, True, 'letters')
    assert [each['data'] for each in letters.files.values()] == [b'Dear Ada']
    letter.delete()
    session.flush()
    assert letters.files == {}


def test_a_missing_storage_is_named_when_it_is_needed() -> None:
    with pytest.raises(UnknownStorage, match='letters'):
        Letter(body=b'Dear Ada')


def test_an_alias_stands_for_its_storage(session: Any, letters: MemoryFileStorage) -> None:
    DepotManager._depots.pop('letters')
    DepotManager._depots['disk'] = letters
    DepotManager.alias('letters', 'disk')
    letter = Letter(body=b'Dear Ada')
    session.flush()
    assert letter.body.depot_name == 'disk'


def test_filters_run_on_contents_and_on_an_explicit_file_once(session: Any, storage: Any) -> None:
    explicit = UploadedFile(b'two')
    reports = [Report(name='one', appendix=b'one'), Report(name='two', appendix=explicit)]
    reports[1].appendix = reports[1].appendix
    session.flush()
    assert holds(storage) == [b'copy of one', b'copy of two', b'one', b'two']
    assert get_file(explicit['copy']).content_length == 11


def test_a_filter_that_refuses_leaves_nothing(session: Any, storage: Any) -> None:
    letter = Letter()
    with pytest.raises(ValueError, match='refused'):
        letter.refused = b'bytes'
    assert letter.refused is None
    assert contents(storage) == []


def test_a_mapped_class_hands_its_properties_down(session: Any, storage: Any) -> None:
    report = Report(name='report', content=b'content', cover=b'cover')
    session.flush()
    report = loaded('report')
    assert isinstance(report, Report)
    report.content = None
    session.flush()
    assert holds(storage) == [b'cover']


def test_a_class_that_is_mapped_without_a_base_has_files(session: Any, storage: Any) -> None:
    page = Page(content=b'old')
    session.flush()
    page.content = b'new'
    session.flush()
    assert contents(storage) == [b'new']
    Page.query.remove({})
    assert contents(storage) == []


def test_a_document_that_was_loaded_in_part_keeps_what_it_does_not_know(session: Any, storage: Any) -> None:
    Document(name='document', content=b'content', cover=b'cover')
    session.flush()
    session.clear()
    document = Document.query.find({}, projection=['name', 'cover']).first()
    document.name = 'renamed'
    document.cover = b'new cover'
    session.flush()
    assert holds(storage) == [b'content', b'new cover']


def test_items_and_attributes_are_the_same() -> None:
    document = Document(name='document')
    document['content'] = b'bytes'
    assert document['content'].size == 5
    assert 'bytes' not in repr(document)


def test_the_history_tells_what_a_flush_will_decide(session: Any) -> None:
    document = Document(name='document', content=b'old')
    old = document.content.path
    assert get_depot_history(document) == ({old}, set())
    session.flush()
    assert get_depot_history(document) == (set(), set())
    document.content = b'between'
    between = document.content.path
    document.content = b'new'
    assert get_depot_history(document) == ({between, document.content.path}, {old})
    session.clear()
    assert get_depot_history(document).new == set()


def test_the_history_of_a_deleted_document_has_all_its_files(session: Any) -> None:
    document = Document(name='document', content=b'old')
    session.flush()
    document = loaded('document')
    document.delete()
    assert get_depot_history(document) == (set(), {document.content.path})


def test_a_file_that_is_gone_is_named() -> None:
    document = Document(name='document', content=b'bytes')
    DepotManager.get().delete(document.content.file_id)
    with pytest.raises(FileMissing):
        document.content.file  # noqa: B018
