"""The checker finds whatever may be wrong, so that its zeros mean something."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from .application import Application
from .counts import Counts
from .notes import Notes
from .works import Work


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """One document in slot 1, and an empty slot 2."""
    application = Application(tmp_path)
    application.create(slots=2)
    work(application, 1, b'content')
    application.learn()
    assert not application.check()
    yield application
    application.engine.dispose()


def work(application: Application, slot: int, content: bytes) -> None:
    def body(work: Work) -> None:
        work.put(slot, content)
        work.commit()

    notes = Notes()
    Work.run(application.engine, notes, body)
    application.expected.hear('writer', notes.read())
    notes.close()


def change(application: Application, statement: str) -> None:
    with application.engine.begin() as connection:
        connection.execute(text(statement))


def only_file(application: Application) -> Path:
    [folder] = application.folder.iterdir()
    return folder / 'file'


def test_a_missing_file_is_dangling(application: Application) -> None:
    shutil.rmtree(only_file(application).parent)
    assert application.check() == Counts(dangling=1)


def test_a_file_that_was_cut_off_is_torn(application: Application) -> None:
    only_file(application).write_bytes(b'cont')
    assert application.check() == Counts(torn=1)


def test_another_content_than_the_slot_tells_is_torn(application: Application) -> None:
    change(application, "UPDATE slot SET digest = 'another' WHERE id = 1")
    assert application.check() == Counts(torn=1, phantom=1)


def test_a_row_that_is_gone_is_lost_and_its_file_an_orphan(application: Application) -> None:
    change(application, 'DELETE FROM document')
    assert application.check() == Counts(lost=1, orphans=1)


def test_a_row_in_an_empty_slot_is_a_phantom(application: Application) -> None:
    change(application, 'UPDATE document SET slot_id = 2')
    assert application.check() == Counts(lost=1, phantom=1)


def test_a_change_that_nobody_meant_to_commit_is_a_phantom(application: Application) -> None:
    change(application, "UPDATE slot SET version = version + 1, digest = 'x' WHERE id = 2")
    assert application.check() == Counts(phantom=1, lost=1)


def test_an_acknowledged_commit_that_did_not_happen_is_counted(application: Application) -> None:
    work(application, 2, b'acknowledged')
    change(application, 'UPDATE slot SET version = 0, digest = NULL WHERE id = 2')
    change(application, 'DELETE FROM document WHERE slot_id = 2')
    assert application.check() == Counts(lost_ack=1, orphans=1)


def test_a_commit_that_an_earlier_check_found_is_lost_when_it_is_undone(application: Application) -> None:
    change(application, 'UPDATE slot SET version = 0, digest = NULL')
    change(application, 'DELETE FROM document')
    assert application.check() == Counts(lost=1, orphans=1)


def test_what_is_unfinished_in_the_folder_is_temporary(application: Application) -> None:
    (application.folder / '.something.new').mkdir()
    assert application.check() == Counts(temporary=1)
