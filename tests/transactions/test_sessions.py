"""Commit, rollback, savepoints, and every way to leave a session."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from depot.errors import FileMissing
from depot.fields.upload import UploadedFile
from depot.io.local import LocalFileStorage

from .laws import contents
from .models import Document

#: So the tests run with each kind of storage: see conftest.py.
WITH_EVERY_STORAGE = True


def test_a_file_is_there_as_soon_as_it_is_assigned(storage: Any) -> None:
    document = Document(content=b'bytes')
    with document.content.file as file:
        assert file.read() == b'bytes'


def test_a_commit_keeps_the_file(session: Session, storage: Any, document: Document) -> None:
    assert contents(storage) == [b'old']


def test_a_rollback_removes_the_new_file(session: Session, storage: Any) -> None:
    session.add(Document(content=b'new'))
    session.flush()
    session.rollback()
    assert contents(storage) == []


def test_a_replaced_file_goes_with_the_commit_and_not_before(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'new'
    session.flush()
    assert contents(storage) == [b'new', b'old']
    session.commit()
    assert contents(storage) == [b'new']


def test_a_rolled_back_replacement_keeps_the_old_file(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    session.flush()
    session.rollback()
    assert contents(storage) == [b'old']
    with document.content.file as file:
        assert file.read() == b'old'


@pytest.mark.parametrize('flush', [True, False])
def test_of_two_assignments_only_the_last_stays(
    session: Session, storage: Any, document: Document, flush: bool
) -> None:
    for each in b'second', b'third':
        document.content = each
        if flush:
            session.flush()
    session.commit()
    assert contents(storage) == [b'third']


def test_none_lets_the_file_go(session: Session, storage: Any, document: Document) -> None:
    document.content = None
    session.commit()
    assert contents(storage) == []


def test_a_deleted_row_lets_its_file_go(session: Session, storage: Any, document: Document) -> None:
    session.delete(document)
    session.flush()
    assert contents(storage) == [b'old']
    session.commit()
    assert contents(storage) == []


def test_a_deleted_row_that_is_rolled_back_keeps_its_file(session: Session, storage: Any, document: Document) -> None:
    session.delete(document)
    session.rollback()
    assert contents(storage) == [b'old']


def test_a_row_deleted_with_an_unflushed_replacement_leaves_nothing(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'new'
    session.delete(document)
    session.commit()
    assert contents(storage) == []


def by_close(session: Session) -> None:
    session.close()


def by_reset(session: Session) -> None:
    session.reset()


def by_invalidate(session: Session) -> None:
    session.invalidate()


def by_an_exception(session: Session) -> None:
    with pytest.raises(ZeroDivisionError), session:
        raise ZeroDivisionError


def by_its_context(session: Session) -> None:
    with session:
        pass


def by_expunge_all_and_close(session: Session) -> None:
    session.expunge_all()
    session.close()


WAYS_TO_LEAVE = [by_close, by_reset, by_invalidate, by_an_exception, by_its_context, by_expunge_all_and_close]


@pytest.mark.parametrize('leave', WAYS_TO_LEAVE)
@pytest.mark.parametrize('flush', [True, False])
def test_leaving_without_a_commit_is_a_rollback(
    storage: Any, make_session: sessionmaker[Session], leave: Any, flush: bool
) -> None:
    session = make_session()
    session.add(Document(content=b'new'))
    if flush:
        session.flush()
    leave(session)
    assert contents(storage) == []


def test_an_exception_in_a_begin_block_is_a_rollback(storage: Any, make_session: sessionmaker[Session]) -> None:
    def fail() -> None:
        with make_session.begin() as session:
            session.add(Document(content=b'new'))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert contents(storage) == []


def test_a_begin_block_commits(storage: Any, make_session: sessionmaker[Session]) -> None:
    with make_session.begin() as session:
        session.add(Document(content=b'new'))
    assert contents(storage) == [b'new']


def test_a_forgotten_session_is_rolled_back(storage: Any, make_session: sessionmaker[Session]) -> None:
    session = make_session()
    document = Document(content=b'new')
    session.add(document)
    session.connection().detach()  # so that the pool does not complain of the connection it lost
    session.flush()
    connection = session.connection()
    del session, document
    gc.collect()
    connection.close()
    gc.collect()
    assert contents(storage) == []


def test_a_forgotten_object_that_was_never_added_leaves_nothing(storage: Any) -> None:
    document = Document(content=b'new')
    assert contents(storage) == [b'new']
    del document
    gc.collect()
    assert contents(storage) == []


def test_a_reused_session_remembers_nothing(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    session.rollback()
    session.add(Document(content=b'other'))
    session.commit()
    assert contents(storage) == [b'old', b'other']


def test_a_flush_error_leaves_a_usable_session(session: Session, storage: Any, document: Document) -> None:
    session.add(Document(name='document', content=b'twin'))
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
    assert contents(storage) == [b'old']
    document.content = b'new'
    session.commit()
    assert contents(storage) == [b'new']


def test_clearing_the_sessions_info_takes_nothing_away(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    session.info.clear()
    session.commit()
    gc.collect()
    assert contents(storage) == [b'new']


def test_a_session_without_autobegin_refuses_and_leaves_nothing(
    storage: Any, make_session: sessionmaker[Session]
) -> None:
    session = make_session(autobegin=False, expire_on_commit=False)
    document = Document(content=b'old')
    with session.begin():
        session.add(document)
    with pytest.raises(InvalidRequestError):
        document.content = b'new'
    gc.collect()
    assert contents(storage) == [b'old']
    session.close()


LEAVES_AT_EXIT = """
import sys
from depot.manager import DepotManager
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from tests.transactions.models import Base, Document
DepotManager.configure('default', {'depot.storage_path': sys.argv[1]})
engine = create_engine('sqlite://')
Base.metadata.create_all(engine)
session = Session(engine)
session.add(Document(content=b'kept'))
session.commit()
session.add(Document(content=b'flushed'))
session.flush()
never_added = Document(content=b'never added')
"""


def test_the_end_of_the_program_is_a_rollback(tmp_path: Path) -> None:
    command = [sys.executable, '-c', LEAVES_AT_EXIT, str(tmp_path / 'files')]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    assert contents(LocalFileStorage(tmp_path / 'files')) == [b'kept']


# Savepoints


def test_a_released_savepoint_decides_nothing(session: Session, storage: Any, document: Document) -> None:
    with session.begin_nested():
        document.content = b'new'
    assert contents(storage) == [b'new', b'old']
    session.rollback()
    assert contents(storage) == [b'old']


def test_a_released_savepoint_is_part_of_the_commit(session: Session, storage: Any, document: Document) -> None:
    with session.begin_nested():
        document.content = b'new'
    session.commit()
    assert contents(storage) == [b'new']


@pytest.mark.parametrize('flush', [True, False])
def test_a_rolled_back_savepoint_deletes_only_its_own_files(
    session: Session, storage: Any, document: Document, flush: bool
) -> None:
    document.content = b'outer'
    savepoint = session.begin_nested()
    document.content = b'inner'
    if flush:
        session.flush()
    savepoint.rollback()
    assert contents(storage) == [b'old', b'outer']
    session.commit()
    assert contents(storage) == [b'outer']


def test_a_delete_in_a_rolled_back_savepoint_keeps_the_file(session: Session, storage: Any, document: Document) -> None:
    savepoint = session.begin_nested()
    session.delete(document)
    session.flush()
    savepoint.rollback()
    session.commit()
    assert contents(storage) == [b'old']


@pytest.mark.parametrize('outcomes', [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
def test_savepoints_nest_at_any_depth(
    session: Session, storage: Any, document: Document, outcomes: tuple[bool, bool, bool]
) -> None:
    savepoints = []
    for name in b'first', b'second', b'third':
        savepoints.append(session.begin_nested())
        session.add(Document(content=name))
        session.flush()
    for savepoint, commits in zip(reversed(savepoints), outcomes, strict=True):
        savepoint.commit() if commits else savepoint.rollback()
    session.commit()
    survives = {b'third': all(outcomes), b'second': all(outcomes[1:]), b'first': outcomes[2]}
    assert contents(storage) == sorted([b'old'] + [name for name, lives in survives.items() if lives])


def test_a_commit_through_open_savepoints_commits_them(session: Session, storage: Any, document: Document) -> None:
    session.begin_nested()
    session.begin_nested()
    document.content = b'new'
    session.commit()
    assert contents(storage) == [b'new']


def test_a_rollback_through_open_savepoints_rolls_all_back(session: Session, storage: Any, document: Document) -> None:
    session.add(Document(content=b'outer'))
    session.begin_nested()
    session.begin_nested()
    document.content = b'new'
    session.rollback()
    assert contents(storage) == [b'old']


def test_a_flush_error_in_a_savepoint_spares_the_outer_transaction(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'outer'
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(Document(name='document', content=b'twin'))
    session.commit()
    assert contents(storage) == [b'outer']


def test_a_file_of_the_outer_transaction_survives_a_savepoint_that_used_it_too(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'outer'
    savepoint = session.begin_nested()
    session.add(Document(content=document.content))
    savepoint.rollback()
    session.commit()
    assert contents(storage) == [b'outer']


# Two sessions, and objects that go from one to another


def test_an_object_that_moves_to_another_session_takes_its_file_along(
    storage: Any, make_session: sessionmaker[Session]
) -> None:
    first, second = make_session(), make_session()
    document = Document(content=b'new')
    first.add(document)
    first.expunge(document)
    first.commit()
    assert contents(storage) == []
    second.add(document)
    with pytest.raises(FileMissing, match='assign the content anew'):
        second.commit()
    second.rollback()
    document.content = b'again'
    second.add(document)
    second.commit()
    assert contents(storage) == [b'again']
    first.close()
    second.close()


def test_an_object_that_is_in_its_new_session_before_the_old_one_ends_keeps_its_file(
    storage: Any, make_session: sessionmaker[Session]
) -> None:
    first, second = make_session(), make_session()
    document = Document(content=b'new')
    first.add(document)
    first.expunge(document)
    second.add(document)
    first.commit()
    second.commit()
    assert contents(storage) == [b'new']
    first.close()
    second.close()


def test_a_rolled_back_object_cannot_come_back_without_its_file(session: Session, storage: Any) -> None:
    document = Document(content=b'new')
    session.add(document)
    session.rollback()
    session.add(document)
    with pytest.raises(FileMissing, match=r'document\.content refers to default/'):
        session.commit()
    session.rollback()
    document.content = b'again'
    session.add(document)
    session.commit()
    assert contents(storage) == [b'again']


def test_a_file_uploaded_ahead_follows_the_transaction_it_is_assigned_in(session: Session, storage: Any) -> None:
    uploaded = Document.content.type.upload(b'ahead')
    session.add(Document(content=uploaded))
    session.rollback()
    assert contents(storage) == []


def test_an_explicit_uploaded_file_follows_the_transaction(session: Session, storage: Any) -> None:
    session.add(Document(content=UploadedFile(b'explicit')))
    session.rollback()
    assert contents(storage) == []


def test_a_scoped_session_needs_no_set_up(storage: Any, make_session: sessionmaker[Session]) -> None:
    registry = scoped_session(make_session)
    registry.add(Document(content=b'kept'))
    registry.commit()
    registry.add(Document(content=b'lost'))
    registry.remove()
    assert contents(storage) == [b'kept']


def test_zope_sqlalchemy_commits_and_aborts(storage: Any, make_session: sessionmaker[Session]) -> None:
    transaction = pytest.importorskip('transaction', reason='pip install zope.sqlalchemy')
    from zope.sqlalchemy import register

    session = scoped_session(make_session)
    registered = register(session)
    try:
        session.add(Document(content=b'kept'))
        transaction.commit()
        session.add(Document(content=b'lost'))
        session.flush()
        transaction.abort()
        session.add(Document(content=b'second'))
        savepoint = transaction.savepoint()
        session.add(Document(content=b'lost too'))
        session.flush()
        savepoint.rollback()
        transaction.commit()
    finally:
        transaction.abort()
        session.remove()
        del registered
    assert contents(storage) == [b'kept', b'second']


# Durable before, removed after, never raising


class Journal:
    """A storage that writes down what happens to it, beside the commits."""

    capabilities = frozenset({'sync'})

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.entries: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage, name)

    def sync(self, ids: Any) -> None:
        self.entries.append(f'sync {len(list(ids))}')

    def delete(self, file_id: str) -> None:
        self.entries.append('delete')
        self.storage.delete(file_id)


@pytest.fixture
def journal(storage: Any, session: Session, monkeypatch: pytest.MonkeyPatch) -> Journal:
    from depot.manager import DepotManager

    journal = Journal(storage)
    DepotManager._depots['default'] = journal  # type: ignore[assignment]
    dialect = session.get_bind().dialect
    send = dialect.do_commit

    def do_commit(dbapi_connection: Any) -> None:
        journal.entries.append('COMMIT')
        send(dbapi_connection)

    monkeypatch.setattr(dialect, 'do_commit', do_commit)
    return journal


def test_files_are_durable_before_the_commit_and_removed_after(session: Session, journal: Journal) -> None:
    document = Document(content=b'old')
    session.add(document)
    session.commit()
    document.content = b'new'
    session.commit()
    assert journal.entries == ['sync 1', 'COMMIT', 'sync 1', 'COMMIT', 'delete']


def test_a_transaction_syncs_its_files_together(session: Session, journal: Journal) -> None:
    for _ in range(5):
        session.add(Document(content=b'x'))
        session.flush()
    with session.begin_nested():
        session.add(Document(content=b'y'))
    session.commit()
    assert journal.entries == ['sync 6', 'COMMIT']


def test_a_file_that_a_hook_stores_during_the_commit_is_durable_too(session: Session, journal: Journal) -> None:
    document = Document()
    session.add(document)
    event.listen(session, 'before_flush', lambda *_: setattr(document, 'content', b'late'), once=True)
    session.commit()
    assert journal.entries == ['sync 1', 'COMMIT']


def test_a_failing_sync_fails_the_commit(session: Session, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(ids: Any) -> None:
        raise OSError('no power')

    monkeypatch.setattr(journal, 'sync', fail)
    session.add(Document(content=b'x'))
    with pytest.raises(OSError, match='no power'):
        session.commit()
    session.rollback()
    assert contents(journal.storage) == []
    assert 'COMMIT' not in journal.entries


@pytest.mark.parametrize('end', ['commit', 'rollback'])
def test_a_failing_removal_is_logged_and_the_others_go_on(
    session: Session, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    documents = [Document(content=b'%d' % number) for number in range(3)]
    session.add_all(documents)
    if end == 'commit':
        session.commit()
        for each in documents:
            session.delete(each)
    broken = sorted(journal.storage.list())[1]
    real = journal.storage.delete

    def fail_once(file_id: str) -> None:
        if file_id == broken:
            raise OSError('device busy')
        real(file_id)

    monkeypatch.setattr(journal, 'delete', fail_once)
    with caplog.at_level(logging.ERROR, 'depot.transactions'):
        getattr(session, end)()
    assert journal.storage.list() == [broken]
    [record] = caplog.records
    assert broken in record.getMessage()
    assert 'device busy' in str(record.exc_info)


def test_an_unknown_storage_is_logged_when_its_files_should_go(
    session: Session, storage: Any, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    from depot.manager import DepotManager

    session.delete(document)
    session.flush()
    DepotManager._clear()
    session.commit()
    assert 'could not remove default/' in caplog.text


def test_a_batch_is_removed_by_the_storage_itself_where_it_can(session: Session, storage: Any) -> None:
    from depot.manager import DepotManager

    class Batches(Journal):
        capabilities = frozenset({'batch_delete'})

        def delete_many(self, ids: Any) -> dict[str, Exception]:
            self.entries.append(f'delete {len(list(ids))}')
            return {}

    journal = Batches(storage)
    DepotManager._depots['default'] = journal  # type: ignore[assignment]
    session.add_all([Document(content=b'x') for _ in range(3)])
    session.rollback()
    assert journal.entries == ['delete 3']


def test_hooks_of_applications_may_call_session_committed_early(
    session: Session, storage: Any, document: Document
) -> None:
    from depot.fields.sqlalchemy import _SQLAMutationTracker

    document.content = b'new'
    session.flush()
    _SQLAMutationTracker._session_committed(session)
    _SQLAMutationTracker._session_committed(session)
    session.rollback()
    assert contents(storage) == [b'old']
