"""Statements in savepoints, statements that fail, and uploads that fail."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from .laws import contents, holds, in_memory, on_every_database
from .models import Album, Document
from .ways import INSERTS, Way

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

every_insert = pytest.mark.parametrize('style', INSERTS)


class Torn(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError('the cable was pulled')


# Savepoints


def test_a_released_savepoint_decides_nothing(way: Way, storage: Any, engine: Engine) -> None:
    with way.begin_nested():
        way.update(Document, [{'id': 101, 'content': b'A'}])
        way.delete(Document, 102)
    assert contents(storage) == [b'A', b'a', b'b', b'c']
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_released_savepoint_is_part_of_the_commit(way: Way, storage: Any, engine: Engine) -> None:
    with way.begin_nested():
        way.update(Document, [{'id': 101, 'content': b'A'}])
        with way.begin_nested():
            way.delete(Document, 102)
    way.commit()
    assert holds(storage, engine) == [b'A', b'c']


def test_a_rolled_back_savepoint_takes_only_its_own(way: Way, storage: Any, engine: Engine) -> None:
    way.update(Document, [{'id': 101, 'content': b'A'}])
    savepoint = way.begin_nested()
    way.update(Document, [{'id': 101, 'content': b'AA'}, {'id': 102, 'content': None}])
    way.insert(Document, [{'content': b'd'}])
    savepoint.rollback()
    assert contents(storage) == [b'A', b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'A', b'b', b'c']


def test_savepoints_undo_each_its_own_part(way: Way, storage: Any, engine: Engine) -> None:
    outer = way.begin_nested()
    way.update(Document, [{'id': 101, 'content': b'1'}])
    inner = way.begin_nested()
    way.update(Document, [{'id': 101, 'content': b'2'}])
    inner.rollback()
    with way.begin_nested():
        way.update(Document, [{'id': 102, 'content': b'3'}])
    outer.commit()
    way.commit()
    assert holds(storage, engine) == [b'1', b'3', b'c']


# Statements that the database refuses


@every_insert
def test_a_refused_insert_that_is_rolled_back_leaves_nothing(
    way: Way, storage: Any, engine: Engine, style: str
) -> None:
    with pytest.raises(IntegrityError):
        way.insert(Document, [{'name': 'd', 'content': b'd'}, {'name': 'a', 'content': b'again'}], style)
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@every_insert
def test_a_refused_insert_in_a_savepoint_spares_the_rest(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.update(Document, [{'id': 101, 'content': b'A'}])
    with pytest.raises(IntegrityError), way.begin_nested():
        way.insert(Document, [{'name': 'd', 'content': b'd'}, {'name': 'a', 'content': b'again'}], style)
    assert contents(storage) == [b'A', b'a', b'b', b'c']
    way.insert(Document, [{'name': 'e', 'content': b'e'}], style)
    way.commit()
    assert holds(storage, engine) == [b'A', b'b', b'c', b'e']


@every_insert
def test_after_a_refused_insert_the_transaction_may_go_on(way: Way, storage: Any, engine: Engine, style: str) -> None:
    if engine.dialect.name == 'postgresql':
        pytest.skip('impossible here: PostgreSQL ends a transaction whose statement failed')
    with pytest.raises(IntegrityError):
        way.insert(Document, [{'name': 'd', 'content': b'd'}, {'name': 'a', 'content': b'again'}], style)
    way.insert(Document, [{'name': 'e', 'content': b'e'}], style)
    way.commit()
    # Whether the row before the refused one is there, is for the database to say.
    assert holds(storage, engine) in ([b'a', b'b', b'c', b'e'], [b'a', b'b', b'c', b'd', b'e'])


@pytest.mark.parametrize('style', ['values', 'many parameters'])
def test_after_a_refused_update_the_transaction_may_go_on(way: Way, storage: Any, engine: Engine, style: str) -> None:
    if engine.dialect.name == 'postgresql':
        pytest.skip('impossible here: PostgreSQL ends a transaction whose statement failed')
    rows = [{'id': 101, 'name': 'A', 'content': b'A'}, {'id': 102, 'name': 'c', 'content': b'B'}]
    with pytest.raises(IntegrityError):
        way.update(Document, rows, style)
    way.commit()
    assert holds(storage, engine) == [b'A', b'b', b'c']


def test_an_update_that_fails_at_its_second_row_changes_none(way: Way, storage: Any, engine: Engine) -> None:
    with pytest.raises(IntegrityError), way.begin_nested():
        way.execute(update(way.target(Document)).values(name='same', content=b'same'))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_delete_that_is_refused_keeps_the_files(way: Way, storage: Any, engine: Engine) -> None:
    table: Any = Document.__table__
    with pytest.raises(DBAPIError), way.begin_nested():
        way.execute(delete(table).where(table.c.id == 101).prefix_with('NONSENSE'))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_failed_transaction_that_is_committed_all_the_same_leaves_nothing(
    way: Way, storage: Any, engine: Engine
) -> None:
    if engine.dialect.name != 'postgresql':
        pytest.skip('impossible here: only PostgreSQL takes such a COMMIT for a ROLLBACK')
    way.update(Document, [{'id': 101, 'content': b'A'}])
    with pytest.raises(IntegrityError):
        way.insert(Document, [{'name': 'a', 'content': b'again'}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


# Uploads that fail


@every_insert
def test_a_failed_upload_leaves_nothing_and_all_usable(way: Way, storage: Any, engine: Engine, style: str) -> None:
    with pytest.raises(Exception, match='the cable was pulled') as raised:
        way.insert(Document, [{'content': b'whole'}, {'content': Torn()}], style)
    assert isinstance(getattr(raised.value, 'orig', raised.value), OSError)
    way.insert(Document, [{'name': 'e', 'content': b'e'}], style)
    way.commit()
    assert set(holds(storage, engine)) - {b'whole'} == {b'a', b'b', b'c', b'e'}


@pytest.mark.parametrize('style', ['many values', 'many parameters'])
def test_a_failed_upload_executes_nothing(way: Way, storage: Any, engine: Engine, style: str) -> None:
    with pytest.raises(Exception, match='the cable was pulled'):
        way.insert(Document, [{'content': b'whole'}, {'content': Torn()}], style)
    assert contents(storage) == [b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_failed_upload_in_a_list_leaves_none_of_it(way: Way, storage: Any, engine: Engine) -> None:
    with pytest.raises(Exception, match='the cable was pulled'):
        way.insert(Album, [{'photos': [b'whole', Torn()]}])
    assert contents(storage) == [b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_failed_upload_keeps_what_the_update_would_have_replaced(way: Way, storage: Any, engine: Engine) -> None:
    with pytest.raises(Exception, match='the cable was pulled'):
        way.update(Document, [{'id': 101, 'content': b'A'}, {'id': 102, 'content': Torn()}], 'many parameters')
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_statement_that_cannot_be_compiled_leaves_nothing(way: Way, storage: Any, engine: Engine) -> None:
    with pytest.raises(Exception, match='[Uu]nconsumed column'):
        way.execute(insert(way.target(Document)).values(content=b'new', no_such_column=1))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']
