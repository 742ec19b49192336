"""The column type as SQLAlchemy sees it: DDL, caching, values in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, cast, insert, literal, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.schema import CreateTable

import depot.fields.sqlalchemy
from depot.errors import InvalidValue, WrongOption
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile

Save = Callable[..., Any]

VARIANTS = [
    UploadedFileField(),
    UploadedFileField(length=500),
    UploadedFileField([], UploadedFile, None, 500),
    UploadedFileField(multiple=True),
    UploadedFileField(multiple=True, length=9000),
    UploadedFileField(json=True),
    UploadedFileField(json=True, multiple=True),
    UploadedFileField(upload_storage='archive'),
]


class Special(UploadedFile):
    """A kind of an application's own."""


def ddl(column_type: Any, dialect: Any = None) -> str:
    """How the type stands in CREATE TABLE."""
    return str(column_type.compile(dialect=dialect or sqlite.dialect()))


# Made


@pytest.mark.parametrize('option', ['storage', 'depot_name', 'variant'])
def test_an_option_that_is_none_is_refused_with_those_that_are(option: str) -> None:
    with pytest.raises(
        WrongOption, match=rf"'{option}'; its options are: filters, upload_type, upload_storage, .*length"
    ):
        UploadedFileField(**{option: 'x'})


@pytest.mark.parametrize('column_type', [UploadedFileField, UploadedFileField()])
def test_the_class_is_a_column_type_and_so_is_an_instance(column_type: Any) -> None:
    table = Table('document', MetaData(), Column('content', column_type))
    assert 'content VARCHAR(4000)' in str(CreateTable(table))


@pytest.mark.parametrize(
    ('column_type', 'in_sqlite', 'in_postgresql', 'in_mysql'),
    [
        (UploadedFileField(), 'VARCHAR(4000)', 'VARCHAR(4000)', 'VARCHAR(4000)'),
        (UploadedFileField(length=500), 'VARCHAR(500)', 'VARCHAR(500)', 'VARCHAR(500)'),
        (UploadedFileField([], UploadedFile, None, 500), 'VARCHAR(500)', 'VARCHAR(500)', 'VARCHAR(500)'),
        (UploadedFileField(multiple=True), 'TEXT', 'TEXT', 'TEXT'),
        (UploadedFileField(multiple=True, length=9000), 'VARCHAR(9000)', 'VARCHAR(9000)', 'VARCHAR(9000)'),
        (UploadedFileField(json=True), 'JSON', 'JSONB', 'JSON'),
        (UploadedFileField(json=True, multiple=True), 'JSON', 'JSONB', 'JSON'),
    ],
)
def test_what_the_databases_make_of_it(
    column_type: UploadedFileField, in_sqlite: str, in_postgresql: str, in_mysql: str
) -> None:
    assert ddl(column_type, sqlite.dialect()) == in_sqlite
    assert ddl(column_type, postgresql.dialect()) == in_postgresql  # type: ignore[no-untyped-call]
    assert ddl(column_type, mysql.dialect()) == in_mysql


@pytest.mark.parametrize('column_type', VARIANTS, ids=repr)
def test_its_repr_makes_the_same_type_again(column_type: UploadedFileField) -> None:
    again = eval(repr(column_type), {'UploadedFileField': UploadedFileField})
    assert repr(again) == repr(column_type)
    for dialect in (sqlite.dialect(), postgresql.dialect(), mysql.dialect()):  # type: ignore[no-untyped-call]
        assert ddl(again, dialect) == ddl(column_type, dialect)


@pytest.mark.parametrize('column_type', VARIANTS, ids=repr)
def test_a_copied_table_has_the_same_type(column_type: UploadedFileField) -> None:
    copied = Table('document', MetaData(), Column('content', column_type)).to_metadata(MetaData()).c.content.type
    assert (repr(copied), ddl(copied)) == (repr(column_type), ddl(column_type))


def test_the_names_that_applications_know_are_there(storage: Any) -> None:
    field = UploadedFileField(filters=[], upload_type=Special, upload_storage='default')
    assert list(field._filters) == []
    assert (field._upload_type, field._upload_storage) == (Special, 'default')


# Cached


def cache_key(column_type: UploadedFileField) -> Any:
    return select(Column('content', column_type))._generate_cache_key().key  # type: ignore[union-attr]


def test_a_statement_with_the_type_is_cached() -> None:
    assert cache_key(UploadedFileField()) == cache_key(UploadedFileField())


@pytest.mark.parametrize(
    'other', [{'upload_type': Special}, {'multiple': True}, {'json': True}, {'length': 10}], ids=lambda each: str(each)
)
def test_types_that_differ_are_cached_apart(other: dict[str, Any]) -> None:
    assert cache_key(UploadedFileField()) != cache_key(UploadedFileField(**other))


def test_casts_of_different_lengths_are_cached_apart(session: Session) -> None:
    lengths = [
        str(session.get_bind().engine.dialect.statement_compiler(sqlite.dialect(), cast(literal('x'), each)))
        for each in (UploadedFileField(length=10), UploadedFileField([], UploadedFile, None, 20))
    ]
    assert [each.rpartition('AS ')[2] for each in lengths] == ['VARCHAR(10))', 'VARCHAR(20))']
    assert cache_key(UploadedFileField(length=10)) != cache_key(UploadedFileField([], UploadedFile, None, 20))


def test_a_subclass_that_adds_no_option_is_cached_too() -> None:
    class TextField(UploadedFileField):
        def load_dialect_impl(self, dialect: Any) -> Any:
            return dialect.type_descriptor(Text())

    assert cache_key(TextField()) == cache_key(TextField())
    assert cache_key(TextField()) != cache_key(UploadedFileField())


def test_a_subclass_with_options_of_its_own_must_say_so_itself() -> None:
    class Signed(UploadedFileField):
        def __init__(self, secret: str, **options: Any) -> None:
            super().__init__(**options)

    with pytest.warns(match='cache_ok'):
        assert select(Column('content', Signed('secret')))._generate_cache_key() is None


# Values in


@pytest.fixture
def table(engine: Any, storage: Any) -> Table:
    metadata = MetaData()
    table = Table(
        'document',
        metadata,
        Column('id', Integer, primary_key=True),
        Column('content', UploadedFileField),
        Column('special', UploadedFileField(upload_type=Special)),
        Column('pages', UploadedFileField(multiple=True)),
        Column('info', UploadedFileField(json=True)),
    )
    metadata.create_all(engine)
    return table


def raw(session: Session, column: str) -> Any:
    return session.execute(text(f'SELECT {column} FROM document')).scalar_one()


@pytest.mark.parametrize('column', ['content', 'info'])
@pytest.mark.parametrize('falsy', [None, '', {}, 0])
def test_a_falsy_value_is_null(session: Session, table: Table, column: str, falsy: Any) -> None:
    session.execute(insert(table).values({column: falsy}))
    assert raw(session, column) is None


def test_a_file_is_json_text(session: Session, table: Table) -> None:
    uploaded = UploadedFile(b'content')
    session.execute(insert(table).values(content=uploaded))
    assert raw(session, 'content') == uploaded.encode()
    assert session.scalar(select(table.c.content)) == uploaded


def test_a_kind_of_its_own_comes_back_as_that_kind(session: Session, table: Table) -> None:
    session.execute(insert(table).values(special=Special(b'content')))
    assert type(session.scalar(select(table.c.special))) is Special


def test_a_kind_may_encode_itself(session: Session, table: Table) -> None:
    class Marked(UploadedFile):
        def encode(self) -> str:
            return '{"marked": 1}'

    session.execute(insert(table).values(content=Marked(b'content')))
    assert raw(session, 'content') == '{"marked": 1}'


@pytest.mark.parametrize('wrong', ['text', {'path': 'default/1'}, 7, [1]])
@pytest.mark.parametrize('column', ['content', 'info'])
def test_a_wrong_type_is_a_value_error_inside_a_statement_error(
    session: Session, table: Table, column: str, wrong: Any
) -> None:
    with pytest.raises(StatementError) as raised:
        session.execute(insert(table).values({column: wrong}))
    assert isinstance(raised.value.orig, ValueError)
    assert f'holds UploadedFile, not {type(wrong).__name__}' in str(raised.value.orig)


def test_a_file_of_another_kind_is_a_wrong_type(session: Session, table: Table) -> None:
    with pytest.raises(StatementError, match='holds Special, not UploadedFile'):
        session.execute(insert(table).values(special=UploadedFile(b'content')))


@pytest.mark.parametrize('wrong', [b'bytes', 'text', {'path': 'default/1'}, 7])
def test_no_list_is_a_wrong_type_for_many_files(session: Session, table: Table, wrong: Any) -> None:
    with pytest.raises(StatementError, match='holds a list') as raised:
        session.execute(insert(table).values(pages=wrong))
    assert isinstance(raised.value.orig, ValueError)


def test_a_list_with_a_wrong_item_is_refused(session: Session, table: Table) -> None:
    with pytest.raises(StatementError, match='not int'):
        session.execute(insert(table).values(pages=[UploadedFile(b'content'), 7]))


def test_a_statement_takes_an_empty_content(session: Session, table: Table) -> None:
    session.execute(insert(table).values(content=b''))
    assert session.scalars(select(table.c.content)).one().size == 0


def test_the_session_is_usable_after_a_wrong_type(session: Session, table: Table) -> None:
    with pytest.raises(StatementError):
        session.execute(insert(table).values(content=7))
    session.rollback()
    session.execute(insert(table).values(content=None))
    assert session.scalar(select(table.c.content)) is None


def test_a_content_that_nothing_can_store_says_what_to_give_instead(session: Session, table: Table) -> None:
    for statement in (
        select(table.c.id).where(table.c.content == b'new'),
        select(literal(b'new', table.c.content.type)),
    ):
        with pytest.raises(StatementError, match=r'such as type\.upload\(\) returns'):
            session.execute(statement)


# Values out


@pytest.mark.parametrize('column', ['content', 'pages', 'info'])
@pytest.mark.parametrize('rubbish', ['rubbish', '"text"', '[3]', '7'])
def test_rubbish_in_a_column_is_an_invalid_value(session: Session, table: Table, column: str, rubbish: str) -> None:
    session.execute(text(f'INSERT INTO document ({column}) VALUES (:rubbish)'), {'rubbish': rubbish})
    with pytest.raises(InvalidValue, match='a file column holds JSON'):
        session.scalars(select(table.c[column])).one()
    session.rollback()
    assert session.scalars(select(table.c[column])).all() == []


# Applications' own ways to keep it


def declared(base: Any, column_type: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'

        id: Mapped[int] = mapped_column(primary_key=True)
        content: Mapped[Any] = mapped_column(column_type, nullable=True)

    return Document


def test_a_text_column_by_load_dialect_impl(base: Any, storage: Any, session: Session, saved: Save) -> None:
    class TextField(UploadedFileField):
        def load_dialect_impl(self, dialect: Any) -> Any:
            return dialect.type_descriptor(Text())

    document = saved(declared(base, TextField)(content=b'content'))
    assert raw(session, 'content') == document.content.encode()
    assert ddl(TextField()) == 'TEXT'


def test_a_json_column_by_load_dialect_impl_is_given_the_dict_itself(
    base: Any, storage: Any, session: Session, saved: Save
) -> None:
    class JSONField(UploadedFileField):
        def load_dialect_impl(self, dialect: Any) -> Any:
            return dialect.type_descriptor(JSONB() if dialect.name == 'postgresql' else JSON())

    document = saved(declared(base, JSONField)(content=b'content'))
    session.expire_all()
    assert document.content.file.read() == b'content'
    assert raw(session, "json_extract(content, '$.size')") == 7
    assert JSONField().process_bind_param(document.content, postgresql.dialect()) is document.content  # type: ignore[no-untyped-call]


def test_overridden_processing_is_used(base: Any, storage: Any, session: Session, saved: Save) -> None:
    class Prefixed(UploadedFileField):
        def process_bind_param(self, value: Any, dialect: Any) -> Any:
            return '>' + super().process_bind_param(value, dialect)

        def process_result_value(self, value: Any, dialect: Any) -> Any:
            return super().process_result_value(value[1:], dialect)

    document = saved(declared(base, Prefixed)(content=b'content'))
    assert raw(session, 'content').startswith('>{')
    session.expire_all()
    assert document.content.file.read() == b'content'


def test_result_processing_may_be_patched(
    base: Any, storage: Any, session: Session, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = UploadedFileField.process_result_value
    monkeypatch.setattr(
        depot.fields.sqlalchemy.UploadedFileField,
        'process_result_value',
        lambda self, value, dialect: [original(self, value, dialect)],
    )
    document = saved(declared(base, UploadedFileField)(content=b'content'))
    session.expire_all()
    assert document.content[0].file.read() == b'content'


def test_a_column_compares_with_a_file(base: Any, storage: Any, session: Session, saved: Save) -> None:
    model = declared(base, UploadedFileField)
    document = saved(model(content=b'content'))
    assert session.scalars(select(model).where(model.content == document.content)).one() is document
    assert session.scalars(select(model).where(model.content.is_(None))).all() == []
