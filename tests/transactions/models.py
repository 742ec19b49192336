"""Models with files, of each shape that the laws speak of."""

from __future__ import annotations

from typing import Any, Optional

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile


class Base(DeclarativeBase):
    pass


class OtherBase(DeclarativeBase):
    pass


class Attached:
    """A mixin with a file."""

    attachment: Mapped[Optional[UploadedFile]] = mapped_column(UploadedFileField, nullable=True)


class Document(Base):
    __tablename__ = 'document'

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Optional[str]] = mapped_column(String(50), unique=True)
    content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)
    scan: Mapped[Any] = mapped_column('second_file', UploadedFileField, deferred=True, nullable=True)
    folder_id: Mapped[Optional[int]] = mapped_column(ForeignKey('folder.id'))


class Folder(Base):
    __tablename__ = 'folder'

    id: Mapped[int] = mapped_column(primary_key=True)
    documents: Mapped[list[Document]] = relationship(cascade='all, delete-orphan', backref='folder')


class Album(Base):
    __tablename__ = 'album'

    id: Mapped[int] = mapped_column(primary_key=True)
    photos: Mapped[Any] = mapped_column(UploadedFileField(multiple=True))


class Letter(Attached, Base):
    __tablename__ = 'letter'

    id: Mapped[int] = mapped_column(primary_key=True)
    stamp: Mapped[Any] = mapped_column(UploadedFileField, default=lambda: UploadedFile(b'default'))


class Asset(Base):
    __tablename__ = 'asset'
    __mapper_args__ = {'polymorphic_on': 'kind', 'polymorphic_identity': 'asset'}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


class Video(Asset):
    """Joined-table inheritance, with a file of its own."""

    __tablename__ = 'video'
    __mapper_args__ = {'polymorphic_identity': 'video'}

    id: Mapped[int] = mapped_column(ForeignKey('asset.id'), primary_key=True)
    poster: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


class Sound(Asset):
    """Single-table inheritance, with a file of its own."""

    __mapper_args__ = {'polymorphic_identity': 'sound'}

    cover: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


class Elsewhere(OtherBase):
    """A model of a second declarative base."""

    __tablename__ = 'elsewhere'

    key: Mapped[str] = mapped_column(String(10), primary_key=True)
    content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)


class Note(MappedAsDataclass, Base):
    __tablename__ = 'note'

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    content: Mapped[Any] = mapped_column(UploadedFileField, default=None)


class Archive(Base):
    """Files in the database's own JSON type."""

    __tablename__ = 'archive'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(UploadedFileField(json=True), nullable=True)
    pages: Mapped[Any] = mapped_column(UploadedFileField(json=True, multiple=True), nullable=True)


class Receipt(Base):
    """A row that gets a new file at every UPDATE that does not give one."""

    __tablename__ = 'receipt'

    id: Mapped[int] = mapped_column(primary_key=True)
    paid: Mapped[bool] = mapped_column(default=False)
    stamp: Mapped[Any] = mapped_column(UploadedFileField, onupdate=lambda: UploadedFile(b'updated'), nullable=True)
