"""Statements on classes that are loaded with the tables of their subclasses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField

from .laws import contents, in_memory, on_every_database

pytestmark = [on_every_database, in_memory]


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = 'item'
    __mapper_args__ = {'polymorphic_on': 'kind', 'polymorphic_identity': 'item', 'with_polymorphic': '*'}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(9))
    content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


class Book(Item):
    __tablename__ = 'book'
    __mapper_args__ = {'polymorphic_identity': 'book', 'polymorphic_load': 'inline'}

    id: Mapped[int] = mapped_column(ForeignKey('item.id', ondelete='CASCADE'), primary_key=True)
    cover: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


@pytest.fixture
def session(engine: Engine, storage: Any) -> Iterator[Session]:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Item(id=1, content=b'1'), Book(id=2, content=b'2', cover=b'cover')])
        session.commit()
        yield session
    Base.metadata.drop_all(engine)


def named(session: Session) -> list[bytes]:
    """What rows have, through the classes themselves."""
    items = session.scalars(select(Item).execution_options(populate_existing=True)).all()
    found = [file for each in items for file in (each.content, getattr(each, 'cover', None)) if file is not None]
    return sorted({file.file_id: file.file.read() for file in found}.values())


@pytest.mark.parametrize('end', ['commit', 'rollback'])
def test_a_class_with_its_subclasses_is_updated(session: Session, storage: Any, end: str) -> None:
    session.execute(update(Item).where(Item.id == 2).values(content=b'new'))
    session.execute(update(Book).where(Book.id == 2).values(cover=b'new cover'))
    getattr(session, end)()
    changed = [b'1', b'new', b'new cover']
    assert contents(storage) == named(session) == (changed if end == 'commit' else [b'1', b'2', b'cover'])


def test_a_class_with_its_subclasses_is_deleted(session: Session, storage: Any) -> None:
    session.execute(delete(Item).where(Item.id == 1))
    session.commit()
    assert contents(storage) == named(session) == [b'2', b'cover']


def test_a_class_with_its_subclasses_is_updated_by_key(session: Session, storage: Any) -> None:
    session.execute(update(Item), [{'id': 1, 'content': b'one'}, {'id': 2, 'content': None}])
    session.execute(update(Book), [{'id': 2, 'content': b'two', 'cover': b'new cover'}])
    session.commit()
    assert contents(storage) == named(session) == [b'new cover', b'one', b'two']


def test_a_query_of_a_class_with_its_subclasses_updates(session: Session, storage: Any) -> None:
    session.query(Item).filter(Item.id == 1).update({'content': b'one'})
    session.commit()
    assert contents(storage) == named(session) == [b'2', b'cover', b'one']
