"""A scope, by itself: what the end of a transaction or savepoint makes of files."""

from __future__ import annotations

import gc
import os

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from depot.transactions.scope import Scope
from depot.transactions.uploads import Upload


def uploaded(scope: Scope, *files: str) -> Upload:
    upload = Upload(files)
    scope.take(upload)
    return upload


def test_a_commit_removes_what_no_row_referred_to() -> None:
    scope = Scope()
    uploaded(scope, 'd/kept')
    uploaded(scope, 'd/never')
    scope.keep(['d/kept'], 'row')
    assert scope.commit() == {'d/never'}


def test_a_commit_removes_what_was_let_go() -> None:
    scope = Scope()
    scope.release(['d/old'], 'row')
    assert scope.commit() == {'d/old'}


def test_a_rollback_removes_just_what_was_created() -> None:
    scope = Scope()
    uploaded(scope, 'd/new')
    scope.keep(['d/new'], 'row')
    scope.release(['d/old'], 'row')
    assert scope.rollback() == {'d/new'}


def test_the_last_word_about_a_place_counts() -> None:
    scope = Scope()
    for _ in range(2):
        scope.release(['d/a'], 'row')
        scope.keep(['d/a'], 'row')
    assert scope.commit() == set()


def test_a_file_that_one_row_lets_go_stays_while_another_refers_to_it() -> None:
    scope = Scope()
    scope.keep(['d/a'], 'heir')
    scope.release(['d/a'], 'row')
    assert (scope.kept, scope.released) == ({'d/a'}, set())
    assert scope.commit() == set()


def test_a_released_savepoint_decides_nothing() -> None:
    scope, savepoint = Scope(), Scope()
    uploaded(savepoint, 'd/new')
    savepoint.keep(['d/new'], 'row')
    savepoint.release(['d/old'], 'row')
    scope.absorb(savepoint)
    assert savepoint.commit() == savepoint.rollback() == set()
    assert (scope.created, scope.kept, scope.released) == ({'d/new'}, {'d/new'}, {'d/old'})


def test_a_rolled_back_savepoint_takes_only_its_own_files() -> None:
    scope, savepoint = Scope(), Scope()
    first = uploaded(scope, 'd/first')
    savepoint.take(first)
    uploaded(savepoint, 'd/second')
    assert savepoint.rollback() == {'d/second'}
    assert first.undecided
    assert scope.created == {'d/first'}


def test_a_scope_ends_once() -> None:
    scope = Scope()
    uploaded(scope, 'd/a')
    assert scope.rollback() == {'d/a'}
    assert scope.rollback() == scope.commit() == set()


def test_of_two_transactions_that_hold_an_upload_the_last_decides() -> None:
    first, second = Scope(), Scope()
    upload = uploaded(first, 'd/a')
    second.take(upload)
    assert first.commit() == set()
    assert upload.undecided
    assert second.rollback() == {'d/a'}
    assert upload.lost


def test_an_upload_that_one_transaction_kept_outlives_the_other() -> None:
    first, second = Scope(), Scope()
    upload = uploaded(first, 'd/a')
    second.take(upload)
    first.keep(['d/a'], 'row')
    assert first.commit() == second.rollback() == set()
    assert not upload.lost


def test_a_derived_file_that_no_row_names_goes_alone() -> None:
    scope = Scope()
    upload = uploaded(scope, 'd/main', 'd/derived')
    scope.keep(['d/main'], 'row')
    assert scope.commit() == {'d/derived'}
    assert not upload.lost


def test_a_forgotten_upload_is_removed() -> None:
    removed: list[str] = []
    upload = Upload(['d/a'])
    upload.remove_when_forgotten(removed.extend)
    upload.remove_when_forgotten(removed.extend)
    del upload
    gc.collect()
    assert removed == ['d/a']


def test_a_decided_upload_may_be_forgotten() -> None:
    removed: list[str] = []
    scope = Scope()
    upload = uploaded(scope, 'd/a')
    upload.remove_when_forgotten(removed.extend)
    scope.keep(['d/a'], 'row')
    scope.commit()
    del upload
    gc.collect()
    assert removed == []


def test_a_forked_child_ends_nothing_of_its_parent() -> None:
    scope = Scope()
    uploaded(scope, 'd/a')
    removed: list[str] = []
    forgotten = Upload(['d/b'])
    forgotten.remove_when_forgotten(removed.extend)
    child = os.fork()
    if child == 0:
        del forgotten
        gc.collect()
        os._exit(len(scope.rollback() | scope.commit()) + len(removed))
    assert os.waitpid(child, 0)[1] == 0
    assert scope.rollback() == {'d/a'}
    forgotten.lose()


class Savepoints(RuleBasedStateMachine):
    """Rows that refer to one file each, changed under savepoints: a scope agrees with a model of the database."""

    rows = st.sampled_from('pqr')

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.table: dict[str, str] = {}
        self.stored: set[str] = set()
        self.begin()

    def begin(self) -> None:
        self.scopes = [Scope()]
        self.snapshots = [dict(self.table)]

    def new_file(self) -> str:
        self.number += 1
        file = f'd/{self.number}'
        self.stored.add(file)
        self.scopes[-1].take(Upload([file]))
        return file

    def write(self, row: str, file: str | None) -> None:
        old = self.table.pop(row, None)
        if old is not None:
            self.scopes[-1].release([old], row)
        if file is not None:
            self.table[row] = file
            self.scopes[-1].keep([file], row)

    @rule(row=rows)
    def assign(self, row: str) -> None:
        self.write(row, self.new_file())

    @rule(row=rows)
    def clear(self, row: str) -> None:
        self.write(row, None)

    @rule()
    def upload_in_vain(self) -> None:
        self.new_file()

    @rule(source=rows, heir=rows)
    def move(self, source: str, heir: str) -> None:
        file = self.table.get(source)
        if file is not None:
            self.write(heir, file)
            if source != heir:
                self.write(source, None)

    @rule()
    def begin_savepoint(self) -> None:
        self.scopes.append(Scope())
        self.snapshots.append(dict(self.table))

    @precondition(lambda self: len(self.scopes) > 1)
    @rule()
    def release_savepoint(self) -> None:
        savepoint = self.scopes.pop()
        self.snapshots.pop()
        self.scopes[-1].absorb(savepoint)

    @precondition(lambda self: len(self.scopes) > 1)
    @rule()
    def roll_back_savepoint(self) -> None:
        self.stored -= self.scopes.pop().rollback()
        self.table = self.snapshots.pop()
        assert set(self.table.values()) <= self.stored

    @rule(commits=st.booleans())
    def end(self, commits: bool) -> None:
        while len(self.scopes) > 1:
            self.release_savepoint() if commits else self.roll_back_savepoint()
        scope = self.scopes.pop()
        self.stored -= scope.commit() if commits else scope.rollback()
        self.table = self.table if commits else self.snapshots[0]
        assert self.stored == set(self.table.values())
        self.begin()


TestSavepoints = Savepoints.TestCase
