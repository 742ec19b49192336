"""What is derived from a file goes when the file goes, and only then, whichever way it goes."""

from __future__ import annotations

import pathlib
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from sqlalchemy import delete
from sqlalchemy.orm import Session

from depot.io.faults import Fault, FaultyStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.transactions.sweeper import sweep
from depot.transactions.sweeping import context

from ..services.storages import MakeStorage
from .ledgers import BY_TRANSACTIONS, in_database
from .models import Document

#: So the tests run with each kind of storage: see conftest.py.
WITH_EVERY_STORAGE = True


def derived(storage: Any) -> int:
    """How many derived files are anywhere in the storage, whether anybody can find them or not."""
    storage = getattr(storage, 'storage', storage)
    if isinstance(storage, MemoryFileStorage):
        return sum(len(each.get('derived', {})) for each in storage.files.values())
    if isinstance(storage, LocalFileStorage):
        return len([*pathlib.Path(storage.storage_path).rglob('derived/*/file')])
    if hasattr(storage, '_keys'):
        return len(storage._derived._page(storage._keys.all_derived(), '', 1000)[0])
    return len(storage._db[f'{storage._collection}.derived.chunks'].distinct('files_id'))


def thumbs(storage: Any, file: Any) -> None:
    """Puts two files under the file."""
    for key in 'a', 'b':
        storage.put_derived(file.file_id, key, b'small')


def thumb(storage: Any, file: Any) -> bytes:
    with storage.get_derived(file.file_id, 'a') as found:
        content: bytes = found.read()
    return content


@pytest.fixture
def document(session: Session, storage: Any) -> Document:
    """A committed row with a file, and two under this."""
    document = Document(name='document', content=b'old')
    session.add(document)
    session.commit()
    thumbs(storage, document.content)
    return document


def test_it_goes_with_a_rollback(session: Session, storage: Any) -> None:
    document = Document(content=b'new')
    session.add(document)
    session.flush()
    thumbs(storage, document.content)
    session.rollback()
    assert derived(storage) == 0


def test_it_stays_with_a_commit(session: Session, storage: Any) -> None:
    document = Document(content=b'new')
    session.add(document)
    thumbs(storage, document.content)
    session.commit()
    assert thumb(storage, document.content) == b'small'
    assert derived(storage) == 2


def test_a_savepoint_takes_its_own_along(session: Session, storage: Any, document: Document) -> None:
    savepoint = session.begin_nested()
    document.content = b'new'
    session.flush()
    thumbs(storage, document.content)
    assert derived(storage) == 4
    savepoint.rollback()
    session.commit()
    assert thumb(storage, document.content) == b'small'
    assert derived(storage) == 2


def test_it_goes_with_a_file_that_is_replaced(session: Session, storage: Any, document: Document) -> None:
    document.content = b'new'
    session.flush()
    assert derived(storage) == 2
    session.commit()
    assert derived(storage) == 0


def test_it_stays_with_a_file_that_is_not_replaced_after_all(
    session: Session, storage: Any, document: Document
) -> None:
    document.content = b'new'
    session.flush()
    thumbs(storage, document.content)
    session.rollback()
    assert thumb(storage, document.content) == b'small'
    assert derived(storage) == 2


def test_it_goes_with_a_value_that_is_emptied(session: Session, storage: Any, document: Document) -> None:
    document.content = None
    session.commit()
    assert derived(storage) == 0


def test_it_goes_with_a_row(session: Session, storage: Any, document: Document) -> None:
    session.delete(document)
    session.commit()
    assert derived(storage) == 0


def test_it_goes_with_many_rows(session: Session, storage: Any, document: Document) -> None:
    others = [Document(content=b'other') for _ in range(3)]
    session.add_all(others)
    session.commit()
    for each in others:
        thumbs(storage, each.content)
    session.execute(delete(Document).where(Document.name.is_(None)))
    session.commit()
    assert thumb(storage, document.content) == b'small'
    assert derived(storage) == 2


def test_what_is_derived_from_an_old_file_after_its_commit_is_refused(
    session: Session, storage: Any, document: Document
) -> None:
    with storage.get(document.content.file_id) as made_from:
        document.content = b'new'
        session.commit()
        with pytest.raises(OSError, match=made_from.file_id):
            storage.put_derived(made_from, 'late', b'small')
    assert derived(storage) == 0


# The sweep


def counted_storage(storage: Any) -> Any:
    DepotManager._clear()
    DepotManager._depots['default'] = storage
    DepotManager.set_default('default')
    return storage


@pytest.fixture
def swept(make_engine: Any) -> Any:
    """A database with the models that a ledger counts."""
    engine = make_engine('sqlite')
    for counted in in_database(BY_TRANSACTIONS, engine):
        yield engine, counted


def test_a_sweep_takes_it_along_with_a_file_that_could_not_be_removed(swept: Any) -> None:
    (engine, counted), storage = swept, counted_storage(FaultyStorage(MemoryFileStorage()))
    with Session(engine) as session:
        kept, document = counted.Document(content=b'kept'), counted.Document(content=b'old')
        session.add_all([kept, document])
        session.commit()
        for each in kept, document:
            thumbs(storage, each.content)
        storage.faults.append(Fault('delete'))
        document.content = b'new'
        session.commit()
        assert derived(storage) == 4
        file = kept.content
        session.rollback()
        sweep(engine, counted.metadata)
        assert thumb(storage, file) == b'small'
    assert derived(storage) == 2


def test_a_sweep_takes_it_along_with_a_file_that_is_nobody_s(swept: Any) -> None:
    (engine, counted), storage = swept, counted_storage(MemoryFileStorage())
    orphan = storage.create(b'nobody knows it')
    storage.put_derived(orphan, 'a', b'small')
    sweep(engine, counted.metadata, grace=timedelta(0))
    assert (storage.list(), derived(storage)) == ([], 0)


def test_a_sweep_has_nothing_to_say_of_it(swept: Any) -> None:
    (engine, counted), storage = swept, counted_storage(MemoryFileStorage())
    with Session(engine) as session:
        document = counted.Document(content=b'kept')
        session.add(document)
        session.commit()
        file = document.content
        session.rollback()
        thumbs(storage, file)
        assert sweep(engine, counted.metadata, grace=timedelta(0), full=True).findings == []
        assert thumb(storage, file) == b'small'


@pytest.mark.parametrize('kind', ['moto', 'fakegcs', 'secantusdb'])
def test_a_sweep_finds_what_a_crash_has_left_of_it(
    swept: Any, make_storage: MakeStorage, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (engine, counted), storage = swept, counted_storage(make_storage(kind))
    with Session(engine) as session:
        document = counted.Document(content=b'kept')
        session.add(document)
        session.commit()
        file = document.content
        session.rollback()
        thumbs(storage, file)
        _left_by_a_crash(storage)
        assert derived(storage) == 3
        tomorrow = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(days=2)
        monkeypatch.setattr(context, 'utcnow_naive', lambda: tomorrow)
        assert sweep(engine, counted.metadata).counts['cleaned'] == 1
        assert thumb(storage, file) == b'small'
    assert derived(storage) == 2


def _left_by_a_crash(storage: Any) -> None:
    """A derived file whose original is gone, and that no delete has seen."""
    file_id = storage.create(b'gone')
    storage.put_derived(file_id, 'a', b'small')
    if hasattr(storage, '_gridfs'):
        storage._gridfs.delete(ObjectId(file_id))
    else:
        storage._derived._remove([storage._keys.key(file_id)])
