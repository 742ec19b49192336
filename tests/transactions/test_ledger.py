"""The ledger by itself: what a transaction tells it, and what it remembers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, event, inspect, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import declarative_base

from depot.errors import ConfigurationError, FileMissing
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger

A, B, C = (f'default/019aa5e0-0000-7000-8000-00000000000{each}' for each in 'abc')
DATABASES = ['sqlite', 'postgresql', 'mariadb']


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, make_engine: Callable[..., Engine]) -> Engine:
    return make_engine(request.param)


@pytest.fixture
def ledger(engine: Engine, storage: Any) -> Iterator[Ledger]:
    ledger = Ledger(MetaData())
    ledger.table.metadata.create_all(engine)
    yield ledger
    ledger.table.metadata.drop_all(engine)


@pytest.fixture
def storage() -> Iterator[MemoryFileStorage]:
    """One that has all the files that a test speaks of."""
    DepotManager._clear()
    storage = DepotManager._depots['default'] = MemoryFileStorage()
    for file in A, B, C:
        storage.files[file.partition('/')[2]] = {'data': b'', 'metadata': {}}
    yield storage
    DepotManager._clear()


@pytest.fixture
def write(engine: Engine, ledger: Ledger) -> Callable[..., set[str]]:
    """One committed transaction that tells the ledger this."""

    def write(changes: dict[str, int], created: set[str] = frozenset(), kept: set[str] = frozenset()) -> set[str]:
        with engine.begin() as connection:
            return ledger.write(connection, changes, created, kept)

    return write


@pytest.fixture
def entries(engine: Engine, ledger: Ledger) -> Callable[[], dict[str, Any]]:
    """State and count, by file."""

    def entries() -> dict[str, Any]:
        with engine.connect() as connection:
            return {each.file: (each.state, each.refs) for each in connection.execute(select(ledger.table))}

    return entries


def test_a_metadata_knows_its_ledger() -> None:
    first, second, third = MetaData(), MetaData(), MetaData()
    ledger = Ledger(first, second, name='files')
    assert Ledger.of(first) is Ledger.of(second) is ledger
    assert Ledger.of(third) is None
    assert [*first.tables] == ['files']
    assert not second.tables


def test_a_metadata_has_one_ledger() -> None:
    metadata = MetaData()
    Ledger(metadata)
    with pytest.raises(ConfigurationError, match='has a ledger already'):
        Ledger(MetaData(), metadata)


def test_a_new_file_is_live_and_counted(write: Any, entries: Any) -> None:
    assert write({A: 1, B: 2}, {A, B}) == set()
    assert entries() == {A: ('live', 1), B: ('live', 2)}


def test_a_file_that_no_row_needs_any_more_is_marked_and_may_go(write: Any, entries: Any) -> None:
    write({A: 1}, {A})
    assert write({A: -1, B: 1}, {B}) == {A}
    assert entries() == {A: ('marked', 0), B: ('live', 1)}


def test_a_shared_file_stays_until_the_last_row_lets_it_go(write: Any, entries: Any) -> None:
    write({A: 1}, {A})
    assert write({A: 2}) == set()
    assert entries() == {A: ('live', 3)}
    assert write({A: -2}) == set()
    assert write({A: -1}) == {A}


def test_a_file_that_moves_changes_nothing(write: Any, entries: Any) -> None:
    write({A: 1}, {A})
    assert write({A: 0}, kept={A}) == set()
    assert entries() == {A: ('live', 1)}


def test_a_new_file_that_no_row_refers_to_may_go_and_costs_no_entry(write: Any, entries: Any) -> None:
    assert write({A: 0, B: 1}, {A, B}) == {A}
    assert entries() == {B: ('live', 1)}


def test_what_is_rolled_back_was_never_entered(engine: Engine, ledger: Ledger, entries: Any) -> None:
    with engine.connect() as connection:
        ledger.write(connection, {A: 1}, {A})
        connection.rollback()
    assert entries() == {}


def test_two_transactions_may_have_the_same_new_file(write: Any, entries: Any) -> None:
    write({A: 1}, {A})
    write({A: 1, B: 1}, {A, B})
    assert entries() == {A: ('live', 2), B: ('live', 1)}


@pytest.mark.parametrize('created', [set(), {A}, {A, B}], ids=len)
def test_a_row_cannot_refer_to_a_file_that_is_to_be_removed(write: Any, entries: Any, created: set[str]) -> None:
    write({A: 1}, {A})
    write({A: -1})
    with pytest.raises(FileMissing, match=f'a row refers to {A}, which an earlier commit removed') as caught:
        write(dict.fromkeys([A, *created], 1), created)
    assert caught.value.file_id == A
    assert entries() == {A: ('marked', 0)}


def test_nor_can_one_that_is_written_again_as_it_was(write: Any) -> None:
    write({A: 1}, {A})
    write({A: -1})
    assert write({A: 0}) == set()
    with pytest.raises(FileMissing):
        write({A: 0}, kept={A})


def test_nor_to_one_that_is_removed_already(write: Any, engine: Engine, ledger: Ledger, storage: Any) -> None:
    write({A: 1}, {A})
    write({A: -1})
    storage.delete(A.partition('/')[2])
    with engine.connect() as connection:
        ledger.settle(connection, {A}, ())
    with pytest.raises(FileMissing):
        write({A: 1})


def test_a_file_older_than_the_ledger_waits_for_a_sweep_when_it_is_let_go(
    write: Any, entries: Any, engine: Engine, ledger: Ledger
) -> None:
    assert write({A: -1, B: 0}) == set()
    assert entries() == {A: ('live', None)}
    assert write({A: -1}) == set()
    for changes, kept, attempts in (({A: -1}, set(), 1), ({A: 1}, set(), 0), ({A: -1}, set(), 1), ({A: -1}, {A}, 0)):
        assert write(changes, kept=kept) == set()
        with engine.connect() as connection:
            assert connection.scalar(select(ledger.table.c.attempts)) == attempts


def test_an_uncounted_entry_gets_another_date_with_each_change(write: Any, engine: Engine, ledger: Ledger) -> None:
    dates = []
    for change in 1, -1, 1, -1:
        write({A: change})
        with engine.connect() as connection:
            dates.append(connection.scalar(select(ledger.table.c.since)))
    assert dates == sorted(set(dates))


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_two_who_let_different_old_files_go_at_once_do_not_wait(engine: Engine, ledger: Ledger, entries: Any) -> None:
    with engine.begin() as one, engine.begin() as other:
        for connection in one, other:
            connection.execute(select(ledger.table)).all()
        ledger.write(one, {A: -1}, set())
        ledger.write(other, {B: -1}, set())
        ledger.write(one, {C: 1}, set())
    assert entries() == dict.fromkeys([A, B, C], ('live', None))


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_two_may_let_one_old_file_go(engine: Engine, ledger: Ledger, write: Any, entries: Any) -> None:
    with engine.begin() as one:
        ledger.write(one, {A: -1}, set())
        other = threading.Thread(target=write, args=[{A: 1, B: -1}])
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join()
    assert entries() == dict.fromkeys([A, B], ('live', None))


def test_a_file_older_than_the_ledger_that_is_shared_is_not_counted_and_stays(write: Any, entries: Any) -> None:
    assert write({A: 1, B: -1}, kept={A, B}) == set()
    assert entries() == {A: ('live', None), B: ('live', None)}
    assert write({A: -1, B: -5}) == set()
    assert entries() == {A: ('live', None), B: ('live', None)}


def test_a_count_that_cannot_be_right_is_given_up(write: Any, entries: Any) -> None:
    write({A: 1, B: 1}, {A, B})
    assert write({A: -2, B: -1}, kept={B}) == set()
    assert entries() == {A: ('live', None), B: ('live', None)}


def test_many_files_are_entered_and_marked_at_once(write: Any, entries: Any) -> None:
    files = {f'default/{each}' for each in range(2500)}
    write(dict.fromkeys(files, 1), files)
    assert write(dict.fromkeys(files, -1)) == files
    assert set(entries().values()) == {('marked', 0)}


def test_names_of_storages_differ_by_case_and_in_any_script(write: Any, entries: Any) -> None:
    files = {A, A.replace('default', 'Default'), A.replace('default', 'défault'), A.replace('default', '文件'), 'ß/1'}
    write(dict.fromkeys(files, 1), files)
    assert set(entries()) == files


@pytest.mark.parametrize('rubbish', ['', 'no path', '/', 'a/', '/a', 'a/\0', 'a/\ud800', 'a/' + 'b' * 300])
def test_rubbish_in_a_row_that_goes_stops_no_commit(write: Any, entries: Any, rubbish: str) -> None:
    assert write({rubbish: -1}) == set()
    assert entries() == {}


def test_a_removed_file_is_forgotten_and_a_failed_one_is_kept(
    write: Any, entries: Any, engine: Any, ledger: Any
) -> None:
    write({A: 1, B: 1}, {A, B})
    write({A: -1, B: -1})
    for attempts in 1, 2:
        with engine.connect() as connection:
            ledger.settle(connection, {A}, {B: OSError('full'), C: OSError('full')})
            assert not connection.in_transaction()
        assert entries() == {B: ('marked', 0), C: ('marked', 0)}
        with engine.connect() as connection:
            found = {each.file: each.attempts for each in connection.execute(select(ledger.table))}
        assert found == {B: attempts, C: attempts}


def test_settling_never_forgets_nor_marks_a_live_file(write: Any, entries: Any, engine: Engine, ledger: Ledger) -> None:
    write({A: 1, B: 1}, {A, B})
    with engine.connect() as connection:
        ledger.settle(connection, {A}, {B})
    assert entries() == {A: ('live', 1), B: ('live', 1)}


def test_settling_raises_nothing(engine: Engine, ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    ledger.table.drop(engine)
    with caplog.at_level(logging.ERROR, 'depot.transactions'), engine.connect() as connection:
        ledger.settle(connection, {A}, {})
    assert 'could not enter into depot_ledger' in caplog.text


class SerializationFailure(Exception):
    sqlstate = '40001'


DEADLOCK = Exception(1213, 'Deadlock found when trying to get lock')


@pytest.mark.parametrize(
    ('original', 'failures', 'settled'),
    [(SerializationFailure(), 2, True), (DEADLOCK, 2, True), (DEADLOCK, 3, False), (Exception('timeout'), 1, False)],
)
def test_settling_is_tried_again_where_the_database_gave_it_up(
    write: Any, engine: Engine, ledger: Ledger, entries: Any, original: Any, failures: int, settled: bool, caplog: Any
) -> None:
    write({A: 1}, {A})
    write({A: -1})
    errors = [OperationalError('', {}, original) for _ in range(failures)]

    def fail(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith('DELETE') and errors:
            raise errors.pop()

    event.listen(engine, 'before_cursor_execute', fail)
    with engine.connect() as connection:
        ledger.settle(connection, {A}, {})
    event.remove(engine, 'before_cursor_execute', fail)
    assert (entries() == {}) is settled
    assert [each.exc_info for each in caplog.records] == [None] * (not settled)


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_who_wants_a_file_waits_for_the_one_who_lets_it_go(engine: Engine, ledger: Ledger, write: Any) -> None:
    write({A: 1, B: 1}, {A, B})
    with engine.begin() as connection:
        assert ledger.write(connection, {A: -1, B: -1}, set()) == {A, B}
        errors: list[BaseException] = []

        def share() -> None:
            try:
                write({A: 1, B: 1})
            except FileMissing as error:
                errors.append(error)

        other = threading.Thread(target=share)
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join()
    assert len(errors) == 1


@pytest.mark.parametrize('engine', ['postgresql', 'mariadb'], indirect=True)
def test_of_two_who_let_a_file_go_at_once_the_later_one_marks_it(engine: Engine, ledger: Ledger, write: Any) -> None:
    write({A: 2}, {A})
    marked: list[set[str]] = []
    with engine.begin() as connection:
        connection.execute(select(ledger.table)).all()  # what MariaDB shows from now on
        with engine.begin() as other:
            assert ledger.write(other, {A: -1}, set()) == set()
            later = threading.Thread(target=lambda: marked.append(ledger.write(connection, {A: -1}, set())))
            later.start()
            later.join(0.2)
            assert later.is_alive()
        later.join()
    assert marked == [{A}]


def test_it_is_a_table_like_any_other(engine: Engine, ledger: Ledger) -> None:
    columns = {each['name']: each['nullable'] for each in inspect(engine).get_columns('depot_ledger')}
    assert columns == {'file': False, 'refs': True, 'state': False, 'since': False, 'attempts': False}


@pytest.mark.parametrize('given', [declarative_base(), 'shop', None], ids=lambda each: type(each).__name__)
def test_what_is_no_metadata_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'MetaData, such as Base\.metadata, not'):
        Ledger(given)
