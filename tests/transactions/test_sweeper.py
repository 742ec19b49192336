"""What a sweep removes, and above all what it does not."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, event, insert, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from depot.errors import ConfigurationError, CorruptMetadata, StorageFailure
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.io.faults import Fault
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger
from depot.transactions.sweeper import adopt, sweep
from depot.transactions.sweeping import context
from depot.transactions.sweeping.evidence import Evidence
from depot.transactions.sweeping.report import Report
from depot.utils import utcnow_naive

from .ledgers import BY_TRANSACTIONS, BY_TRIGGERS, Counted
from .ledgers import counted as counted
from .ledgers import engine as engine
from .ledgers import session as session
from .ledgers import storage as storage

DATABASES = ['sqlite', 'postgresql', 'mariadb']
ON_SERVERS = pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
BY_BOTH = pytest.mark.parametrize('counted', [BY_TRANSACTIONS, BY_TRIGGERS], indirect=True, ids=['ledger', 'triggers'])
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def run(engine: Engine, counted: Counted, session: Session) -> Callable[..., Report]:
    """A sweep, when the session's transaction has ended."""

    def run(**options: Any) -> Report:
        session.rollback()
        return sweep(engine, counted.metadata, **options)

    return run


def stored(storage: Any, age: timedelta, version: int = 7, bits: int | None = None) -> str:
    """The id of a file that somebody stored so long ago."""
    moment = datetime.now(timezone.utc) - age
    bits = uuid.uuid4().int if bits is None else bits
    if version == 7:
        bits = int(moment.timestamp() * 1000) << 80 | 7 << 76 | bits & (1 << 76) - 1
    file_id = str(uuid.UUID(int=bits))
    modified = moment.strftime('%Y-%m-%d %H:%M:%S')
    metadata = {'filename': 'x', 'content_type': 'text/plain', 'content_length': 1, 'last_modified': modified}
    storage.files[file_id] = {'data': b'x', 'metadata': metadata}
    return file_id


def info(*file_ids: str, storage: str = 'default') -> UploadedFile:
    """What a row has of files that were stored long ago."""
    paths = [f'{storage}/{each}' for each in file_ids]
    return UploadedFile({'depot_name': storage, 'files': paths, 'file_id': file_ids[0], 'path': paths[0]})


def by_raw_sql(session: Session, counted: Counted, *infos: UploadedFile) -> None:
    """Rows of which the ledger is told nothing."""
    for each in infos:
        statement = f'INSERT INTO {counted.Document.__tablename__} (content) VALUES (:content)'
        session.execute(text(statement), {'content': each.encode()})
    session.commit()


def told(report: Report) -> list[tuple[str, str]]:
    return [(each.what, each.about) for each in report.findings]


def test_where_all_is_well_there_is_nothing_to_do(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    session.add(counted.Document(content=b'one', scan=b'two'))
    session.add(counted.Album(photos=[b'three', b'four']))
    session.commit()
    before = counted.entries(session)
    report = run(grace=timedelta(0))
    assert report.ok
    assert report.findings == []
    assert report.summary() == 'nothing to do'
    assert len(storage.list()) == 4
    assert counted.entries(session) == before


def test_what_a_failing_storage_left_is_removed(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    old = document.content.path
    document.content = b'two'
    storage.faults.append(Fault('delete'))
    session.commit()
    report = run()
    assert told(report) == [('removed', old)]
    assert report.ok
    assert storage.list() == [document.content.file_id]
    assert [*counted.entries(session)] == [document.content.path]


def test_a_file_that_was_to_be_removed_stays_if_a_row_needs_it(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    by_raw_sql(session, counted, document.content)  # the ledger does not hear of it
    storage.faults.append(Fault('delete'))
    session.delete(document)
    session.commit()
    [path] = counted.entries(session)
    for dry_run in True, False:
        report = run(dry_run=dry_run)
        assert [(each.what, each.why) for each in report.findings] == [
            ('mended', f'{counted.Document.__tablename__}.content of row 2 refers to it, though it was to be removed')
        ]
    assert counted.entries(session) == {path: ('live', None)}
    assert len(storage.list()) == 1


def test_a_storage_that_goes_on_failing_is_asked_less_often(
    session: Session, counted: Counted, run: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    session.delete(document)
    storage.faults.append(Fault('delete', times=3))
    session.commit()
    report = run()
    assert [each.what for each in report.findings] == ['failed']
    assert 'no row refers to it any more, but it could not be removed' in report.findings[0].why
    assert not report.ok
    assert run().findings == []  # too early
    later = utcnow_naive() + timedelta(minutes=2.1)
    monkeypatch.setattr(context, 'utcnow_naive', lambda: later)
    assert [each.what for each in run().findings] == ['failed']
    assert run().findings == []
    monkeypatch.setattr(context, 'utcnow_naive', lambda: later + timedelta(days=2))
    assert [each.what for each in run().findings] == ['removed']
    assert storage.list() == []


@pytest.mark.parametrize('version', [7, 4])
def test_a_file_that_nobody_speaks_of_is_removed_after_the_grace_period(run: Any, storage: Any, version: int) -> None:
    old, young = stored(storage, 25 * HOUR, version), stored(storage, 23 * HOUR, version)
    report = run()
    assert told(report) == [('removed', f'default/{old}')]
    assert report.findings[0].why == 'neither a row nor the ledger speaks of it'
    assert storage.list() == [young]
    assert told(run(grace=timedelta(0))) == [('removed', f'default/{young}')]


def test_a_young_file_whose_random_id_sorts_before_all_others_is_found_by_a_later_sweep(run: Any, storage: Any) -> None:
    young = stored(storage, 23 * HOUR, 4, bits=uuid.UUID('0023b5ea-9b12-4e47-ad07-696078569cd1').int)
    assert told(run()) == []
    assert told(run(grace=timedelta(0))) == [('removed', f'default/{young}')]


def test_a_file_of_unknown_age_stays(run: Any, storage: Any) -> None:
    for each in stored(storage, 25 * HOUR, 4), stored(storage, 25 * HOUR, 4):
        storage.files[each]['metadata']['last_modified'] = None
    storage.faults.append(Fault('get', does=CorruptMetadata('cannot be read')))
    report = run()
    assert [each.what for each in report.findings] == ['left', 'left']
    assert not report.ok
    assert len(storage.list()) == 2


def test_a_file_that_goes_meanwhile_is_nobody_s_concern(run: Any, storage: Any) -> None:
    file_id = stored(storage, 25 * HOUR, 4)
    storage.faults.append(Fault('get', does=lambda: storage.files.pop(file_id, None)))
    assert run().findings == []


def test_only_what_is_newer_than_the_last_sweep_is_listed(
    run: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    listed = storage.storage.iter_ids
    monkeypatch.setattr(storage.storage, 'iter_ids', lambda after=None: asked.append(after) or listed(after))
    run(grace=HOUR)
    run(grace=HOUR)
    assert asked[0] is None
    assert abs(_time_of(asked[1]) - (utcnow_naive() - HOUR)) < timedelta(minutes=1)


def _time_of(file_id: str) -> datetime:
    milliseconds = uuid.UUID(file_id).int >> 80
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).replace(tzinfo=None)


def test_a_shorter_grace_period_finds_what_a_longer_one_left(run: Any, storage: Any) -> None:
    stored(storage, 3 * HOUR)
    for hours, left in (9, 1), (5, 1), (2, 0), (1, 0):
        run(grace=hours * HOUR)
        assert len(storage.list()) == left


@BY_BOTH
def test_files_that_rows_refer_to_are_adopted(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    one, two, three = (stored(storage, 9 * DAY) for _ in range(3))
    by_raw_sql(session, counted, info(one, two), info(two), info(three))
    session.execute(counted.ledger.table.delete())
    session.commit()
    report = run()
    assert (report.ok, report.counts['adopted'], report.findings) == (True, 3, [])
    assert counted.entries(session) == {
        f'default/{each}': ('live', count) for each, count in ((one, 1), (two, 2), (three, 1))
    }
    assert len(storage.list()) == 3


def test_a_file_whose_rows_went_unseen_is_removed(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    session.add_all([counted.Document(content=b'one'), counted.Document(content=b'two')])
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__} WHERE id = 1'))
    session.commit()
    report = run()
    assert [(each.what, each.why) for each in report.findings] == [
        ('removed', 'no row refers to it, though no transaction let it go')
    ]
    assert len(storage.list()) == 1
    assert [*counted.entries(session).values()] == [('live', 1)]


def test_wrong_counts_are_put_right(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    session.add_all([counted.Document(content=b'one'), counted.Document(content=b'two')])
    session.commit()
    one, two = sorted(counted.entries(session))
    table = counted.ledger.table
    past = utcnow_naive() - HOUR
    session.execute(update(table).where(table.c.file == one).values(refs=5))
    session.execute(update(table).where(table.c.file == two).values(refs=None, since=past))
    session.commit()
    report = run()
    assert [(each.about, each.why) for each in report.findings] == [
        (one, '1 rows refer to it; the ledger said 5'),
        (two, '1 rows refer to it; the ledger did not know'),
    ]
    assert report.ok
    assert [*counted.entries(session).values()] == [('live', 1), ('live', 1)]


def test_an_uncounted_file_that_no_row_needs_is_removed(session: Any, counted: Counted, run: Any, storage: Any) -> None:
    file = f'default/{stored(storage, DAY)}'
    entry = {'file': file, 'refs': None, 'state': 'live', 'since': utcnow_naive() - HOUR, 'attempts': 0}
    session.execute(insert(counted.ledger.table).values(entry))
    session.commit()
    assert told(run()) == [('removed', file)]


def test_an_uncounted_file_that_was_just_changed_waits(
    session: Any, counted: Counted, run: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = f'default/{stored(storage, DAY)}', utcnow_naive()
    monkeypatch.setattr(context, 'utcnow_naive', lambda: now)
    entry = {'file': file, 'refs': None, 'state': 'live', 'since': now, 'attempts': 0}
    session.execute(insert(counted.ledger.table).values(entry))
    session.commit()
    assert told(run()) == []
    assert len(storage.list()) == 1


def test_a_row_whose_file_is_missing_is_told_and_left_alone(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    document, album = counted.Document(content=b'one'), counted.Album(photos=[b'two', b'three'])
    session.add_all([document, album])
    session.add(counted.Document(content=document.content))
    session.commit()
    lost = [document.content.path, album.photos[1].path]
    for each in lost:
        storage.delete(each.partition('/')[2])
    for _ in range(2):
        report = run(grace=timedelta(0), full=True)
        assert not report.ok
        assert sorted(told(report)) == [('missing', each) for each in sorted(lost)]
        why = {each.about: each.why for each in report.findings}
        assert (
            why[lost[0]]
            == f'{counted.Document.__tablename__}.content of row 1 and 1 more refers to it, but it is not there'
        )
        assert why[lost[1]] == f'{counted.Album.__tablename__}.photos of row 1 refers to it, but it is not there'
    assert session.get(counted.Document, 1).content.path == lost[0]
    assert counted.entries(session)[lost[0]] == ('live', 2)


def test_a_row_that_names_no_id_is_told_too(session: Session, counted: Counted, engine: Engine) -> None:
    DepotManager._depots['default'] = LocalFileStorage('/nonexistent')
    by_raw_sql(session, counted, info('no-id'))
    assert told(sweep(engine, counted.metadata)) == [('missing', 'default/no-id')]


def test_a_row_that_changes_meanwhile_misses_nothing(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine
) -> None:
    session.add(counted.Document(content=b'one'))
    session.commit()

    def replaced_meanwhile() -> None:
        with Session(engine) as other:
            other.get(counted.Document, 1).content = b'two'
            other.commit()

    storage.faults.append(Fault('exists', does=replaced_meanwhile))
    assert run().findings == []


@pytest.mark.parametrize(('files', 'rows', 'is_refused'), [(20, 0, False), (21, 0, True), (30, 300, False)])
def test_an_implausible_share_is_refused(
    session: Session, counted: Counted, run: Any, storage: Any, files: int, rows: int, is_refused: bool
) -> None:
    by_raw_sql(session, counted, *(info(stored(storage, DAY)) for _ in range(rows)))
    for _ in range(files):
        stored(storage, 2 * DAY)
    for _ in range(2):
        report = run()
        assert report.ok is not is_refused
        assert len(storage.list()) == rows + (files if is_refused else 0)
    if is_refused:
        assert told(report) == [('left', 'default')]
        assert report.counts['left'] == files
        assert report.findings[0].why == (
            'no row seems to need 21 of its files, but that is an implausible share of 21; look at them, then force it'
        )
    assert run(force=True).ok
    assert len(storage.list()) == rows


def test_rows_that_vanish_all_at_once_are_implausible(session: Any, counted: Any, run: Any, storage: Any) -> None:
    session.add_all([counted.Document(content=b'x') for _ in range(30)])
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
    session.commit()
    assert told(run()) == [('left', 'default')]
    assert len(storage.list()) == 30


def test_a_row_that_cannot_be_read_might_need_any_file(session: Any, counted: Counted, run: Any, storage: Any) -> None:
    file_id = stored(storage, 2 * DAY)
    kept = stored(storage, 2 * DAY)
    by_raw_sql(session, counted, info(kept))
    statement = f"UPDATE {counted.Document.__tablename__} SET scan = '[1]'"
    session.execute(text(statement))
    session.execute(
        text(f'INSERT INTO {counted.Document.__tablename__} (content) VALUES (:rubbish)'), {'rubbish': '{"fil'}
    )
    session.commit()
    for force in False, True:
        report = run(force=force)
        assert [each.what for each in report.findings] == ['unreadable', 'unreadable', 'left']
        assert report.findings[0].about == f'{counted.Document.__tablename__}.scan of row 1'
        assert 'holds JSON objects, not' in report.findings[0].why
        assert file_id in storage.list()
        assert counted.entries(session) == {f'default/{kept}': ('live', None)}
    session.execute(update(counted.Document).values(scan=None))
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__} WHERE id = 2'))
    session.commit()
    assert ('removed', f'default/{file_id}') in told(run())


def test_a_dry_run_changes_nothing(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    document, other = counted.Document(content=b'one'), counted.Document(content=b'two')
    session.add_all([document, other])
    session.commit()
    marked, unreferred = document.content.path, other.content.path
    session.delete(document)
    storage.faults.append(Fault('delete'))
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
    orphan, adopted = stored(storage, 2 * DAY), stored(storage, 2 * DAY)
    by_raw_sql(session, counted, info(adopted))
    entries = counted.entries(session)
    for _ in range(2):
        report = run(dry_run=True)
        assert sorted(told(report)) == sorted(('removed', each) for each in (marked, unreferred, f'default/{orphan}'))
        assert report.summary() == 'would have: 1 adopted, 3 removed'
        assert len(storage.list()) == 4
        assert counted.entries(session) == entries
    assert run().summary() == '1 adopted, 3 removed'
    assert storage.list() == [adopted]


def test_a_storage_that_nobody_speaks_of_is_not_touched(run: Any, storage: Any) -> None:
    other = DepotManager._depots['other'] = MemoryFileStorage()
    stored(other, 9 * DAY)
    assert run().findings == []
    assert len(other.list()) == 1


def test_two_names_of_one_place_are_no_reason_to_remove(session: Any, counted: Any, run: Any, storage: Any) -> None:
    DepotManager._depots['new'] = storage
    one, two = stored(storage, 9 * DAY), stored(storage, 9 * DAY)
    by_raw_sql(session, counted, info(one), info(two, storage='new'))
    assert run().findings == []
    assert run().findings == []
    assert sorted(storage.list()) == sorted([one, two])


def test_a_storage_that_fails_does_not_stop_the_others(session: Any, counted: Any, run: Any, storage: Any) -> None:
    other = DepotManager._depots['other'] = MemoryFileStorage()
    by_raw_sql(session, counted, info(stored(other, 9 * DAY), storage='other'))
    orphan = stored(other, 9 * DAY)
    storage.faults.append(Fault('iter_ids', does=StorageFailure('unplugged')))
    report = run()
    assert told(report) == [('failed', 'default'), ('removed', f'other/{orphan}')]
    assert report.findings[0].why == 'its sweep failed: unplugged'


def test_a_storage_that_is_not_configured_is_told(session: Session, counted: Counted, run: Any) -> None:
    by_raw_sql(session, counted, info(str(uuid.uuid4()), storage='elsewhere'))
    report = run()
    assert told(report) == [('failed', 'elsewhere')]
    assert report.findings[0].why == 'no storage of this name is configured here'


def test_what_was_never_finished_is_cleaned(
    session: Session, counted: Counted, engine: Engine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = DepotManager._depots['default'] = LocalFileStorage(str(tmp_path))
    storage.create(b'x')
    (tmp_path / f'.{uuid.uuid4()}.new').mkdir()
    assert sweep(engine, counted.metadata).findings == []
    monkeypatch.setattr(context, 'utcnow_naive', lambda: datetime.now(timezone.utc).replace(tzinfo=None) + 2 * DAY)
    report = sweep(engine, counted.metadata, dry_run=True)
    assert report.counts['cleaned'] == 1
    sweep(engine, counted.metadata)
    assert [*tmp_path.glob('.*.new')] == []


@pytest.mark.parametrize('dry_run', [False, True])
def test_what_the_sweeper_needs_is_asked_first(engine: Engine, storage: Any, counted: Counted, dry_run: bool) -> None:
    with pytest.raises(ConfigurationError, match=r'needs one ledger, not 0; make one with Ledger\(Base.metadata\)'):
        sweep(engine, MetaData(), dry_run=dry_run)
    with pytest.raises(ConfigurationError, match='needs one ledger, not 2'):
        sweep(engine, counted.metadata, BY_TRIGGERS.metadata, dry_run=dry_run)
    with pytest.raises(ConfigurationError, match=r'needs an engine of create_engine\(\), not the type AsyncEngine'):
        sweep(create_async_engine('sqlite+aiosqlite://'), counted.metadata, dry_run=dry_run)
    counted.Album.__table__.drop(engine)
    with pytest.raises(ConfigurationError, match=f'lacks the tables {counted.Album.__tablename__}'):
        sweep(engine, counted.metadata, dry_run=dry_run)


def test_rows_of_a_metadata_without_a_ledger_count_if_they_are_told(
    engine: Engine, counted: Counted, storage: Any
) -> None:
    from .models import Base, Note

    file_id = stored(storage, 9 * DAY)
    with engine.begin() as connection:
        connection.execute(text('INSERT INTO note (content) VALUES (:content)'), {'content': info(file_id).encode()})
    report = sweep(engine, counted.metadata, Base.metadata)
    assert report.counts == {'adopted': 1}
    assert storage.list() == [file_id]
    with engine.begin() as connection:
        connection.execute(Note.__table__.delete())


def test_the_files_of_rows_are_entered_once(session: Session, counted: Counted, engine: Engine, storage: Any) -> None:
    one, two = stored(storage, DAY), stored(storage, DAY)
    by_raw_sql(session, counted, info(one), info(one), info(two))
    orphan = stored(storage, 9 * DAY)
    assert adopt(engine, counted.metadata, dry_run=True).summary() == 'would have: 2 adopted'
    assert counted.entries(session) == {}
    session.rollback()
    assert adopt(engine, counted.metadata).summary() == '2 adopted'
    assert counted.entries(session) == {f'default/{one}': ('live', 2), f'default/{two}': ('live', 1)}
    session.rollback()
    assert adopt(engine, counted.metadata).summary() == 'nothing to do'
    assert orphan in storage.list()


@BY_BOTH
def test_an_old_file_stays_as_long_as_one_of_its_rows_does(
    session: Session, counted: Counted, run: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = stored(storage, 9 * DAY)
    by_raw_sql(session, counted, info(file_id), info(file_id))
    session.execute(counted.ledger.table.delete())
    session.commit()
    session.get(counted.Document, 1).content = None
    session.commit()
    assert storage.list() == [file_id]
    monkeypatch.setattr(context, 'utcnow_naive', lambda: utcnow_naive() + timedelta(minutes=1))
    assert [each.why for each in run().findings] == ['1 rows refer to it; the ledger did not know']
    session.delete(session.get(counted.Document, 2))
    session.commit()
    assert storage.list() == []


@BY_BOTH
def test_a_sweep_removes_what_transactions_let_go_of_rows_that_were_not_adopted(
    session: Session, counted: Counted, run: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_raw_sql(session, counted, *(info(stored(storage, 9 * DAY)) for _ in range(50)))
    session.execute(counted.ledger.table.delete())
    session.commit()
    for document in session.query(counted.Document).filter(counted.Document.id <= 40):
        document.content = b'new'
    session.commit()
    assert len(storage.list()) == 90
    monkeypatch.setattr(context, 'utcnow_naive', lambda: utcnow_naive() + timedelta(minutes=1))
    report = run()
    assert report.counts == {'removed': 40, 'adopted': 10}
    assert {each.why for each in report.findings} == {'no row refers to it any more'}
    assert len(storage.list()) == 50
    assert run().findings == []


@pytest.mark.parametrize('counted', [BY_TRIGGERS], indirect=True, ids=['triggers'])
def test_triggers_tell_what_is_needed_no_more(session: Session, counted: Counted, run: Any, storage: Any) -> None:
    session.add_all([counted.Document(content=b'one'), counted.Document(content=b'two')])
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__} WHERE id = 1'))
    session.commit()
    orphan = stored(storage, 9 * DAY)
    report = run(rows=False)
    assert [each.what for each in report.findings] == ['removed']
    assert len(storage.list()) == 2
    assert orphan in storage.list()


@pytest.mark.parametrize('counted', [BY_TRIGGERS], indirect=True, ids=['triggers'])
def test_nor_do_triggers_make_an_implausible_share_plausible(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    session.add_all([counted.Document(content=b'x') for _ in range(30)])
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
    session.commit()
    assert told(run(rows=False)) == [('left', 'default')]
    assert run(rows=False, force=True).counts['removed'] == 30
    assert storage.list() == []


def test_without_rows_only_what_the_ledger_says_is_removed(
    session: Session, counted: Counted, run: Any, storage: Any
) -> None:
    document = counted.Document(content=b'one')
    session.add(document)
    session.commit()
    session.delete(document)
    storage.faults.append(Fault('delete'))
    session.commit()
    orphan = stored(storage, 9 * DAY)
    assert [each.what for each in run(rows=False).findings] == ['removed']
    assert storage.list() == [orphan]


class Numbered(MemoryFileStorage):
    """One whose ids are no UUIDs, as those of GridFS."""

    def get(self, file_or_id: Any) -> Any:
        modified = self.files[file_or_id]['metadata']['last_modified']

        class File:
            last_modified = modified

        return File()

    def exists(self, file_or_id: Any) -> bool:
        return file_or_id in self.files

    def delete(self, file_or_id: Any) -> None:
        self.files.pop(file_or_id, None)


def test_ids_may_be_of_any_kind(session: Session, counted: Counted, run: Any) -> None:
    storage = DepotManager._depots['default'] = Numbered()
    ages = {'507f1f77bcf86cd799439011': 2 * DAY, '507f1f77bcf86cd799439012': HOUR, '507f1f77bcf86cd799439013': 2 * DAY}
    for file_id, age in ages.items():
        storage.files[file_id] = {'data': b'', 'metadata': {'last_modified': utcnow_naive() - age}}
    by_raw_sql(session, counted, info('507f1f77bcf86cd799439013'))
    assert told(run()) == [('removed', 'default/507f1f77bcf86cd799439011')]
    assert [*storage.files] == ['507f1f77bcf86cd799439012', '507f1f77bcf86cd799439013']


def test_a_table_needs_no_primary_key(engine: Engine, storage: Any) -> None:
    metadata = MetaData()
    Table('keyless', metadata, Column('f', UploadedFileField))
    Ledger(metadata)
    metadata.create_all(engine)
    try:
        with engine.begin() as connection:
            for file_id in str(uuid.uuid4()), stored(storage, 9 * DAY):
                connection.execute(text('INSERT INTO keyless VALUES (:info)'), {'info': info(file_id).encode()})
        report = sweep(engine, metadata)
    finally:
        metadata.drop_all(engine)
    assert [(each.what, each.why) for each in report.findings] == [
        ('missing', 'keyless.f of row ? refers to it, but it is not there')
    ]
    assert report.findings[0].is_problem


# SQLAlchemy does not close the cursor that it made for a statement which a listener refuses.
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_a_database_that_fails_is_no_reason_to_remove(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine
) -> None:
    stored(storage, 9 * DAY)

    def fail(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if counted.Album.__tablename__ in statement and statement.startswith('SELECT'):
            raise RuntimeError('pulled the plug')

    event.listen(engine, 'before_cursor_execute', fail)
    with pytest.raises(RuntimeError, match='pulled the plug'):
        run()
    event.remove(engine, 'before_cursor_execute', fail)
    assert len(storage.list()) == 1


@pytest.mark.parametrize(('failures', 'counts'), [(2, {'removed': 1}), (3, {'failed': 1})])
def test_a_deadlock_is_tried_again(
    run: Any, storage: Any, engine: Engine, counted: Counted, failures: int, counts: dict[str, int]
) -> None:
    stored(storage, 9 * DAY)
    errors = [OperationalError('', {}, Exception('deadlock')) for _ in range(failures)]

    def fail(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith('DELETE') and errors:
            raise errors.pop()

    event.listen(engine, 'before_cursor_execute', fail)
    assert run().counts == counts
    event.remove(engine, 'before_cursor_execute', fail)
    assert run().counts == ({'removed': 1} if failures == 3 else {})


@pytest.mark.parametrize('engine', ['mariadb'], indirect=True)
def test_who_may_not_ask_for_prepared_transactions_reckons_with_one(run: Any, storage: Any, engine: Engine) -> None:
    stored(storage, 9 * DAY)

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement == 'XA RECOVER':
            raise RuntimeError('access denied')

    event.listen(engine, 'before_cursor_execute', refuse)
    assert run().counts == {'waiting': 1}
    event.remove(engine, 'before_cursor_execute', refuse)
    assert run().counts == {'removed': 1}


# Beside others


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What others do after a sweep has read the rows, and before it does something about them."""
    work: list[Callable[[], object]] = []
    read = Evidence.__init__

    def read_and_wait(self: Evidence, *arguments: Any) -> None:
        read(self, *arguments)
        while work:
            work.pop()()

    monkeypatch.setattr(Evidence, '__init__', read_and_wait)
    return work


def test_a_file_that_rows_share_anew_meanwhile_stays(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, meanwhile: Any
) -> None:
    session.add(counted.Document(content=b'one'))
    session.commit()
    content = session.get(counted.Document, 1).content
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))  # the ledger says 1, and no row
    session.commit()

    def share() -> None:
        with Session(engine) as other:
            other.add(counted.Document(content=content))
            other.commit()

    meanwhile.append(share)
    assert run().findings == []
    assert len(storage.list()) == 1
    assert [*counted.entries(session).values()] == [('live', 1)]  # not 2, as the transaction had left it


def test_a_file_that_is_uncounted_meanwhile_stays(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, meanwhile: Any
) -> None:
    session.add(counted.Document(content=b'one'))
    session.commit()
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
    session.commit()

    def uncount() -> None:
        with engine.begin() as connection:
            connection.execute(update(counted.ledger.table).values(refs=None))

    meanwhile.append(uncount)
    assert run().findings == []
    assert len(storage.list()) == 1


def test_a_file_that_is_committed_meanwhile_stays(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, meanwhile: Any
) -> None:
    def create() -> None:
        with Session(engine) as other:
            other.add(counted.Document(content=b'new'))
            other.commit()

    meanwhile.append(create)
    assert run(grace=timedelta(0)).findings == []
    assert len(storage.list()) == 1
    assert run(grace=timedelta(0)).findings == []


def test_a_file_that_is_replaced_meanwhile_is_no_concern(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, meanwhile: Any
) -> None:
    session.add(counted.Document(content=b'old'))
    session.commit()

    def replace() -> None:
        with Session(engine) as other:
            other.get(counted.Document, 1).content = b'new'
            other.commit()

    meanwhile.append(replace)
    assert run().findings == []
    assert [*counted.entries(session)] == [f'default/{each}' for each in storage.list()]


def test_an_old_file_that_a_row_comes_to_refer_to_meanwhile_stays(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine, meanwhile: Any
) -> None:
    orphan = stored(storage, 9 * DAY)

    def refer() -> None:
        with Session(engine) as other:
            other.add(counted.Document(content=info(orphan)))
            other.commit()

    meanwhile.append(refer)
    assert run().findings == []
    assert storage.list() == [orphan]


def test_nobody_waits_for_a_slow_storage(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Any
) -> None:
    stored(storage, 9 * DAY)
    session.add(counted.Document(content=b'one'))
    session.commit()

    def write() -> None:
        with Session(engine) as other:
            other.get(counted.Document, 1).content = b'two'
            other.commit()

    storage.faults.append(Fault('delete', does=write))
    assert run().counts == {'removed': 1}
    assert len(storage.list()) == 1


@ON_SERVERS
def test_two_sweepers_do_not_do_the_same_work(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine
) -> None:
    stored(storage, 9 * DAY)
    others: list[Report] = []
    storage.faults.append(Fault('delete', does=lambda: others.append(sweep(engine, counted.metadata))))
    assert run().counts == {'removed': 1}
    assert [each.findings for each in others] == [[]]


@ON_SERVERS
def test_a_file_that_an_open_transaction_needs_is_passed_over(
    session: Session, counted: Counted, run: Any, storage: Any, engine: Engine
) -> None:
    session.add(counted.Document(content=b'one'))
    session.commit()
    content = session.get(counted.Document, 1).content
    session.execute(text(f'DELETE FROM {counted.Document.__tablename__}'))
    session.commit()
    with engine.begin() as connection:
        counted.ledger.write(connection, {content.path: 1}, set())
        assert run().findings == []
    assert len(storage.list()) == 1


def test_many_sweepers_and_writers_at_once(session: Session, counted: Counted, engine: Engine, storage: Any) -> None:
    for _ in range(15):
        stored(storage, 9 * DAY)
    session.rollback()
    errors: list[BaseException] = []

    def often(work: Callable[[], object]) -> None:
        try:
            for _ in range(8):
                work()
        except BaseException as error:
            errors.append(error)

    def write() -> None:
        with Session(engine) as other:
            try:
                document = counted.Document(content=b'one')
                other.add(document)
                other.commit()
                document.content = b'two'
                other.commit()
            except OperationalError:  # SQLite refuses who has read before another wrote
                assert engine.dialect.name == 'sqlite'

    threads = [threading.Thread(target=often, args=[work]) for work in (write, write)]
    threads += [threading.Thread(target=often, args=[lambda: sweep(engine, counted.metadata)]) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert sweep(engine, counted.metadata).ok
    assert len(storage.list()) == session.query(counted.Document).count() > 0


@pytest.fixture
def prepare(counted: Counted, engine: Engine) -> Iterator[Callable[[str], Callable[[str], None]]]:
    """Prepares a transaction whose row refers to a file, as a process that then died; returns what ends it."""
    waiting: list[str] = []

    def prepare(file_id: str) -> Callable[[str], None]:
        waiting.append(uuid.uuid4().hex)
        connection = engine.connect()
        transaction = connection.begin_twophase(waiting[0])
        statement = f'INSERT INTO {counted.Document.__tablename__} (content) VALUES (:content)'
        connection.execute(text(statement), {'content': info(file_id).encode()})
        transaction.prepare()
        connection.invalidate()
        connection.close()
        return end

    def end(how: str) -> None:
        with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as connection:
            command = f'XA {how}' if engine.dialect.name == 'mariadb' else f'{how} PREPARED'
            while waiting:
                with contextlib.suppress(OperationalError):  # MariaDB has not noticed yet that the other is gone
                    connection.exec_driver_sql(f"{command} '{waiting[0]}'")
                    waiting.pop()

    yield prepare
    if waiting:
        end('ROLLBACK')


@ON_SERVERS
@pytest.mark.parametrize('ending', ['COMMIT', 'ROLLBACK'])
def test_what_a_prepared_transaction_stored_waits_for_it(
    run: Any, storage: Any, prepare: Any, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = stored(storage, HOUR)
    end = prepare(file_id)
    monkeypatch.setattr(context, 'utcnow_naive', lambda: datetime.now(timezone.utc).replace(tzinfo=None) + DAY)
    for _ in range(2):
        report = run()
        assert report.counts == {'waiting': 1}
        assert report.ok
        assert storage.list() == [file_id]
    end(ending)
    assert run().ok
    assert storage.list() == ([file_id] if ending == 'COMMIT' else [])


@ON_SERVERS
def test_what_is_too_old_for_it_does_not_wait_where_the_database_tells(
    run: Any, storage: Any, prepare: Any, engine: Engine
) -> None:
    prepare(stored(storage, HOUR))
    old = stored(storage, 9 * DAY)
    assert told(run()) == [('removed' if engine.dialect.name == 'postgresql' else 'waiting', f'default/{old}')]
