"""Models with files, as an application declares and uses them."""

from __future__ import annotations

from typing import Optional

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.fields.variants import Rendition
from depot.images.recipe import Variant


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = 'document'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[UploadedFile | None] = mapped_column(UploadedFileField)
    scan: Mapped[Optional[UploadedFile]] = mapped_column(UploadedFileField(upload_storage='scans', length=500))
    pages: Mapped[list[UploadedFile]] = mapped_column(UploadedFileField(multiple=True))
    info: Mapped[UploadedFile | None] = mapped_column(UploadedFileField(json=True))
    photo: Mapped[UploadedFile | None] = mapped_column(
        UploadedFileField(variants={'thumb': Variant(resize=(200, 200))})
    )


def use(session: Session, document: Document) -> str:
    document.content = UploadedFile(b'content')
    document.pages.append(UploadedFile(b'page'))
    document.scan = document.pages[0]
    session.add(document)
    content = document.content
    if content is None:
        return 'no file'
    name: str = content.filename
    size: int | None = content.size
    checksum: str | None = content.checksum
    return f'{name} {size} {checksum} {content.url}'


def show(document: Document) -> list[str]:
    if document.photo is None:
        return []
    large: Rendition = document.photo.variant(resize_to_limit=(1600, None), format='webp')
    with large.file as file:
        size: int | None = file.content_length
    return [document.photo.thumb.url, large.url, large.url_for(expires=60), large.variant.key, str(size)]
