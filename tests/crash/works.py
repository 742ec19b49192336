"""Transactions in the ways that applications write them; each tells the slots what the documents should hold."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from .engines import asynchronous
from .models import TRIGGERS, Document, Slot, digest_of
from .notes import Notes, State

#: Seconds from PREPARE to COMMIT, so that there is a time to be killed in.
PREPARED = 0.02


class Work:
    """One transaction in a session: objects that are added, changed and deleted."""

    def __init__(self, link: Any, notes: Notes) -> None:
        self._link = link
        self._notes = notes
        self._states: dict[int, State] = {}
        self._touched: set[int] = set()

    @classmethod
    def run(cls, engine: Engine, notes: Notes, body: Callable[[Work], object]) -> None:
        """Does one transaction, which is left without a commit unless ``body`` commits it."""
        cls._do(cls._link_to(engine), notes, body)

    @classmethod
    def _link_to(cls, engine: Engine) -> Any:
        return Session(engine)

    @classmethod
    def _do(cls, link: Any, notes: Notes, body: Callable[[Work], object]) -> None:
        notes.write('started')
        try:
            body(cls(link, notes))
        finally:
            link.close()
            notes.write('ended')

    def put(self, slot: int, content: Any, digest: str | None = None) -> None:
        """Stores a document in a slot, in the place of what is there; a content that is no bytes has a digest."""
        old = self.take(slot)
        if old is None:
            self._insert(slot, content)
        else:
            self._update(slot, content)
        self._tell(slot, digest or digest_of(content))

    def share(self, slot: int, source: int) -> None:
        """Makes the document in a slot refer to the file of another one; both must be there."""
        self.take(slot)
        digest = self.take(source)
        self._update(slot, self._content(source))
        self._tell(slot, digest)

    def remove(self, slot: int) -> None:
        """Deletes the document in a slot."""
        self.take(slot)
        self._delete(slot)
        self._tell(slot, None)

    @contextlib.contextmanager
    def savepoint(self, released: bool) -> Iterator[None]:
        """A savepoint around what is done inside."""
        before = dict(self._states)
        savepoint = self._link.begin_nested()
        yield
        if released:
            savepoint.commit()
        else:
            savepoint.rollback()
            self._states = before

    def commit(self) -> None:
        self._notes.write('committing', self._states)
        self._link.commit()
        self._notes.write('acknowledged')

    def rollback(self) -> None:
        self._link.rollback()

    def take(self, slot: int) -> str | None:
        """Waits for the slot and returns its digest. It writes first: SQLite lets nobody write who has read before."""
        counted = update(Slot).where(Slot.id == slot).values(version=Slot.version + int(slot not in self._states))
        version, digest = self._link.execute(counted.returning(Slot.version, Slot.digest)).one()
        self._states[slot] = (version, digest)
        return digest

    def _tell(self, slot: int, digest: str | None) -> None:
        self._link.execute(update(Slot).where(Slot.id == slot).values(digest=digest))
        self._states[slot] = (self._states[slot][0], digest)
        self._touched.add(slot)

    def _document(self, slot: int) -> Document:
        return self._link.scalars(select(Document).where(Document.slot_id == slot)).one()

    def _content(self, slot: int) -> Any:
        return self._document(slot).content

    def _insert(self, slot: int, content: Any) -> None:
        self._link.add(Document(slot_id=slot, content=content))

    def _update(self, slot: int, content: Any) -> None:
        self._document(slot).content = content

    def _delete(self, slot: int) -> None:
        self._link.delete(self._document(slot))


class StatementWork(Work):
    """One transaction in a session: statements on the mapped class."""

    target: Any = Document
    columns: Any = Document

    def _content(self, slot: int) -> Any:
        return self._link.scalars(select(self.columns.content).where(self.columns.slot_id == slot)).one()

    def _insert(self, slot: int, content: Any) -> None:
        self._link.execute(insert(self.target).values(slot_id=slot, content=content))

    def _update(self, slot: int, content: Any) -> None:
        self._link.execute(update(self.target).where(self.columns.slot_id == slot).values(content=content))

    def _delete(self, slot: int) -> None:
        self._link.execute(delete(self.target).where(self.columns.slot_id == slot))


class CoreWork(StatementWork):
    """One transaction on a connection, without a session: statements on the table."""

    target = Document.__table__
    columns = Document.__table__.c

    @classmethod
    def _link_to(cls, engine: Engine) -> Any:
        return engine.connect()


SHARE = """
UPDATE document SET content = (SELECT content FROM document WHERE slot_id = :source) WHERE slot_id = :slot
"""


class RawWork(CoreWork):
    """One transaction that deletes, and where the database keeps the counts shares, by SQL which nobody follows."""

    def share(self, slot: int, source: int) -> None:
        if not TRIGGERS or source in self._touched:  # triggers do not know of a file that this transaction stored
            super().share(slot, source)
        else:
            self.take(slot)
            self._link.execute(text(SHARE), {'slot': slot, 'source': source})
            self._tell(slot, self.take(source))

    def _delete(self, slot: int) -> None:
        self._link.execute(text('DELETE FROM document WHERE slot_id = :slot'), {'slot': slot})


class AsyncWork(Work):
    """One transaction under asyncio, in an event loop of its own."""

    @classmethod
    def run(cls, engine: Engine, notes: Notes, body: Callable[[Work], object]) -> None:
        asyncio.run(cls._run(engine, notes, body))

    @classmethod
    async def _run(cls, engine: Engine, notes: Notes, body: Callable[[Work], object]) -> None:
        database = asynchronous(engine)
        try:
            async with AsyncSession(database) as session:
                await session.run_sync(lambda link: cls._do(link, notes, body))
        finally:
            await database.dispose()


class TwoPhaseWork(Work):
    """One transaction that is prepared before it is committed; a crash in between leaves it undecided."""

    @classmethod
    def _link_to(cls, engine: Engine) -> Any:
        return Session(engine, twophase=True)

    def commit(self) -> None:
        self._notes.write('committing', self._states)
        self._link.prepare()
        time.sleep(PREPARED)
        self._link.commit()
        self._notes.write('acknowledged')


#: The ways to write a transaction with any database.
WAYS = [Work, StatementWork, CoreWork, RawWork, AsyncWork]


def ways(engine: Engine) -> list[type[Work]]:
    """The ways to write a transaction with this database."""
    return [*WAYS, TwoPhaseWork] if engine.name == 'postgresql' else WAYS
