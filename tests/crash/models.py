"""Documents with files, and slots that say, without any file, what the documents should hold."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Optional

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.transactions.ledger import Ledger


class Base(DeclarativeBase):
    pass


class Slot(Base):
    """Written in the same transaction as the document in it, so that the two can be compared after a crash."""

    __tablename__ = 'slot'

    id: Mapped[int] = mapped_column(primary_key=True)
    #: One more with each transaction that wrote it.
    version: Mapped[int] = mapped_column(default=0)
    #: SHA-256 of the document's content; None where there is no document.
    digest: Mapped[Optional[str]] = mapped_column(String(64))


class Document(Base):
    __tablename__ = 'document'

    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey('slot.id'), unique=True)
    content: Mapped[Any] = mapped_column(UploadedFileField)


#: Whether the database itself keeps the counts, so that raw SQL may share files too.
TRIGGERS = os.environ.get('DEPOT_CRASH_TRIGGERS') == '1'

LEDGER = Ledger(Base.metadata, triggers=TRIGGERS)


def digest_of(content: bytes) -> str:
    """What a slot says of a content."""
    return hashlib.sha256(content).hexdigest()
