"""What a stranger tried, to get a row without its file: each attack that once succeeded."""

from __future__ import annotations

import gc
import json
import logging
import pickle
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session, sessionmaker

from depot.errors import FileMissing, InvalidValue
from depot.fields.upload import UploadedFile
from depot.manager import DepotManager

from .laws import contents
from .models import Document

#: So the tests run with each kind of storage: see conftest.py.
WITH_EVERY_STORAGE = True


def fail(*_: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize('close', [True, False])
def test_a_failure_after_the_commit_keeps_the_committed_file(
    storage: Any, make_session: sessionmaker[Session], close: bool
) -> None:
    def work() -> None:
        session = make_session()
        event.listen(session, 'after_commit', fail)
        session.add(Document(content=b'committed'))
        try:
            session.commit()
        finally:
            event.remove(session, 'after_commit', fail)
            if close:
                session.close()

    with pytest.raises(ZeroDivisionError):
        work()
    gc.collect()
    assert contents(storage) == [b'committed']


def test_a_listener_that_fails_before_all_others_keeps_the_committed_file(
    storage: Any, make_session: sessionmaker[Session]
) -> None:
    event.listen(Session, 'after_commit', fail)
    try:
        with make_session() as session:
            session.add(Document(content=b'committed'))
            with pytest.raises(ZeroDivisionError):
                session.commit()
    finally:
        event.remove(Session, 'after_commit', fail)
    assert contents(storage) == [b'committed']


COPIES = [
    lambda info: UploadedFile(info),
    lambda info: UploadedFile.decode(info.encode()),
    lambda info: pickle.loads(pickle.dumps(info)),
]


@pytest.mark.parametrize('copied', COPIES)
def test_a_copy_keeps_the_file_of_an_object_that_is_forgotten(session: Session, storage: Any, copied: Any) -> None:
    source = Document(content=b'new')
    session.add(Document(content=copied(source.content)))
    session.commit()
    del source
    gc.collect()
    assert contents(storage) == [b'new']


@pytest.mark.parametrize('copied', COPIES)
def test_a_copy_keeps_the_file_that_another_session_gives_up(
    make_session: sessionmaker[Session], storage: Any, copied: Any
) -> None:
    with make_session() as first, make_session() as second:
        document = Document(content=b'new')
        first.add(document)
        second.add(Document(content=copied(document.content)))
        second.commit()
    assert contents(storage) == [b'new']


def test_a_stale_object_lets_go_what_the_row_has_and_not_what_it_remembers(
    make_session: sessionmaker[Session], storage: Any
) -> None:
    with make_session() as session:
        session.add_all([Document(id=1, content=b'first'), Document(id=2)])
        session.commit()
    with make_session(expire_on_commit=False) as slow, make_session() as quick:
        stale = slow.get_one(Document, 1)
        slow.commit()
        one, two = quick.get_one(Document, 1), quick.get_one(Document, 2)
        two.content, one.content = one.content, b'second'
        quick.commit()
        stale.content = b'third'
        slow.commit()
    assert contents(storage) == [b'first', b'third']


def test_a_stale_object_that_is_deleted_takes_no_file_that_moved_on(
    make_session: sessionmaker[Session], storage: Any
) -> None:
    with make_session() as session:
        session.add(Document(id=1, content=b'first'))
        session.commit()
    with make_session(expire_on_commit=False) as slow, make_session() as quick:
        stale = slow.get_one(Document, 1)
        slow.commit()
        one = quick.get_one(Document, 1)
        quick.add(Document(id=2, content=one.content))
        quick.delete(one)
        quick.commit()
        slow.delete(stale)
        with pytest.warns(match='expected to delete 1 row'):
            slow.commit()
    assert contents(storage) == [b'first']


def test_a_file_that_an_earlier_commit_removed_cannot_be_put_back(session: Session, storage: Any) -> None:
    document = Document(content=b'first')
    session.add(document)
    session.commit()
    first = document.content
    document.content = b'second'
    session.commit()
    document.content = first
    with pytest.raises(FileMissing, match='an earlier commit removed'):
        session.commit()
    session.rollback()
    assert contents(storage) == [b'second']


def test_a_file_that_came_back_from_a_backup_can_be_put_back(session: Session, storage: Any, backup: Any) -> None:
    document = Document(content=b'first')
    session.add(document)
    session.commit()
    first = document.content
    with first.file as file:
        backup.replace(file, file)
    document.content = None
    session.commit()
    with backup.get(first.file_id) as file:
        storage.replace(file, file)
    document.content = first
    session.commit()
    assert contents(storage) == [b'first']


def test_a_file_stays_with_the_row_that_takes_the_place_of_one_that_moved(session: Session, storage: Any) -> None:
    mover = Document(id=1, content=b'first')
    session.add(mover)
    session.commit()
    first = mover.content
    mover.id, mover.content = 2, b'second'
    session.flush()
    session.add(Document(id=1, content=first))
    session.commit()
    assert contents(storage) == [b'first', b'second']


def test_a_dict_is_no_content(session: Session, storage: Any) -> None:
    document = Document(content=b'mine')
    session.add(document)
    session.commit()
    with pytest.raises(InvalidValue, match='a dict is no content'):
        document.content = dict(document.content)
    assert contents(storage) == [b'mine']


@pytest.mark.parametrize('join', ['conditional_savepoint', 'rollback_only', 'control_fully', 'create_savepoint'])
def test_a_session_joined_to_a_transaction_that_goes_on_removes_nothing(
    engine: Engine, storage: Any, join: Any
) -> None:
    with engine.begin() as connection, Session(connection, join_transaction_mode=join) as session:
        session.add(Document(content=b'old'))
        session.commit() if join != 'control_fully' else session.flush()
        session.add(Document(content=b'new'))
        session.flush()
        if join == 'control_fully':
            session.commit()
    with Session(engine) as session:
        for each in session.scalars(select(Document.content)):
            with each.file as file:
                assert file.read() in (b'old', b'new')


def test_a_forgotten_session_that_joined_a_transaction_removes_nothing(engine: Engine, storage: Any) -> None:
    with engine.begin() as connection:
        session = Session(connection)
        session.add(Document(content=b'new'))
        session.flush()
        del session
        gc.collect()
    with Session(engine) as session, session.scalars(select(Document.content)).one().file as file:
        assert file.read() == b'new'


@pytest.mark.parametrize('files', ['5', '[1]', '[["x"]]', '{"a": 1}', 'null'])
def test_rubbish_where_the_files_should_be_stops_no_clean_up(
    session: Session, storage: Any, files: str, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = Document(content=b'good'), Document()
    session.add_all([good, bad])
    session.commit()
    session.execute(
        text('UPDATE document SET content = :content WHERE id = :id'),
        {'content': json.dumps({'files': json.loads(files)}), 'id': bad.id},
    )
    session.commit()
    session.delete(good)
    session.delete(bad)
    session.commit()
    assert contents(storage) == []


def test_text_nested_too_deep_can_be_replaced(session: Session, storage: Any, caplog: pytest.LogCaptureFixture) -> None:
    document = Document(content=b'old')
    session.add(document)
    session.commit()
    session.execute(text('UPDATE document SET content = :content'), {'content': '[' * 3_900})
    document.content = b'new'
    session.commit()
    with document.content.file as file:
        assert file.read() == b'new'


@pytest.mark.parametrize('answer', [None, ['x'], 5])
def test_a_storage_that_answers_nonsense_stops_no_clean_up(
    session: Session, storage: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Nonsense:
        capabilities = frozenset({'batch_delete'})

        def __getattr__(self, name: str) -> Any:
            return getattr(storage, name)

        def delete_many(self, ids: Any) -> Any:
            return answer

    DepotManager._depots['default'] = Nonsense()  # type: ignore[assignment]
    session.add_all([Document(content=b'x'), Document(content=b'y')])
    with caplog.at_level(logging.ERROR, 'depot.transactions'):
        session.rollback()
    assert 'it stays in the storage' in caplog.text
