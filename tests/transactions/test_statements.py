"""INSERT, UPDATE and DELETE, of entities and of tables, in sessions and on connections."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from depot.errors import InvalidValue
from depot.fields.upload import UploadedFile
from depot.io.utils import FileIntent

from .laws import contents, holds, in_memory, on_every_database
from .models import Album, Archive, Document, Letter, Receipt
from .ways import INSERTS, WAYS, Way

pytestmark = [on_every_database, in_memory, pytest.mark.usefixtures('documents')]

every_way = pytest.mark.parametrize('way', WAYS, indirect=True)

every_insert = pytest.mark.parametrize('style', INSERTS)
every_update = pytest.mark.parametrize('style', ['values', 'parameters', 'ordered', 'many parameters'])


# INSERT


@every_way
@every_insert
def test_an_insert_stores_its_contents(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.insert(Document, [{'name': 'd', 'content': b'd'}, {'name': 'e', 'content': b'e'}], style)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'd', b'e']


@every_way
@every_insert
def test_an_insert_that_is_rolled_back_leaves_nothing(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.insert(Document, [{'name': 'd', 'content': b'd'}, {'name': 'e', 'content': b'e'}], style)
    assert contents(storage) == [b'a', b'b', b'c', b'd', b'e']
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@every_insert
def test_rows_with_and_without_a_file_go_together(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.insert(Document, [{'content': b'd'}, {'content': None}, {'content': b'e'}], style)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'd', b'e']


def given_a_file() -> Any:
    return io.BytesIO(b'new')


def given_an_intent() -> Any:
    return FileIntent(io.BytesIO(b'new'), 'new.txt', 'text/plain')


def given_an_uploaded_file() -> Any:
    return UploadedFile(b'new')


def given_a_file_uploaded_ahead() -> Any:
    return Document.content.type.upload(b'new')


GIVEN = [given_a_file, given_an_intent, given_an_uploaded_file, given_a_file_uploaded_ahead]


@pytest.mark.parametrize('given', GIVEN)
@pytest.mark.parametrize('style', ['many values', 'many parameters'])
def test_a_statement_takes_what_an_attribute_takes(
    way: Way, storage: Any, engine: Engine, style: str, given: Any
) -> None:
    way.insert(Document, [{'content': given()}], style)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'new']


def test_a_path_can_be_given(way: Way, storage: Any, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / 'new.txt').write_bytes(b'new')
    way.update(Document, [{'id': 101, 'content': tmp_path / 'new.txt'}])
    way.commit()
    assert holds(storage, engine) == [b'b', b'c', b'new']


def test_a_statement_keeps_name_and_type(way: Way, storage: Any) -> None:
    way.update(Document, [{'id': 101, 'content': given_an_intent()}])
    [stored] = way.execute(select(way.columns(Document).content).where(way.columns(Document).id == 101)).scalars()
    assert (stored.filename, stored.content_type) == ('new.txt', 'text/plain')


def test_a_dict_is_no_content_for_a_statement_either(way: Way, storage: Any, engine: Engine) -> None:
    [stored] = way.execute(select(way.columns(Document).content).where(way.columns(Document).id == 101)).scalars()
    with pytest.raises(Exception, match='holds UploadedFile, not dict') as raised:
        way.update(Document, [{'id': 102, 'content': dict(stored)}])
    assert isinstance(getattr(raised.value, 'orig', raised.value), InvalidValue)
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_an_uploaded_file_that_is_rolled_back_leaves_nothing(way: Way, storage: Any, engine: Engine) -> None:
    uploaded = UploadedFile(b'new')
    way.insert(Document, [{'content': uploaded}])
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@pytest.mark.parametrize('style', ['values', 'many values', 'many parameters'])
def test_what_a_default_makes_follows_the_transaction(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.insert(Letter, [{'attachment': b'd'}, {'attachment': None}], style)
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']
    way.insert(Letter, [{'attachment': b'd'}, {'attachment': None}], style)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'd', b'default', b'default']


def test_what_an_onupdate_makes_takes_the_place_of_the_old(way: Way, storage: Any, engine: Engine) -> None:
    way.insert(Receipt, [{'stamp': b'first'}])
    way.commit()
    way.execute(update(way.target(Receipt)).values(paid=True))
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'first']
    way.execute(update(way.target(Receipt)).values(paid=True))
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'updated']


def test_a_statement_that_is_executed_twice_stores_twice(way: Way, storage: Any, engine: Engine) -> None:
    statement = insert(way.target(Document)).values(content=b'new')
    first = way.execute(statement).inserted_primary_key[0]
    way.execute(statement)
    way.commit()
    way.delete(Document, first)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c', b'new']


# UPDATE


@every_way
@every_update
def test_an_update_replaces_the_files(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.update(Document, [{'id': 101, 'content': b'A'}, {'id': 102, 'content': b'B'}], style)
    assert contents(storage) == [b'A', b'B', b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'A', b'B', b'c']


@every_way
@every_update
def test_an_update_that_is_rolled_back_keeps_the_old_files(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.update(Document, [{'id': 101, 'content': b'A'}, {'id': 102, 'content': None}], style)
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


@every_update
def test_an_update_to_none_lets_the_file_go(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.update(Document, [{'id': 101, 'content': None}, {'id': 103, 'content': b'C'}], style)
    way.commit()
    assert holds(storage, engine) == [b'C', b'b']


def test_an_update_that_meets_no_row_leaves_nothing(way: Way, storage: Any, engine: Engine) -> None:
    way.update(Document, [{'id': 999, 'content': b'new'}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_rows_that_one_update_gives_one_file_share_it(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(update(way.target(Document)).values(content=b'same'))
    assert contents(storage) == [b'a', b'b', b'c', b'same']
    way.update(Document, [{'id': 101, 'content': None}])
    way.delete(Document, 102)
    way.commit()
    assert holds(storage, engine) == [b'same']


def test_updates_one_after_the_other_leave_the_last(way: Way, storage: Any, engine: Engine) -> None:
    for each in b'1', b'2', b'3':
        way.update(Document, [{'id': 101, 'content': each}])
    way.commit()
    assert holds(storage, engine) == [b'3', b'b', b'c']


def test_statements_may_move_a_file(way: Way, storage: Any, engine: Engine) -> None:
    [moving] = way.execute(select(way.columns(Document).content).where(way.columns(Document).id == 101)).scalars()
    way.update(Document, [{'id': 102, 'content': moving}, {'id': 101, 'content': None}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'c']


def test_statements_may_put_a_file_back(way: Way, storage: Any, engine: Engine) -> None:
    [old] = way.execute(select(way.columns(Document).content).where(way.columns(Document).id == 101)).scalars()
    way.update(Document, [{'id': 101, 'content': b'new'}, {'id': 101, 'content': old}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


# DELETE


@every_way
def test_a_delete_lets_the_files_go_with_the_commit(way: Way, storage: Any, engine: Engine) -> None:
    way.delete(Document, 101, 103)
    assert contents(storage) == [b'a', b'b', b'c']
    way.commit()
    assert holds(storage, engine) == [b'b']


@every_way
def test_a_delete_that_is_rolled_back_keeps_the_files(way: Way, storage: Any, engine: Engine) -> None:
    way.execute(delete(way.target(Document)))
    way.rollback()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_row_inserted_updated_and_deleted_leaves_nothing(way: Way, storage: Any, engine: Engine) -> None:
    way.insert(Document, [{'id': 104, 'content': b'1'}])
    way.update(Document, [{'id': 104, 'content': b'2'}])
    way.delete(Document, 104)
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


def test_a_row_deleted_and_inserted_again_keeps_its_file(way: Way, storage: Any, engine: Engine) -> None:
    [old] = way.execute(select(way.columns(Document).content).where(way.columns(Document).id == 101)).scalars()
    way.delete(Document, 101)
    way.insert(Document, [{'id': 101, 'content': old}])
    way.commit()
    assert holds(storage, engine) == [b'a', b'b', b'c']


# Columns of many files, and of JSON


@pytest.mark.parametrize('style', ['many values', 'many parameters'])
@pytest.mark.parametrize(('model', 'key'), [(Album, 'photos'), (Archive, 'pages')])
def test_lists_of_files_are_inserted(way: Way, storage: Any, engine: Engine, style: str, model: Any, key: str) -> None:
    way.insert(model, [{key: [b'1', io.BytesIO(b'2')]}, {key: [UploadedFile(b'3')]}, {key: []}], style)
    way.commit()
    assert holds(storage, engine) == [b'1', b'2', b'3', b'a', b'b', b'c']


@pytest.mark.parametrize('style', ['values', 'many parameters'])
@pytest.mark.parametrize(('model', 'key'), [(Album, 'photos'), (Archive, 'pages')])
def test_lists_of_files_are_replaced(way: Way, storage: Any, engine: Engine, style: str, model: Any, key: str) -> None:
    way.insert(model, [{'id': 1, key: [b'1', b'2']}, {'id': 2, key: [b'3']}])
    way.commit()
    [kept, _] = way.execute(select(getattr(way.columns(model), key)).where(way.columns(model).id == 1)).scalar_one()
    way.update(model, [{'id': 1, key: [b'4', kept]}, {'id': 2, key: []}], style)
    way.commit()
    assert holds(storage, engine) == [b'1', b'4', b'a', b'b', b'c']


@pytest.mark.parametrize('style', ['values', 'many parameters'])
def test_files_in_a_json_column_are_replaced(way: Way, storage: Any, engine: Engine, style: str) -> None:
    way.insert(Archive, [{'id': 1, 'content': b'1'}, {'id': 2, 'content': b'2'}])
    way.commit()
    way.update(Archive, [{'id': 1, 'content': b'3'}, {'id': 2, 'content': None}], style)
    way.commit()
    assert holds(storage, engine) == [b'3', b'a', b'b', b'c']
