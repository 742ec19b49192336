"""The ledger's table, and the statements that write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Index,
    Insert,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

_T = TypeVar('_T')

# What an upsert changes, from the columns of the table and those of the row that was to be added.
_Values = Callable[[Any, Any], 'dict[str, Any]']

#: The states of an entry: rows of the application may refer to the file; it is to be removed; no file, but the
#: instant up to which a storage has been swept.
LIVE, MARKED, SWEPT = 'live', 'marked', 'swept'

#: Characters of a path. MariaDB's indexes take 3,072 bytes, four a character.
PATH_LENGTH = 255

#: Files in one statement; SQLite took 999 variables before version 3.32.
BATCH = 500

# Two storages may be told apart by case alone, which MariaDB ignores if it is let.
_MYSQL_PATH = mysql.VARCHAR(PATH_LENGTH, charset='utf8mb4', collation='utf8mb4_bin')

# From so many on, arrays are faster than rows.
_MANY = 5

# What every database takes as text.
_is_path = re.compile(r'[^/\0\ud800-\udfff]+/[^\0\ud800-\udfff]+').fullmatch


def ledger_table(name: str, metadata: MetaData) -> Table:
    """The table of a ledger."""
    table = Table(
        name,
        metadata,
        Column('file', String(PATH_LENGTH).with_variant(_MYSQL_PATH, 'mysql', 'mariadb'), primary_key=True),
        Column('refs', Integer),
        Column('state', String(10), nullable=False),
        Column('since', DateTime, nullable=False),  # whole seconds: MariaDB keeps no more
        Column('attempts', Integer, nullable=False),
    )
    is_waiting = table.c.state != LIVE  # few, so that the index costs a new file nothing
    Index(f'ix_{name}_since', table.c.state, table.c.since, postgresql_where=is_waiting, sqlite_where=is_waiting)
    return table


def is_path(file: str) -> bool:
    """Whether it is one; the column of a row may hold anything."""
    return _is_path(file) is not None


def can_be_entered(file: str) -> bool:
    """Whether it is a path that the table takes."""
    return len(file) <= PATH_LENGTH and is_path(file)


def batches(items: Iterable[_T], size: int = BATCH) -> Iterator[list[_T]]:
    """Files, or what else there is one of each in a statement, in lists that one statement takes."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


class Statements:
    """The statements, made once, so that SQLAlchemy compiles each once for every database."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inserts: dict[tuple[str, str], Insert] = {}
        these = table.c.file.in_(bindparam('files', expanding=True))
        #: The entries of ``files``, locked until the transaction ends.
        self.lock = select(table).where(these).order_by(table.c.file).with_for_update()
        #: Those of ``files`` that have an entry.
        self.find = select(table.c.file).where(these)
        #: Those of ``files`` that are marked; locked, because MariaDB reads what is true now only then.
        self.marked = select(table.c.file).where(these, table.c.state == MARKED).with_for_update()
        #: Removes the marks of ``files``.
        self.forget = delete(table).where(these, table.c.state == MARKED)
        #: Makes those of ``files`` live again that are marked, without a count.
        self.revive = update(table).where(these, table.c.state == MARKED)
        self.revive = self.revive.values(refs=None, state=LIVE, since=bindparam('now'), attempts=0)
        #: Gives ``files`` new values.
        self.decide = (
            update(table)
            .where(these)
            .values(
                refs=bindparam('new_refs'),
                state=bindparam('new_state'),
                since=bindparam('now'),
                attempts=bindparam('new_attempts'),
            )
        )
        uncounted = update(table).where(these, table.c.refs.is_(None), table.c.state == LIVE)
        #: Gives those of ``files`` that are not counted a count.
        self.count = uncounted.values(refs=bindparam('new_refs'))
        #: Marks those of ``files`` that are not counted.
        self.mark_uncounted = uncounted.values(refs=0, state=MARKED, since=bindparam('now'))

    def enter(self, connection: Connection, entries: list[dict[str, Any]]) -> int:
        """Adds files that have state and date in common; returns how many rows that changed.

        Adds to the count of a file that another transaction has added meanwhile,
        unless it is marked. The number is that of the files, unless one was there
        that is marked (and on MariaDB, unless one was there).
        """
        dialect = connection.dialect.name
        if dialect == 'postgresql' and len(entries) >= _MANY:
            statement = self._cached('enter arrays', dialect, _added, LIVE, _ARRAYS)
            arrays = {f'new_{name}': [each[name] for each in entries] for name in ('file', 'refs')}
            common = {f'new_{name}': entries[0][name] for name in ('state', 'since', 'attempts')}
            return connection.execute(statement, {**arrays, **common}).rowcount
        return connection.execute(self._cached('enter', dialect, _added, LIVE), entries).rowcount

    def fail(self, dialect: str) -> Insert:
        """Adds marks; counts the attempt where there is one."""
        return self._cached('fail', dialect, _failed, MARKED)

    def adopt(self, dialect: str) -> Insert:
        """Adds files; leaves those that are there as they are."""
        return self._cached('adopt', dialect, _unchanged, LIVE)

    def _cached(
        self, name: str, dialect: str, values: _Values, state: str, source: Select[Any] | None = None
    ) -> Insert:
        statement = self._inserts.get((name, dialect))
        if statement is None:
            statement = self._inserts[name, dialect] = _upsert(self._table, dialect, values, state, source)
        return statement


def _added(old: Any, new: Any) -> dict[str, Any]:
    return {'refs': old.refs + new.refs}


def _failed(old: Any, new: Any) -> dict[str, Any]:
    one: ColumnElement[int] = literal_column('1')  # PyMySQL takes no parameter in this place
    return {'attempts': old.attempts + one, 'since': new.since}


def _unchanged(old: Any, _new: Any) -> dict[str, Any]:
    return {'refs': old.refs}


def _upsert(table: Table, dialect: str, values: _Values, state: str, source: Select[Any] | None) -> Insert:
    """An INSERT that, where there is an entry in this state (on MariaDB, in any), changes its values instead."""
    statement: Any = _INSERTS.get(dialect, insert)(table)
    if source is not None:
        statement = statement.from_select([*table.c.keys()], source)
    if dialect in ('postgresql', 'sqlite'):
        changed = values(table.c, statement.excluded)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.file], set_=changed, where=table.c.state == state
        )
    elif dialect in ('mysql', 'mariadb'):
        statement = statement.on_duplicate_key_update(values(table.c, statement.inserted))
    prepared: Insert = statement.execution_options(preserve_rowcount=True)
    return prepared


_INSERTS: dict[str, Callable[[Table], Insert]] = {
    'postgresql': postgresql.insert,
    'sqlite': sqlite.insert,
    'mysql': mysql.insert,
    'mariadb': mysql.insert,
}

# PostgreSQL takes many rows as arrays in less than half the time that it takes for them one after the other.
_ARRAYS = select(
    func.unnest(bindparam('new_file', type_=ARRAY(String))),
    func.unnest(bindparam('new_refs', type_=ARRAY(Integer))),
    bindparam('new_state', type_=String()),
    bindparam('new_since', type_=DateTime()),
    bindparam('new_attempts', type_=Integer()),
)
