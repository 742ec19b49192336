"""What the demo keeps: documents that are uploaded, and photos that are shown small."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.images.recipe import Variant

Sessions = sessionmaker()

# One transaction after the other: the page shows what each of them did to the folder.
one_at_a_time = threading.Lock()


class Base(DeclarativeBase): ...


class Document(Base):
    __tablename__ = 'documents'
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[UploadedFile] = mapped_column(UploadedFileField)


class Photo(Base):
    __tablename__ = 'photos'
    id: Mapped[int] = mapped_column(primary_key=True)
    photo: Mapped[UploadedFile] = mapped_column(
        UploadedFileField(upload_storage='photos', variants={'thumb': Variant(resize_to_limit=(480, 320))})
    )
    # As it is shown: a page that knows them makes room before the image is there.
    width: Mapped[int]
    height: Mapped[int]


def connect(path: Path) -> Engine:
    """The database, with real transactions: by itself, Python's driver begins one only at the first change."""
    engine = create_engine(f'sqlite:///{path}')

    @event.listens_for(engine, 'connect')
    def let_sqlalchemy_begin(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, 'begin')
    def begin(connection: Any) -> None:
        connection.exec_driver_sql('BEGIN')

    Base.metadata.create_all(engine)
    return engine
