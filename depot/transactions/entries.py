"""The ledger's table, and the statements that write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Index,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

_T = TypeVar('_T')

#: The states of an entry: rows of the application may refer to the file; it is to be removed; no file, but the
#: instant up to which a storage has been swept.
LIVE, MARKED, SWEPT = 'live', 'marked', 'swept'

#: Characters of a path. MariaDB's indexes take 3,072 bytes, four a character.
PATH_LENGTH = 255

#: Files in one statement; SQLite took 999 variables before version 3.32.
BATCH = 500

# Two storages may be told apart by case alone, which MariaDB ignores if it is let.
_MYSQL_PATH = mysql.VARCHAR(PATH_LENGTH, charset='utf8mb4', collation='utf8mb4_bin')

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


def can_be_entered(file: str) -> bool:
    """Whether it is a path; the column of a row may hold anything."""
    return len(file) <= PATH_LENGTH and _is_path(file) is not None


def batches(files: Iterable[_T]) -> Iterator[list[_T]]:
    """The files, or their entries, in lists that one statement takes."""
    rest = iter(files)
    while batch := list(islice(rest, BATCH)):
        yield batch


class Statements:
    """The statements, made once, so that SQLAlchemy compiles each once for every database."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inserts: dict[tuple[str, str], Insert] = {}
        these = table.c.file.in_(bindparam('files', expanding=True))
        #: The entries of ``files``, locked until the transaction ends.
        self.lock = select(table.c.file, table.c.refs, table.c.state).where(these).order_by(table.c.file)
        self.lock = self.lock.with_for_update()
        #: Those of ``files`` that are marked.
        self.marked = select(table.c.file).where(these, table.c.state == MARKED)
        #: Removes the marks of ``files``.
        self.forget = delete(table).where(these, table.c.state == MARKED)
        #: Gives ``files`` new values.
        self.decide = (
            update(table)
            .where(these)
            .values(refs=bindparam('new_refs'), state=bindparam('new_state'), since=bindparam('now'))
        )
        #: Gives ``files`` that are not counted a count.
        self.count = update(table).where(these, table.c.refs.is_(None), table.c.state == LIVE)
        self.count = self.count.values(refs=bindparam('new_refs'))

    def enter(self, dialect: str) -> Insert:
        """Adds files; adds to the count of one that another transaction has added meanwhile.

        The number of rows that it changed is the number of files, unless some were
        there that are marked (and on MariaDB, unless some were there).
        """
        return self._cached('enter', dialect, lambda new: {'refs': self._table.c.refs + new.refs}, LIVE)

    def fail(self, dialect: str) -> Insert:
        """Adds marks; counts the attempt where there is one."""
        one: ColumnElement[int] = literal_column('1')  # PyMySQL takes no parameter in this place
        values = {'attempts': self._table.c.attempts + one}
        return self._cached('fail', dialect, lambda new: {**values, 'since': new.since}, MARKED)

    def adopt(self, dialect: str) -> Insert:
        """Adds files; leaves those that are there as they are."""
        return self._cached('adopt', dialect, lambda _new: {'refs': self._table.c.refs}, LIVE)

    def _cached(self, name: str, dialect: str, values: Callable[[Any], dict[str, Any]], state: str) -> Insert:
        statement = self._inserts.get((name, dialect))
        if statement is None:
            statement = self._inserts[name, dialect] = _upsert(self._table, dialect, values, state)
        return statement


def _upsert(table: Table, dialect: str, values: Callable[[Any], dict[str, Any]], state: str) -> Insert:
    """An INSERT that, where there is an entry in this state (on MariaDB, in any), changes its values instead."""
    statement: Any = insert(table)
    if dialect in _ON_CONFLICT:
        statement = _ON_CONFLICT[dialect](table)
        new = values(statement.excluded)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.file], set_=new, where=table.c.state == state
        )
    elif dialect in ('mysql', 'mariadb'):
        statement = mysql.insert(table)
        statement = statement.on_duplicate_key_update(values(statement.inserted))
    prepared: Insert = statement.execution_options(preserve_rowcount=True)
    return prepared


_ON_CONFLICT: dict[str, Callable[[Table], Any]] = {'postgresql': postgresql.insert, 'sqlite': sqlite.insert}
