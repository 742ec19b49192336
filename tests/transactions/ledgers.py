"""Models whose files are counted: by the transactions, and by triggers of the database; a session with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Optional

import pytest
from sqlalchemy import Engine, ForeignKey, MetaData, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.io.faults import FaultyStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger


class Counted(NamedTuple):
    """A ledger, and the models whose rows it counts."""

    ledger: Ledger
    Folder: Any
    Document: Any
    Album: Any

    @property
    def metadata(self) -> MetaData:
        return self.ledger.metadatas[0]

    def entries(self, session: Session) -> dict[str, tuple[str, Any]]:
        """State and count, by file."""
        table = self.ledger.table
        found = session.execute(select(table).where(table.c.state != 'swept')).all()
        return {each.file: (each.state, each.refs) for each in found}


def _make(triggers: bool) -> Counted:
    class Base(DeclarativeBase):
        pass

    prefix = 'triggered' if triggers else 'counted'
    ledger = Ledger(Base.metadata, name=f'{prefix}_ledger', triggers=triggers)

    class Folder(Base):
        __tablename__ = f'{prefix}_folder'
        id: Mapped[int] = mapped_column(primary_key=True)

    class Document(Base):
        __tablename__ = f'{prefix}_document'
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[Optional[str]] = mapped_column(String(50))
        content: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)
        scan: Mapped[Any] = mapped_column(UploadedFileField(json=True), nullable=True, deferred=True)
        folder: Mapped[Optional[int]] = mapped_column(ForeignKey(Folder.id, ondelete='CASCADE'))

    class Album(Base):
        __tablename__ = f'{prefix}_album'
        id: Mapped[int] = mapped_column(primary_key=True)
        photos: Mapped[Any] = mapped_column(UploadedFileField(multiple=True))

    return Counted(ledger, Folder, Document, Album)


BY_TRANSACTIONS = _make(triggers=False)
BY_TRIGGERS = _make(triggers=True)


@pytest.fixture(params=['sqlite', 'postgresql', 'mariadb'])
def engine(request: pytest.FixtureRequest, make_engine: Callable[..., Engine]) -> Engine:
    """A database of each kind."""
    return make_engine(request.param)


def in_database(counted: Counted, engine: Engine) -> Iterator[Counted]:
    """These models, while a database has their tables."""
    counted.metadata.create_all(engine)
    yield counted
    counted.metadata.drop_all(engine)


@pytest.fixture
def counted(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Counted]:
    """The models that the transactions count, or those that a test asks for, and their tables."""
    yield from in_database(getattr(request, 'param', BY_TRANSACTIONS), engine)


@pytest.fixture
def storage() -> Iterator[FaultyStorage]:
    """The default storage, to be given faults."""
    DepotManager._clear()
    storage = DepotManager._depots['default'] = FaultyStorage(MemoryFileStorage())
    DepotManager.set_default('default')
    yield storage
    DepotManager._clear()


@pytest.fixture
def session(engine: Engine, storage: Any, counted: Counted) -> Iterator[Session]:
    with Session(engine) as session:
        yield session
