"""However a row names a file, no sweep takes it away."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, text
from sqlalchemy.orm import Session

from depot.errors import ConfigurationError
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger

from .ledgers import Counted
from .ledgers import counted as counted
from .ledgers import engine as engine
from .ledgers import session as session
from .ledgers import storage as storage
from .test_sweeper import DAY, by_raw_sql, info, stored, told
from .test_sweeper import run as run

FORMS = {
    'capitals': str.upper,
    'without dashes': lambda file_id: file_id.replace('-', ''),
    'a URN': lambda file_id: uuid.UUID(file_id).urn,
}


@pytest.mark.parametrize('form', FORMS.values(), ids=FORMS)
@pytest.mark.parametrize('version', [4, 7])
def test_an_id_in_any_form_is_that_of_its_file(
    session: Session, counted: Counted, run: Any, storage: Any, form: Any, version: int
) -> None:
    try:
        DepotManager.get_file(f'default/{form(stored(storage, DAY, version))}')
    except ValueError:
        pytest.skip('impossible here: a storage takes it for no id')
    storage.files.clear()
    file_id = stored(storage, 9 * DAY, version)
    by_raw_sql(session, counted, info(form(file_id)))
    assert run().summary() == '1 adopted'
    assert run().summary() == 'nothing to do'
    assert storage.list() == [file_id]


def test_an_entry_in_another_form_than_the_row_is_no_reason_to_remove(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    file_id = stored(storage, 9 * DAY)
    by_raw_sql(session, counted, info(file_id))
    assert run().summary() == '1 adopted'
    by_raw_sql(session, counted, info(file_id.upper()))
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__} WHERE id = 1'))
    session.commit()
    run()
    assert storage.list() == [file_id]


def test_a_path_that_is_too_long_for_the_ledger_is_known_all_the_same(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    name = 'n' * 230
    DepotManager._depots[name] = storage
    file_id = stored(storage, 9 * DAY)
    by_raw_sql(session, counted, info(file_id, storage=name))
    assert run().findings == []
    assert storage.list() == [file_id]
    storage.files.clear()
    assert told(run(full=True)) == [('missing', f'{name}/{file_id}')]


def test_a_path_that_is_too_long_for_the_ledger_is_refused(session: Any, counted: Counted, storage: Any) -> None:
    name = 'n' * 230
    DepotManager._depots[name] = storage
    session.add(counted.Document(content=UploadedFile(b'x', name)))
    with pytest.raises(ConfigurationError, match='takes paths of 255 characters at most; give the storage a shorter'):
        session.commit()
    session.rollback()
    assert storage.list() == []


WITHOUT_LIST = {
    'no list': lambda file: {},
    'null': lambda file: {'files': None},
    'an empty list': lambda file: {'files': []},
    'text': lambda file: {'files': file},
}


@pytest.mark.parametrize('files', WITHOUT_LIST.values(), ids=WITHOUT_LIST)
@pytest.mark.parametrize('keys', [['depot_name', 'file_id'], ['path'], ['thumb_path']], ids=' '.join)
def test_a_row_that_lists_no_files_still_has_the_one_that_it_can_be_read_by(
    session: Session, counted: Counted, run: Any, storage: Any, files: Any, keys: list[str]
) -> None:
    file_id = stored(storage, 9 * DAY)
    path = f'default/{file_id}'
    known = {'depot_name': 'default', 'file_id': file_id, 'path': path, 'thumb_path': path}
    by_raw_sql(session, counted, UploadedFile({key: known[key] for key in keys} | files(path)))
    assert run().findings == []
    assert run().findings == []
    assert storage.list() == [file_id]


def test_what_only_looks_like_a_path_is_none(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    kept = stored(storage, 9 * DAY)
    by_raw_sql(session, counted, UploadedFile({**info(kept), 'original_path': 'C:/photo.jpg', 'path': 3, 'path2': ''}))
    orphan = stored(storage, 9 * DAY)
    assert told(run()) == [('removed', f'default/{orphan}')]


def test_rows_may_name_their_storage_by_an_alias(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    session.add_all([counted.Document(content=b'one'), counted.Document(content=b'two')])
    session.commit()
    DepotManager.alias('old', 'default')
    table = counted.Document.__tablename__
    session.execute(text(f"UPDATE {table} SET content = replace(content, 'default', 'old')"))
    session.commit()
    assert run(grace=timedelta(0)).summary() == '2 adopted'
    assert run(grace=timedelta(0)).summary() == 'nothing to do'
    assert len(storage.list()) == 2
    session.get(counted.Document, 1).content = b'new'
    session.commit()
    run(grace=timedelta(0))
    assert len(storage.list()) == 2


def test_a_file_that_was_to_be_removed_by_another_name_stays(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    file_id = stored(storage, 9 * DAY)
    DepotManager.alias('old', 'default')
    by_raw_sql(session, counted, info(file_id, storage='old'))
    mark(session, counted, f'default/{file_id}')
    assert [each.what for each in run().findings] == ['mended']
    assert storage.list() == [file_id]


def test_a_file_that_moved_to_another_storage_leaves_the_old_one(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    other = DepotManager._depots['other'] = type(storage)(type(storage.storage)())
    file_id = stored(storage, 9 * DAY)
    other.files.update(storage.files)
    by_raw_sql(session, counted, info(file_id, storage='other'))
    mark(session, counted, f'default/{file_id}')
    assert told(run()) == [('removed', f'default/{file_id}')]
    assert (storage.list(), other.list()) == ([], [file_id])


def mark(session: Session, counted: Counted, file: str) -> None:
    """A transaction let it go, and died before it removed it."""
    past = datetime(2020, 1, 1)
    entry = {'file': file, 'refs': 0, 'state': 'marked', 'since': past, 'attempts': 0}
    session.execute(insert(counted.ledger.table).values(entry))
    session.commit()


@pytest.mark.parametrize('has_ledger', [True, False], ids=['a ledger of its own', 'no ledger'])
def test_rows_of_another_metadata_keep_their_files(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, has_ledger: bool
) -> None:
    other = MetaData()
    table = Table('apart', other, Column('id', Integer, primary_key=True), Column('f', UploadedFileField))
    if has_ledger:
        Ledger(other, name='another_ledger')
    session.add(counted.Document(content=b'counted'))
    session.commit()
    assert run(grace=timedelta(0)).findings == []  # where the table does not exist
    other.create_all(engine)
    try:
        session.execute(insert(table).values([{'f': b'one'}, {'f': b'two'}, {'f': b'three'}]))
        session.commit()
        orphan = stored(storage, 9 * DAY)
        [document] = session.query(counted.Document)
        session.execute(insert(table).values(f=document.content))
        session.commit()
        entries = counted.entries(session)
        assert told(run(grace=timedelta(0), full=True)) == [('removed', f'default/{orphan}')]
        assert run(grace=timedelta(0), full=True).summary() == 'nothing to do'
        assert counted.entries(session) == entries
        session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
        session.commit()
        assert run(grace=timedelta(0)).findings == []
        assert len(storage.list()) == 4
    finally:
        session.rollback()
        other.drop_all(engine)


def test_rows_of_another_metadata_are_no_reason_to_sweep_their_storage(
    session: Session, run: Any, storage: Any, engine: Engine
) -> None:
    aside = DepotManager._depots['aside'] = MemoryFileStorage()
    metadata = MetaData()
    table = Table('apart', metadata, Column('f', UploadedFileField(upload_storage='aside')))
    metadata.create_all(engine)
    try:
        session.execute(insert(table).values(f=b'one'))
        session.commit()
        stored(aside, 9 * DAY)
        assert run().findings == []
        assert len(aside.list()) == 2
    finally:
        session.rollback()
        metadata.drop_all(engine)


GRACES = [timedelta(days=999_999), timedelta.max, timedelta(days=300_000)]


@pytest.mark.parametrize('grace', GRACES, ids=str)
def test_no_grace_period_is_too_long(run: Any, storage: Any, grace: timedelta) -> None:
    file_id = stored(storage, 9 * DAY)
    assert run(grace=grace).findings == []
    assert storage.list() == [file_id]
    assert [each.what for each in run().findings] == ['removed']


def test_a_grace_period_is_a_timedelta(run: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'grace = 3 is no timedelta; one looks like timedelta\(days=1\)'):
        run(grace=3)


def test_a_grace_period_is_not_negative(run: Any, engine: Engine) -> None:
    with pytest.raises(ValueError, match='no grace period is negative, as -1 day, 0:00:00 is'):
        run(grace=timedelta(days=-1))


def test_an_id_of_a_time_that_no_calendar_has_is_one_that_tells_none(run: Any, storage: Any) -> None:
    file_id = stored(storage, 9 * DAY)
    late = f'ffffffff-ffff{file_id[13:]}'
    storage.files[late] = storage.files.pop(file_id)
    assert told(run()) == [('removed', f'default/{late}')]
