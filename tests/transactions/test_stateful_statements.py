"""Random statements and objects, in savepoints and outer transactions, with files that rows share and a ledger counts.

A row's name says what its file has, and every statement that gives it another
file gives it another name: so the database itself remembers what is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from .laws import ids_in
from .ledgers import BY_TRANSACTIONS
from .ways import INSERTS, update_with_bindparam

Document, Album = BY_TRANSACTIONS.Document, BY_TRANSACTIONS.Album
TABLE = Document.__table__

KEYS = st.integers(1, 4)
SEVERAL = st.lists(KEYS, min_size=1, max_size=3, unique=True)


class Statements(RuleBasedStateMachine):
    """One session after the other, at times inside a transaction that is not its own."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        DepotManager._clear()
        self.storage = DepotManager._depots['default'] = MemoryFileStorage()
        DepotManager.set_default('default')
        with engine.begin() as connection:
            for table in reversed(BY_TRANSACTIONS.metadata.sorted_tables):
                connection.execute(text(f'DELETE FROM {table.name}'))
        with Session(engine) as session:
            session.add(Album(id=1, photos=[]))
            session.commit()
        self.number = 0
        self.begin(joined=False)

    def begin(self, joined: bool) -> None:
        self.connection = self.engine.connect() if joined else None
        self.outer = self.connection.begin() if self.connection is not None else None
        self.session = Session(self.connection or self.engine, join_transaction_mode='create_savepoint')
        self.savepoints: list[Any] = []

    def teardown(self) -> None:
        try:
            self.leave('rollback')
        finally:
            self.session.close()
            if self.connection is not None:
                self.connection.close()
            DepotManager._clear()

    def new(self) -> dict[str, Any]:
        """A content, and the name that goes with it."""
        self.number += 1
        return {'content': b'%d' % self.number, 'name': f'{self.number}'}

    def missing(self, keys: list[int]) -> list[int]:
        found = self.session.scalars(select(Document.id).where(Document.id.in_(keys))).all()
        return [each for each in keys if each not in found]

    # Statements

    @rule(keys=SEVERAL, style=st.sampled_from(sorted(INSERTS)), on_table=st.booleans())
    def insert(self, keys: list[int], style: str, on_table: bool) -> None:
        rows = [{'id': each, **self.new()} for each in self.missing(keys)]
        for statement, parameters in INSERTS[style](TABLE if on_table else Document, rows) if rows else ():
            self.session.execute(statement, parameters)

    @rule(keys=SEVERAL, many=st.booleans(), synchronized=st.sampled_from(['auto', 'evaluate', 'fetch', False]))
    def update(self, keys: list[int], many: bool, synchronized: Any) -> None:
        if many:
            self.session.connection().execute(
                *update_with_bindparam(Document, [{'id': each, **self.new()} for each in keys])
            )
            self.session.expire_all()
        else:
            statement = update(Document).where(Document.id.in_(keys)).values(**self.new())
            self.session.execute(statement, execution_options={'synchronize_session': synchronized})

    @rule(keys=SEVERAL)
    def update_by_key(self, keys: list[int]) -> None:
        rows = [{'id': each, **self.new()} for each in keys if each not in self.missing(keys)]
        if rows:
            self.session.execute(update(Document), rows)

    @rule(keys=SEVERAL)
    def clear(self, keys: list[int]) -> None:
        self.session.execute(update(Document).where(Document.id.in_(keys)).values(content=None, name=None))

    @rule(keys=SEVERAL, source=KEYS)
    def copy_by_a_subquery(self, keys: list[int], source: int) -> None:
        other: Any = aliased(Document)
        copied = [select(each).where(other.id == source).scalar_subquery() for each in (other.content, other.name)]
        self.session.execute(
            update(Document).where(Document.id.in_(keys)).values(content=copied[0], name=copied[1]),
            execution_options={'synchronize_session': 'fetch'},
        )

    @rule(source=KEYS, key=KEYS)
    def copy_by_a_select(self, source: int, key: int) -> None:
        if self.missing([key]):
            copied = select(Document.id - source + key, Document.name, Document.content).where(Document.id == source)
            self.session.execute(insert(Document).from_select(['id', 'name', 'content'], copied))

    @rule(keys=SEVERAL)
    def delete(self, keys: list[int]) -> None:
        self.session.execute(delete(Document).where(Document.id.in_(keys)))

    @rule(keys=SEVERAL, nothing=st.booleans(), many=st.booleans())
    def upsert(self, keys: list[int], nothing: bool, many: bool) -> None:
        makers: Any = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}
        statement = makers[self.engine.dialect.name](Document)
        rows = [{'id': each, **self.new()} for each in keys]
        if nothing:
            statement = statement.on_conflict_do_nothing(index_elements=['id'])
        else:
            set_ = {'content': statement.excluded.content, 'name': statement.excluded.name}
            statement = statement.on_conflict_do_update(index_elements=['id'], set_=set_)
        self.session.execute(statement, rows) if many else self.session.execute(statement.values(rows))
        self.session.expire_all()

    @rule(key=KEYS, new_key=KEYS)
    def change_a_key(self, key: int, new_key: int) -> None:
        if self.missing([new_key]):
            self.session.execute(update(TABLE).where(TABLE.c.id == key).values(id=TABLE.c.id - key + new_key))
            self.session.expire_all()

    @rule(keys=SEVERAL)
    def insert_what_is_there(self, keys: list[int]) -> None:
        if len(self.missing(keys)) < len(keys):
            with pytest.raises(IntegrityError), self.session.begin_nested():
                self.session.connection().execute(insert(TABLE), [{'id': each, **self.new()} for each in keys])

    # Objects

    @rule(key=KEYS, flush=st.booleans())
    def assign(self, key: int, flush: bool) -> None:
        document = self.session.get(Document, key)
        if document is None:
            self.session.add(Document(id=key, **self.new()))
        else:
            new = self.new()
            document.content, document.name = new['content'], new['name']
        if flush:
            self.session.flush()

    @rule(key=KEYS, source=KEYS, flush=st.booleans())
    def share(self, key: int, source: int, flush: bool) -> None:
        target, shared = self.session.get(Document, key), self.session.get(Document, source)
        if target is not None and shared is not None:
            target.content, target.name = shared.content, shared.name
            if flush:
                self.session.flush()

    @rule(source=KEYS)
    def share_with_the_album(self, source: int) -> None:
        shared = self.session.get(Document, source)
        if shared is not None and shared.content is not None:
            self.session.get_one(Album, 1).photos.append(shared.content)

    @rule()
    def take_from_the_album(self) -> None:
        photos = self.session.get_one(Album, 1).photos
        if photos:
            del photos[0]

    @rule(key=KEYS)
    def delete_an_object(self, key: int) -> None:
        document = self.session.get(Document, key)
        if document is not None:
            self.session.delete(document)
            self.session.flush()

    # Transactions

    @rule(of_connection=st.booleans())
    def begin_savepoint(self, of_connection: bool) -> None:
        self.session.flush()
        holder = self.session.connection() if of_connection else self.session
        self.savepoints.append(holder.begin_nested())

    @precondition(lambda self: self.savepoints)
    @rule(released=st.booleans())
    def end_savepoint(self, released: bool) -> None:
        self.session.flush()
        savepoint = self.savepoints.pop()
        savepoint.commit() if released else savepoint.rollback()
        self.session.expire_all()
        self.check_nothing_dangles()

    @precondition(lambda self: not self.savepoints)
    @rule(way=st.sampled_from(['commit', 'rollback', 'close']))
    def end_the_session_only(self, way: str) -> None:
        getattr(self.session, way)()
        if self.outer is None:
            self.check_at_rest()
        else:
            self.check_nothing_dangles()

    @rule(way=st.sampled_from(['commit', 'commit', 'rollback']), joined=st.booleans())
    def end(self, way: str, joined: bool) -> None:
        self.leave(way)
        self.begin(joined)

    def leave(self, way: str) -> None:
        if way == 'commit':
            self.session.flush()
        while self.savepoints:  # SQLAlchemy warns where a session ends those of its connection
            getattr(self.savepoints.pop(), way)()
        getattr(self.session, way)()
        self.session.close()
        if self.outer is not None and self.connection is not None:
            getattr(self.outer, way)()
            self.connection.close()
        self.check_at_rest()

    # What must hold

    def check_nothing_dangles(self) -> None:
        assert set(self.references(self.session)) <= set(self.storage.list())

    def references(self, session: Session) -> Counter[str]:
        """By how many places in rows each file is referred to, as the database has them now."""
        texts = f'SELECT content FROM {TABLE.name} UNION ALL SELECT photos FROM {Album.__tablename__}'
        values = session.connection().scalars(text(texts)).all()
        return Counter(each for value in values for each in set(ids_in(value)))

    def check_at_rest(self) -> None:
        with Session(self.engine) as session:
            references = self.references(session)
            assert sorted(self.storage.list()) == sorted(references)
            for document in session.scalars(select(Document)):
                assert (document.content and document.content.file.read().decode()) == document.name
            entries = BY_TRANSACTIONS.entries(session)
            assert {file.partition('/')[2]: entry for file, entry in entries.items()} == {
                file: ('live', count) for file, count in references.items()
            }


@pytest.mark.parametrize('kind', ['sqlite', 'postgresql'])
def test_statements_keep_the_laws(kind: str, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(kind, tables=False)
    BY_TRANSACTIONS.metadata.create_all(engine)
    try:
        run_state_machine_as_test(
            lambda: Statements(engine), settings=settings(max_examples=40, stateful_step_count=30)
        )
    finally:
        BY_TRANSACTIONS.metadata.drop_all(engine)
