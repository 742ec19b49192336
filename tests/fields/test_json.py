"""The JSON form: the database's own type, and what the text form wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, func, inspect, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from depot.fields.sqlalchemy import UploadedFileField
from depot.io.utils import FileIntent


class Base(DeclarativeBase):
    pass


class InJSON(Base):
    __tablename__ = 'in_json'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(UploadedFileField(json=True), nullable=True)
    pages: Mapped[Any] = mapped_column(UploadedFileField(json=True, multiple=True), nullable=False)


class InText(Base):
    __tablename__ = 'in_text'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)
    pages: Mapped[Any] = mapped_column(UploadedFileField(multiple=True), nullable=False)


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = create_engine(request.getfixturevalue('postgres_url'))
    yield engine
    left = MetaData()
    left.reflect(engine)
    left.drop_all(engine)
    engine.dispose()


@pytest.fixture(params=['engine', 'postgres'], ids=['sqlite', 'postgresql'])
def session(request: pytest.FixtureRequest, storage: Any) -> Iterator[Session]:
    engine = request.getfixturevalue(request.param)
    Base.metadata.create_all(engine)
    with sessionmaker(engine)() as session:
        yield session


def save(session: Session, new: Any) -> Any:
    session.add(new)
    session.commit()
    return new


def test_files_come_back_as_they_were(session: Session) -> None:
    saved = save(session, InJSON(content=b'a', pages=[b'b', b'c']))
    before = (dict(saved.content), list(saved.pages))
    session.expire_all()
    assert (saved.content, saved.pages) == before
    assert [each.file.read() for each in saved.pages] == [b'b', b'c']


def test_no_file_is_null_and_no_files_are_an_empty_list(session: Session) -> None:
    save(session, InJSON(content=None))
    assert session.execute(text('SELECT content IS NULL, pages FROM in_json')).one() in [(1, '[]'), (True, [])]


def test_a_list_is_changed_in_place(session: Session) -> None:
    saved = save(session, InJSON(pages=[b'a', b'b']))
    saved.pages.append(b'c')
    del saved.pages[0]
    session.commit()
    assert [each.file.read() for each in saved.pages] == [b'b', b'c']


def test_a_file_is_found_by_what_is_known_of_it(session: Session) -> None:
    saved = save(session, InJSON(content=FileIntent(b'abc', 'a.txt', 'text/plain')))
    save(session, InJSON(content=b'other'))
    content: Any = InJSON.content
    for condition in (
        content['filename'].as_string() == 'a.txt',
        content['size'].as_integer() == 3,
        content[('files', 0)].as_string() == saved.content.path,
    ):
        assert session.scalars(select(InJSON).where(condition)).all() == [saved]
    assert session.scalars(select(content['filename'].as_string()).order_by(InJSON.id)).all() == ['a.txt', 'unnamed']


def test_the_json_form_reads_what_the_text_form_wrote(session: Session) -> None:
    old = save(session, InText(content=b'a', pages=[b'b']))
    cast = '::jsonb' if session.get_bind().dialect.name == 'postgresql' else ''
    session.execute(
        text(f'INSERT INTO in_json (id, content, pages) SELECT id, content{cast}, pages{cast} FROM in_text')
    )
    new = session.scalars(select(InJSON)).one()
    assert (new.content, new.pages) == (old.content, old.pages)


def test_the_text_form_reads_what_the_json_form_wrote(session: Session) -> None:
    old = save(session, InJSON(content=b'a', pages=[b'b']))
    cast = '::text' if session.get_bind().dialect.name == 'postgresql' else ''
    session.execute(
        text(f'INSERT INTO in_text (id, content, pages) SELECT id, content{cast}, pages{cast} FROM in_json')
    )
    new = session.scalars(select(InText)).one()
    assert (new.content, new.pages) == (old.content, old.pages)


def test_a_json_text_inside_json_is_read_too(session: Session) -> None:
    old = save(session, InJSON(content=b'a', pages=[]))
    encode = 'to_jsonb(content::text)' if session.get_bind().dialect.name == 'postgresql' else 'json_quote(content)'
    before = dict(old.content)
    session.execute(text(f'UPDATE in_json SET content = {encode}'))
    session.expire_all()
    assert old.content == before


def test_one_file_reads_as_a_list_of_one(session: Session) -> None:
    old = save(session, InJSON(content=b'a', pages=[]))
    session.execute(text('UPDATE in_json SET pages = content'))
    session.expire_all()
    assert old.pages == [old.content]


def test_postgresql_keeps_it_in_jsonb(postgres: Engine) -> None:
    Base.metadata.create_all(postgres)
    types = {each['name']: each['type'] for each in inspect(postgres).get_columns('in_json')}
    assert isinstance(types['content'], JSONB)
    assert isinstance(types['pages'], JSONB)


def test_a_rollback_on_postgresql_removes_the_files(
    postgres: Engine, storage: Any, stored: Callable[[], list[bytes]]
) -> None:
    Base.metadata.create_all(postgres)
    with sessionmaker(postgres)() as session:
        saved = save(session, InJSON(content=b'a', pages=[b'b']))
        saved.content = b'x'
        saved.pages.append(b'y')
        session.flush()
        session.rollback()
        assert stored() == [b'a', b'b']
        assert session.scalar(select(func.jsonb_array_length(InJSON.pages))) == 1
