"""Every way to map a class: each assigned content is stored exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, inspect
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    column_property,
    configure_mappers,
    declared_attr,
    deferred,
    mapped_column,
    registry,
)

from depot.errors import InvalidMapping
from depot.fields.sqlalchemy import UploadedFileField, _SQLAMutationTracker
from depot.io.memory import MemoryFileStorage

Save = Callable[..., Any]
Make = Callable[[type[Any]], type[Any]]


def plain(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column(UploadedFileField)

    return Document


def other_column_name(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column('file_column', UploadedFileField)

    return Document


def deferred_column(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)
        content = deferred(Column(UploadedFileField))

    return Document


def property_of_column(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)
        content = column_property(Column('file_column', UploadedFileField))

    return Document


def mixin(base: Any) -> Any:
    class WithContent:
        @declared_attr
        def content(cls) -> Mapped[Any]:  # noqa: N805 (SQLAlchemy gives the class)
            return mapped_column(UploadedFileField)

    class Document(WithContent, base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)

    return Document


def abstract(base: Any) -> Any:
    class Abstract(base):  # type: ignore[misc]
        __abstract__ = True
        content = mapped_column(UploadedFileField)

    class Document(Abstract):
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)

    return Document


def joined(base: Any) -> Any:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column(UploadedFileField)

    class Document(Asset):
        __tablename__ = 'document'
        id = mapped_column(ForeignKey('asset.id'), primary_key=True)

    class Letter(Document):
        __tablename__ = 'letter'
        id = mapped_column(ForeignKey('document.id'), primary_key=True)

    return Letter


def single_table(base: Any) -> Any:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        __mapper_args__ = {'polymorphic_on': 'kind', 'polymorphic_identity': 'asset'}
        id = mapped_column(Integer, primary_key=True)
        kind = mapped_column(String(10))
        content = mapped_column(UploadedFileField)

    class Document(Asset):
        __mapper_args__ = {'polymorphic_identity': 'document'}

    return Document


def concrete(base: Any) -> Any:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column(String(10))

    class Document(Asset):
        __tablename__ = 'document'
        __mapper_args__ = {'concrete': True}
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column(UploadedFileField)

    return Document


def imperative(base: Any) -> Any:
    class Document:
        metadata = MetaData()

        def __init__(self, **values: Any) -> None:
            for name, value in values.items():
                setattr(self, name, value)

    table = Table(
        'document', Document.metadata, Column('id', Integer, primary_key=True), Column('content', UploadedFileField)
    )
    registry().map_imperatively(Document, table)
    return Document


def dataclass(base: Any) -> Any:
    class DataBase(MappedAsDataclass, DeclarativeBase):
        pass

    class Document(DataBase):
        __tablename__ = 'document'
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        content: Mapped[Any] = mapped_column(UploadedFileField, default=None)

    return Document


def added_before_configuration(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)

    Document.content = mapped_column(UploadedFileField)
    return Document


def added_after_configuration(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = 'document'
        id = mapped_column(Integer, primary_key=True)

    configure_mappers()
    Document.content = mapped_column(UploadedFileField)
    return Document


def added_to_a_parent_after_configuration(base: Any) -> Any:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        id = mapped_column(Integer, primary_key=True)

    class Document(Asset):
        __tablename__ = 'document'
        id = mapped_column(ForeignKey('asset.id'), primary_key=True)

    configure_mappers()
    Asset.content = mapped_column(UploadedFileField)
    return Document


MAPPINGS = [
    plain,
    other_column_name,
    deferred_column,
    property_of_column,
    mixin,
    abstract,
    joined,
    single_table,
    concrete,
    imperative,
    dataclass,
    added_before_configuration,
    added_after_configuration,
    added_to_a_parent_after_configuration,
]


@pytest.mark.parametrize('make', MAPPINGS)
def test_a_content_is_stored_exactly_once_and_follows_its_row(
    base: Any, storage: MemoryFileStorage, session: Session, saved: Save, make: Make
) -> None:
    document = saved(make(base)(content=b'old'))
    assert len(storage.list()) == 1
    document.content = b'new'
    assert len(storage.list()) == 2
    session.rollback()
    assert document.content.file.read() == b'old'
    document.content = b'newer'
    session.commit()
    assert document.content.file.read() == b'newer'
    assert len(storage.list()) == 1
    session.delete(document)
    session.commit()
    assert storage.list() == []


def test_a_late_attribute_listens_beside_the_others_and_none_listens_twice(
    base: Any, storage: MemoryFileStorage, saved: Save
) -> None:
    model = plain(base)
    model()
    listeners = len(list(inspect(model).dispatch.before_update))
    model.late = mapped_column(UploadedFileField(multiple=True))
    document = saved(model(content=b'a', late=[b'b']))
    assert len(storage.list()) == 2
    assert _SQLAMutationTracker.mapped_entities[model] == ['content', 'late']
    assert len(list(inspect(model).dispatch.before_update)) == listeners
    assert document.late[0].file.read() == b'b'


def test_lists_of_a_subclass_are_tracked(base: Any, storage: Any, session: Session, saved: Save) -> None:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        id = mapped_column(Integer, primary_key=True)
        files = mapped_column(UploadedFileField(multiple=True))

    class Document(Asset):
        __tablename__ = 'document'
        id = mapped_column(ForeignKey('asset.id'), primary_key=True)

    document = saved(Document())
    document.files.append(b'a')
    session.commit()
    assert (len(document.files), len(storage.list())) == (1, 1)


@pytest.mark.filterwarnings(f'ignore::{SAWarning.__module__}.{SAWarning.__name__}')
def test_two_columns_on_one_property_are_no_file(base: Any) -> None:
    class Asset(base):  # type: ignore[misc]
        __tablename__ = 'asset'
        id = mapped_column(Integer, primary_key=True)
        content = mapped_column(UploadedFileField)

    class Document(Asset):
        __tablename__ = 'document'
        id = mapped_column(ForeignKey('asset.id'), primary_key=True)
        content = mapped_column(UploadedFileField)

    with pytest.raises(TypeError, match=r'Document.content maps 2 columns') as raised:
        configure_mappers()
    assert isinstance(raised.value, InvalidMapping)
    base.registry.dispose()


def test_the_attributes_that_hold_files_are_known_by_class(base: Any, storage: Any) -> None:
    document = plain(base)
    document()
    assert list(_SQLAMutationTracker.mapped_entities[document]) == ['content']


def test_a_listener_of_an_application_may_call_the_trackers_methods(
    base: Any, storage: Any, session: Session, saved: Save
) -> None:
    document = saved(plain(base)(content=b'old'))
    for _ in range(2):
        _SQLAMutationTracker._session_committed(session)
    assert document.content.file.read() == b'old'
