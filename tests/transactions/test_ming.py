"""The laws, for documents of Ming: each flush decides about what it writes."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from ming.odm import ContextualODMSession, ODMSession, ThreadLocalODMSession
from ming.odm.base import state
from ming.odm.middleware import MingMiddleware
from ming.odm.odmsession import SessionExtension
from pymongo.errors import AutoReconnect, DuplicateKeyError

from depot.errors import FileMissing
from depot.fields.ming import DepotExtension
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..services.messages import Mongo
from ..services.ming import (
    LAYER,
    SESSION,
    WORLDS,
    Document,
    Report,
    configure,
    connect,
    contents,
    disconnect,
    holds,
    loaded,
    named,
    stored,
)
from ..services.ming import database_url as database_url
from ..services.ming import session as session
from ..services.ming import storage as storage
from ..services.ming import world as world
from ..services.proxy import AtRequest, Proxy

in_memory = pytest.mark.parametrize('world', ['secantusdb memory', 'mim memory'], indirect=True)
on_a_server = pytest.mark.parametrize('world', [each for each in WORLDS if 'mim' not in each], indirect=True)


@pytest.fixture
def document(session: Any, storage: Any) -> Any:
    """A flushed document with the content ``old``."""
    document = Document(name='document', content=b'old')
    session.flush()
    return document


def failing(*_args: Any, **_kwargs: Any) -> None:
    raise RuntimeError('on purpose')


# -- a flush commits what it writes


def test_a_flush_keeps_the_file(storage: Any, document: Any) -> None:
    assert holds(storage) == [b'old']
    with loaded('document').content.file as file:
        assert file.read() == b'old'


def test_a_replaced_file_goes_with_the_flush_and_not_before(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    assert contents(storage) == [b'new', b'old']
    session.flush()
    assert holds(storage) == [b'new']


@pytest.mark.parametrize('is_loaded', [True, False])
def test_none_lets_the_file_go(session: Any, storage: Any, document: Any, is_loaded: bool) -> None:
    if is_loaded:
        document = loaded('document')
    document.content = None
    session.flush()
    assert holds(storage) == []
    assert stored('document')['content'] is None


def test_deleting_the_attribute_lets_the_file_go(session: Any, storage: Any, document: Any) -> None:
    del document.content
    session.flush()
    assert holds(storage) == []


@pytest.mark.parametrize('is_loaded', [True, False])
def test_a_deleted_document_takes_its_files_along(session: Any, storage: Any, document: Any, is_loaded: bool) -> None:
    document.cover = b'cover'
    session.flush()
    if is_loaded:
        document = loaded('document')
    document.delete()
    assert contents(storage) == [b'cover', b'old']
    session.flush()
    assert holds(storage) == []


def test_of_two_assignments_only_the_last_stays(session: Any, storage: Any, document: Any) -> None:
    document.content = b'second'
    held = document.content
    document.content = b'third'
    session.flush()
    assert holds(storage) == [b'third']
    assert not storage.exists(held.file_id)


def test_a_restored_file_stays(session: Any, storage: Any, document: Any) -> None:
    old = document.content
    document.content = b'new'
    document.content = old
    session.flush()
    assert holds(storage) == [b'old']


def test_a_document_deleted_before_its_first_flush_leaves_nothing(session: Any, storage: Any) -> None:
    Document(name='never', content=b'new').delete()
    session.flush()
    assert holds(storage) == []


def test_all_files_of_an_upload_go_with_it(session: Any, storage: Any) -> None:
    report = Report(name='report', appendix=b'one', content=b'body')
    session.flush()
    assert holds(storage) == [b'body', b'copy of one', b'one']
    report.appendix = b'two'
    session.flush()
    assert holds(storage) == [b'body', b'copy of two', b'two']
    loaded('report').delete()
    session.flush()
    assert holds(storage) == []


def test_a_flush_of_one_document_decides_only_about_it(session: Any, storage: Any, document: Any) -> None:
    other = Document(name='other', content=b'other')
    document.content = b'new'
    session.flush(document)
    assert contents(storage) == [b'new', b'other']
    assert stored('other') is None
    session.clear()
    assert holds(storage) == [b'new']
    assert not storage.exists(other.content.file_id)


@pytest.mark.parametrize('status', ['new', 'dirty', 'deleted'])
def test_one_document_can_be_flushed_in_each_state(session: Any, storage: Any, document: Any, status: str) -> None:
    if status == 'new':
        document = Document(name='other', content=b'other')
    elif status == 'dirty':
        document.content = b'new'
    else:
        document.delete()
    session.flush(document)
    assert holds(storage) == {'new': [b'old', b'other'], 'dirty': [b'new'], 'deleted': []}[status]


def test_a_document_without_changes_can_be_flushed(session: Any, storage: Any, document: Any) -> None:
    session.flush(document)
    session.flush()
    assert holds(storage) == [b'old']


def test_another_field_does_not_touch_the_file(session: Any, storage: Any, document: Any) -> None:
    document = loaded('document')
    document.name = 'renamed'
    session.flush()
    assert holds(storage) == [b'old']
    assert loaded('renamed').content.file_id in storage.list()


def test_new_files_are_durable_before_they_are_written(
    session: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if 'sync' not in storage.capabilities:
        storage = configure(MemoryFileStorage())
        monkeypatch.setattr(type(storage), 'capabilities', storage.capabilities | {'sync'})
    synced: list[Any] = []
    monkeypatch.setattr(storage, 'sync', lambda ids: synced.append((sorted(ids), named())))
    documents = [Document(name=name, content=name.encode()) for name in 'ab']
    documents[0].content = b'another'
    session.flush()
    assert synced == [(sorted(each.content.file_id for each in documents), set())]


def test_what_cannot_be_made_durable_is_not_written(
    session: Any, storage: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(storage), 'capabilities', storage.capabilities | {'sync'})
    monkeypatch.setattr(storage, 'sync', failing)
    document.content = b'new'
    with pytest.raises(RuntimeError, match='on purpose'):
        session.flush()
    session.clear()
    assert holds(storage) == [b'old']


# -- to leave without a flush is a rollback


@pytest.mark.parametrize('leave', ['clear', 'close', 'expunge', 'refresh'])
def test_what_was_not_flushed_is_removed(session: Any, storage: Any, document: Any, leave: str) -> None:
    document.content = b'new'
    if leave in ('clear', 'close'):
        getattr(session, leave)()
    else:
        getattr(session, leave)(document)
    assert holds(storage) == [b'old']


def test_a_document_read_anew_loses_what_was_assigned(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    assert Document.query.find({}, refresh=True).first() is document
    with document.content.file as file:
        assert file.read() == b'old'
    session.flush()
    assert holds(storage) == [b'old']


@pytest.mark.parametrize('end', ['flush', 'clear'])
def test_a_document_read_anew_has_no_file_that_the_database_does_not_know_of(
    session: Any, storage: Any, document: Any, end: str
) -> None:
    document.cover = b'cover'
    Document.query.find({}, refresh=True).all()
    getattr(session, end)()
    assert document.cover is None
    assert holds(storage) == [b'old']


@pytest.mark.parametrize('leave', ['clear', 'close'])
def test_a_new_document_that_is_not_flushed_leaves_nothing(session: Any, storage: Any, leave: str) -> None:
    document = Document(name='new', content=b'new', cover=b'cover')
    getattr(session, leave)()
    assert holds(storage) == []
    with pytest.raises(FileMissing):
        document.content.file  # noqa: B018


def test_a_deletion_that_is_not_flushed_keeps_the_file(session: Any, storage: Any, document: Any) -> None:
    document.delete()
    session.clear()
    assert holds(storage) == [b'old']


def test_a_forgotten_document_leaves_nothing(session: Any, storage: Any) -> None:
    document = Document(name='new')
    session.expunge(document)
    document.content = b'new'
    assert contents(storage) == [b'new']
    del document
    gc.collect()
    assert contents(storage) == []


def test_a_document_that_cannot_be_made_leaves_nothing(session: Any, storage: Any) -> None:
    with pytest.raises(TypeError):
        Document(content=b'new', cover='text')
    gc.collect()
    session.flush()
    assert holds(storage) == []


def test_an_expunged_document_that_comes_back_is_flushed_with_its_new_file(
    session: Any, storage: Any, document: Any
) -> None:
    session.expunge(document)
    document.content = b'new'
    session.save(document)
    session.flush()
    assert holds(storage) == [b'new']


def test_a_thrown_away_file_is_not_written_into_a_document(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    session.expunge(document)
    session.save(document)
    with pytest.raises(FileMissing, match='assign its content anew, or load the document again'):
        session.flush()
    session.clear()
    assert holds(storage) == [b'old']


def test_a_query_in_between_changes_nothing(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    assert Document.query.find().all() == [document]
    assert Document.query.get(name='document') is document
    assert contents(storage) == [b'new', b'old']
    session.flush()
    assert holds(storage) == [b'new']


# -- files that stay


def test_a_file_assigned_to_itself_stays(session: Any, storage: Any, document: Any) -> None:
    document.content = document.content
    session.flush()
    document.content = dict(document.content)
    document.name = 'renamed'
    session.flush()
    document = loaded('renamed')
    document.content = UploadedFile(dict(document.content))
    session.flush()
    assert holds(storage) == [b'old']


@pytest.mark.parametrize('is_new_first', [True, False])
def test_a_file_moves_to_another_document_in_one_flush(session: Any, storage: Any, is_new_first: bool) -> None:
    names = ('a', 'b') if is_new_first else ('b', 'a')
    documents = {name: Document(name=name) for name in names}
    documents['a'].content = b'moving'
    session.flush()
    documents['b'].content, documents['a'].content = documents['a'].content, None
    session.flush()
    assert holds(storage) == [b'moving']
    assert stored('a')['content'] is None


@pytest.mark.parametrize('first', ['giver', 'taker'])
def test_a_file_moves_to_another_document_in_two_flushes(session: Any, storage: Any, document: Any, first: str) -> None:
    taker = Document(name='taker', content=document.content)
    document.content = None
    session.flush(document if first == 'giver' else taker)
    assert contents(storage) == [b'old']
    session.flush()
    assert holds(storage) == [b'old']


def test_a_file_whose_move_ends_half_way_goes(session: Any, storage: Any, document: Any) -> None:
    Document(name='taker', content=document.content)
    document.content = None
    session.flush(document)
    session.clear()
    assert holds(storage) == []


def test_a_file_that_was_to_move_and_is_shared_meanwhile_stays(session: Any, storage: Any, document: Any) -> None:
    taker = Document(name='taker', content=document.content)
    document.content = None
    session.flush(document)
    other = Document(name='other', content=taker.content)
    session.flush(other)
    session.clear()
    assert holds(storage) == [b'old']


def test_a_new_file_in_two_documents_stays_when_one_is_flushed(session: Any, storage: Any) -> None:
    one = Document(name='one', content=b'new')
    two = Document(name='two', content=one.content)
    one.content = None
    session.flush(one)
    assert contents(storage) == [b'new']
    session.flush(two)
    assert holds(storage) == [b'new']


def test_the_heir_of_a_deleted_document_keeps_its_file(session: Any, storage: Any, document: Any) -> None:
    Document(name='heir', content=document.content)
    document.delete()
    session.flush()
    assert holds(storage) == [b'old']


def test_a_file_that_two_documents_of_a_session_share_stays(session: Any, storage: Any, document: Any) -> None:
    other = Document(name='other', content=document.content)
    session.flush()
    document.content = None
    session.flush()
    assert holds(storage) == [b'old']
    other.content = None
    session.flush()
    assert holds(storage) == []


def test_what_a_flush_has_removed_cannot_be_put_back(session: Any, storage: Any, document: Any) -> None:
    old = document.content
    document.content = b'new'
    session.flush()
    document.content = old
    with pytest.raises(FileMissing):
        session.flush()
    session.clear()
    assert holds(storage) == [b'new']


# -- other sessions


@pytest.fixture
def other(session: Any) -> Iterator[Any]:
    """A second session on the database, as another process has one."""
    other = ODMSession(LAYER, extensions=[DepotExtension])
    yield other
    other.close()


def test_a_session_that_knows_an_older_document_leaves_the_new_file(
    session: Any, storage: Any, document: Any, other: Any
) -> None:
    older = other.find(Document, {}).first()
    document.content = b'new'
    session.flush()
    older.name = 'renamed'
    other.flush()
    assert holds(storage) == [b'new']
    assert older.content == document.content


def test_a_session_that_knows_an_older_document_removes_the_file_that_is_there(
    session: Any, storage: Any, document: Any, other: Any
) -> None:
    older = other.find(Document, {}).first()
    document.content = b'new'
    session.flush()
    older.content = b'newer'
    other.flush()
    assert holds(storage) == [b'newer']


def test_a_session_that_knows_an_older_document_deletes_the_file_that_is_there(
    session: Any, storage: Any, document: Any, other: Any
) -> None:
    older = other.find(Document, {}).first()
    document.content = b'new'
    session.flush()
    older.delete()
    other.flush()
    assert holds(storage) == []


def test_a_document_that_another_session_deleted_is_not_written_without_its_file(
    session: Any, storage: Any, document: Any, other: Any
) -> None:
    older = other.find(Document, {}).first()
    document.delete()
    session.flush()
    older.name = 'back'
    with pytest.raises(FileMissing):
        other.flush()
    other.clear()
    assert holds(storage) == []


def test_a_document_that_another_process_deleted_is_not_written_without_its_file(
    session: Any, storage: Any, document: Any
) -> None:
    session.db['document'].delete_one({})
    storage.delete(document.content.file_id)
    document.name = 'back'
    with pytest.raises(FileMissing):
        session.flush()
    assert holds(storage) == []


def test_each_thread_has_a_session_of_its_own(session: Any, storage: Any) -> None:
    def work() -> None:
        Document(name='flushed', content=b'flushed')
        session.flush()
        Document(name='left', content=b'left')

    here = Document(name='here', content=b'here')
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert contents(storage) == [b'flushed', b'here']
    assert state(here).status == 'new'
    session.clear()
    assert holds(storage) == [b'flushed']


@in_memory
def test_contextual_sessions_are_followed(session: Any, storage: Any) -> None:
    current = ['a']
    contextual: Any = ContextualODMSession(lambda: current[0], LAYER, extensions=[DepotExtension])
    for each in 'ab':
        current[0] = each
        document = Document(name=each, content=each.encode())
        session.expunge(document)
        document.content = each.encode()
        contextual.save(document)
    contextual.flush()
    assert contents(storage) == [b'a', b'b']
    current[0] = 'a'
    contextual.clear()
    assert holds(storage) == [b'b']


@in_memory
def test_an_extension_registered_later_and_twice_works(session: Any, storage: Any) -> None:
    late: Any = ODMSession(LAYER)
    late.register_extension(DepotExtension)
    late.register_extension(DepotExtension)
    document = Document(name='document')
    session.expunge(document)
    late.save(document)
    document.content = b'old'
    late.flush()
    document.content = b'new'
    late.flush()
    document.content = b'left'
    late.clear()
    assert holds(storage) == [b'new']


@in_memory
def test_a_session_without_the_extension_removes_nothing(session: Any, storage: Any) -> None:
    plain: Any = ThreadLocalODMSession(LAYER)
    document = Document(name='document')
    session.expunge(document)
    plain.save(document)
    document.content = b'old'
    document.content = b'new'
    plain.flush()
    plain.close()
    del document
    gc.collect()
    assert contents(storage) == [b'new', b'old']


@in_memory
def test_what_a_session_without_the_extension_has_written_stays(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    plain: Any = ODMSession(LAYER)
    plain.save(document)
    plain.flush()
    session.clear()
    assert contents(storage) == [b'new', b'old']
    assert named() <= set(storage.list())


@in_memory
@pytest.mark.parametrize('fails', [True, False])
def test_the_middleware_of_ming_ends_each_request(session: Any, storage: Any, fails: bool) -> None:
    def application(_environ: Any, _start_response: Any) -> list[bytes]:
        Document(name='document', content=b'new')
        return failing() if fails else [b'']  # type: ignore[return-value]

    try:
        MingMiddleware(application)({}, None)
    except RuntimeError:
        assert fails
    assert holds(storage) == ([] if fails else [b'new'])


# -- failures


@on_a_server
def test_a_document_that_the_server_refuses_has_decided_nothing(session: Any, storage: Any, document: Any) -> None:
    twin = Document(name='document', content=b'twin')
    with pytest.raises(DuplicateKeyError):
        session.flush()
    assert contents(storage) == [b'old', b'twin']
    twin.name = 'twin'
    session.flush()
    assert holds(storage) == [b'old', b'twin']


@on_a_server
def test_what_a_failing_flush_has_written_is_committed(session: Any, storage: Any, document: Any) -> None:
    document.content = b'new'
    Document(name='document', content=b'refused')
    Document(name='never reached', content=b'pending')
    with pytest.raises(DuplicateKeyError):
        session.flush()
    assert contents(storage) == [b'new', b'pending', b'refused']
    session.clear()
    assert holds(storage) == [b'new']


@on_a_server
def test_a_file_whose_taker_was_refused_stays_until_the_session_is_cleared(
    session: Any, storage: Any, document: Any
) -> None:
    Document(name='document', content=document.content)
    document.content = None
    with pytest.raises(DuplicateKeyError):
        session.flush()
    assert contents(storage) == [b'old']
    session.clear()
    assert holds(storage) == []


@on_a_server
def test_a_refused_replacement_keeps_the_old_file(session: Any, storage: Any, document: Any) -> None:
    Document(name='other')
    session.flush()
    document.content = b'new'
    document.name = 'other'
    with pytest.raises(DuplicateKeyError):
        session.flush()
    session.clear()
    assert holds(storage) == [b'old']


class Failing(SessionExtension):  # type: ignore[misc]
    """Of the application; ours is asked before it."""

    method = ''

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        setattr(self, self.method, failing)


@in_memory
@pytest.mark.parametrize('change', ['insert', 'update', 'delete'])
@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('is_first', [True, False])
def test_an_extension_that_fails_around_a_write_leaves_neither_too_much_nor_too_little(
    session: Any, storage: Any, document: Any, when: str, change: str, is_first: bool
) -> None:
    broken = type('Broken', (Failing,), {'method': f'{when}_{change}'})
    extensions = [broken, DepotExtension] if is_first else [DepotExtension, broken]
    other: Any = ODMSession(LAYER, extensions=extensions)
    session.expunge(document)
    if change == 'insert':
        document = Document(name='new')
        session.expunge(document)
    other.save(document)
    if change == 'delete':
        document.delete()
    else:
        document.content = b'new'
    with pytest.raises(RuntimeError, match='on purpose'):
        other.flush()
    other.clear()
    if when == 'before':
        assert holds(storage) == [b'old']
    else:
        assert holds(storage) == {'insert': [b'new', b'old'], 'update': [b'new'], 'delete': []}[change]


@pytest.fixture
def proxy(mongo_database_url: str) -> Iterator[Proxy]:
    """What the session's database is reached through."""
    address = urlsplit(mongo_database_url)
    assert address.port is not None
    with Proxy(address.port, Mongo) as proxy:
        # Directly, because the server says of itself that it is at another port.
        options = 'directConnection=true&retryWrites=false&retryReads=false'
        connect(f'mongodb://127.0.0.1:{proxy.port}{address.path}?{options}')
        configure(MemoryFileStorage())
        yield proxy
        disconnect()
    DepotManager._clear()


# What a flush asks comes before what it writes, of which there is none before an insertion.
WRITES = {'insert': 1, 'update': 2, 'delete': 2}


@pytest.mark.parametrize('change', WRITES)
@pytest.mark.parametrize('fault', ['refuse', 'swallow'])
def test_an_unknown_outcome_removes_neither_the_old_file_nor_the_new(proxy: Proxy, change: str, fault: Any) -> None:
    document = Document(name='document', content=b'old')
    SESSION.flush()
    if change == 'insert':
        Document(name='new', content=b'new')
    elif change == 'update':
        document.content = b'new'
    else:
        document.delete()
    proxy.arm(AtRequest(WRITES[change], fault))
    with pytest.raises(AutoReconnect):
        SESSION.flush()
    SESSION.clear()
    assert contents(DepotManager.get()) == ([b'old'] if change == 'delete' else [b'new', b'old'])
    assert named() <= set(DepotManager.get().list())


def test_a_flush_that_is_tried_again_after_an_unknown_outcome_knows_what_was_written(proxy: Proxy) -> None:
    document = Document(name='document', content=b'old')
    SESSION.flush()
    document.content = b'new'
    proxy.arm(AtRequest(2, 'refuse'))
    with pytest.raises(AutoReconnect):
        SESSION.flush()
    SESSION.flush()
    assert holds(DepotManager.get()) == [b'new']


@pytest.mark.parametrize('change', WRITES)
def test_a_write_costs_one_more_request_where_there_are_old_files(proxy: Proxy, change: str) -> None:
    documents = [Document(name=name, content=b'old') for name in 'abc']
    SESSION.flush()
    if change == 'insert':
        Document(name='new', content=b'new')
    elif change == 'update':
        documents[0].content = b'new'
    else:
        documents[0].delete()
    traffic = proxy.arm(None)
    SESSION.flush()
    assert traffic.requests == WRITES[change]


@pytest.mark.parametrize(
    ('change', 'requests'), [({'$set': {'name': 'renamed'}}, 1), ({'$set': {'content.filename': 'renamed'}}, 3)]
)
def test_a_query_costs_two_more_requests_where_files_may_change(
    proxy: Proxy, change: dict[str, Any], requests: int
) -> None:
    Document(name='document', content=b'old')
    SESSION.flush()
    traffic = proxy.arm(None)
    Document.query.update({'name': 'document'}, change)
    assert traffic.requests == requests
    assert holds(DepotManager.get()) == [b'old']


def test_a_database_that_cannot_be_asked_is_not_written_to(proxy: Proxy) -> None:
    document = Document(name='document', content=b'old')
    SESSION.flush()
    document.content = b'new'
    proxy.arm(AtRequest(1, 'refuse'))
    with pytest.raises(AutoReconnect):
        SESSION.flush()
    SESSION.clear()
    assert holds(DepotManager.get()) == [b'old']


def test_a_failing_extension_and_a_database_that_does_not_tell_remove_nothing(proxy: Proxy) -> None:
    broken = type('Broken', (Failing,), {'method': 'after_update'})
    other: Any = ODMSession(LAYER, extensions=[broken, DepotExtension])
    document = Document(name='document', content=b'old')
    SESSION.flush()
    SESSION.expunge(document)
    other.save(document)
    document.content = b'new'
    proxy.arm(AtRequest(3, 'refuse'))
    with pytest.raises(RuntimeError, match='on purpose'):
        other.flush()
    other.clear()
    assert contents(DepotManager.get()) == [b'new', b'old']


def test_to_leave_never_fails_where_the_database_cannot_be_asked(
    proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    document = Document(name='document', content=b'old')
    SESSION.flush()
    document.content = b'new'
    Document.query.find({}, refresh=True).all()
    proxy.arm(AtRequest(1, 'refuse'))
    with caplog.at_level(logging.ERROR, 'depot.transactions'):
        SESSION.clear()
    assert 'could not ask for document' in caplog.text
    assert contents(DepotManager.get()) == [b'new', b'old']


@in_memory
def test_cleaning_up_never_fails_a_flush(
    session: Any, storage: Any, document: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage, 'delete', failing)
    document.content = b'new'
    with caplog.at_level(logging.ERROR, 'depot.transactions'):
        session.flush()
        document.content = b'left'
        session.clear()
    assert len(caplog.records) == 2
    assert contents(storage) == [b'left', b'new', b'old']


def test_a_failing_upload_raises_at_once_and_leaves_nothing(
    session: Any, storage: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(storage, 'create', failing)
        with pytest.raises(RuntimeError, match='on purpose'):
            document.content = b'new'
    assert document.content.size == 3
    session.flush()
    assert holds(storage) == [b'old']


# -- queries


def test_a_query_that_removes_documents_removes_their_files(session: Any, storage: Any, document: Any) -> None:
    Report(name='report', content=b'body', appendix=b'appendix')
    Document(name='without')
    session.flush()
    Document.query.remove({'name': {'$ne': 'document'}})
    assert holds(storage) == [b'old']
    session.clear()
    Document.query.remove()
    assert holds(storage) == []


@pytest.mark.parametrize('multi', [True, False])
def test_a_query_that_updates_documents_removes_what_they_let_go(
    session: Any, storage: Any, document: Any, multi: bool
) -> None:
    Document(name='other', content=b'other')
    session.flush()
    Document.query.update({}, {'$set': {'content': None}}, multi=multi)
    assert len(holds(storage)) == (0 if multi else 1)


def test_an_update_of_other_fields_asks_nothing(session: Any, storage: Any, document: Any) -> None:
    document.query.update({'$set': {'name': 'renamed'}})
    assert holds(storage) == [b'old']
    assert stored('renamed')['content']['files']


@pytest.mark.parametrize(
    'change', [{'$set': {'content': None}}, {'$unset': {'content': ''}}, {'$rename': {'cover': 'content'}}]
)
@on_a_server
def test_every_operator_that_lets_a_file_go_is_followed(
    session: Any, storage: Any, document: Any, change: dict[str, Any]
) -> None:
    document.cover = b'cover'
    session.flush()
    document.query.update(change)
    assert holds(storage) == [b'cover']


@pytest.mark.parametrize('kind', ['find_one_and_update', 'find_one_and_replace', 'find_one_and_delete'])
def test_a_query_that_finds_one_and_changes_it_is_followed(
    session: Any, storage: Any, document: Any, kind: str
) -> None:
    changes: dict[str, Any] = {
        'find_one_and_update': [{'$set': {'content': None}}],
        'find_one_and_replace': [{'name': 'document', 'kind': 'document'}],
        'find_one_and_delete': [],
    }
    Document(name='other', content=b'other')
    session.flush()
    getattr(Document.query, kind)({'name': 'document'}, *changes[kind])
    assert holds(storage) == [b'other']


def test_an_uploaded_file_that_a_query_writes_stays(session: Any, storage: Any, document: Any) -> None:
    new = UploadedFile(b'new')
    Document.query.update({'name': 'document'}, {'$set': {'content': dict(new)}})
    assert holds(storage) == [b'new']


def test_a_file_that_a_query_writes_before_its_document_is_thrown_away_stays(
    session: Any, storage: Any, document: Any
) -> None:
    pending = Document(name='pending', content=b'new')
    Document.query.update({'name': 'fresh'}, {'$set': {'content': dict(pending.content)}}, upsert=True)
    session.clear()
    assert holds(storage) == [b'new', b'old']


def test_what_a_query_removes_and_another_document_is_to_have_stays(session: Any, storage: Any, document: Any) -> None:
    Document(name='heir', content=document.content)
    Document.query.remove({'name': 'document'})
    session.flush()
    assert holds(storage) == [b'old']


@in_memory
def test_a_query_of_a_session_with_autoflush_sees_what_is_pending(session: Any, storage: Any, document: Any) -> None:
    other: Any = ODMSession(LAYER, extensions=[DepotExtension], autoflush=True)
    session.expunge(document)
    other.save(document)
    document.content = b'new'
    other.find_one_and_update(Document, {'name': 'document'}, {'$set': {'content': None}})
    assert holds(storage) == []
    other.close()


@in_memory
def test_a_failing_query_changes_nothing(
    session: Any, storage: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LAYER, 'remove', failing)
    with pytest.raises(RuntimeError, match='on purpose'):
        Document.query.remove({})
    assert holds(storage) == [b'old']


def test_a_query_whose_end_cannot_be_asked_for_removes_nothing(proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    Document(name='document', content=b'old')
    SESSION.flush()
    proxy.arm(AtRequest(3, 'refuse'))
    with caplog.at_level(logging.ERROR, 'depot.transactions'):
        Document.query.remove({})
    assert contents(DepotManager.get()) == [b'old']
    assert 'could not ask document' in caplog.text
