"""What rows have in their file columns: asked in the transaction that changes them, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, and_, or_, select
from sqlalchemy.util import immutabledict

from ...entries import batches
from .criteria import Identity, equal, identity_in, with_parameters
from .targets import Target, schema_of
from .values import Parameters

log = logging.getLogger('depot.transactions')

#: So many rows are asked for by name at a time, and so many sets of parameters are put into one question.
MANY, SEVERAL = 500, 50

#: By row, what it has in the columns asked for; without a primary key, a row has its place in the answer for one.
Image = dict[Identity, tuple[Any, ...]]


_is_asking: ContextVar[bool] = ContextVar('depot_question', default=False)


def is_asking() -> bool:
    """Whether a question is being sent: what it names, it does not write."""
    return _is_asking.get()


class Question(NamedTuple):
    """Asks rows of a table what they have in some of its columns."""

    connection: Connection
    target: Target
    columns: Sequence[Column[Any]]
    #: Of an ORM statement: they may restrict which rows it finds.
    options: Sequence[Any] = ()
    #: Those that the statement is executed with: they may say in which schema.
    execution_options: Mapping[str, Any] = immutabledict()
    #: Whether the statement removes rows, or their keys, which others may refer to.
    is_removal: bool = True
    #: Whether it was executed: then what it wrote is locked.
    is_done: bool = False

    def by_criteria(self, criteria: Sequence[ColumnElement[bool]], sets: Sequence[Parameters]) -> Image:
        """The rows that a statement with these criteria will find with these parameters."""
        if len(sets) == 1:
            return self._asked(criteria, sets[0])
        found: Image = {}
        identities = [identity_in(criteria, each, self.target) for each in sets]
        if None not in identities:
            return self.by_identity([each for each in identities if each is not None])
        for some in batches(sets, SEVERAL):
            found.update(self._asked([or_(*(with_parameters(and_(*criteria), each) for each in some))], {}))
        return found

    def by_identity(self, identities: Collection[Identity]) -> Image:
        """The rows with these primary keys."""
        found: Image = {}
        keys = [*self.target.table.primary_key]
        for some in batches(identities, MANY if len(keys) == 1 else SEVERAL):
            if len(keys) == 1:
                criterion = keys[0].in_([each[0] for each in some])
            else:
                criterion = or_(*(equal(keys, each) for each in some))
            found.update(self._asked([criterion], {}))
        return found

    def by_any(self, criteria: Iterable[ColumnElement[bool]]) -> Image:
        """The rows that fulfil at least one of these."""
        found: Image = {}
        for some in batches(criteria, SEVERAL):
            found.update(self._asked([or_(*some)], {}))
        return found

    def _asked(self, criteria: Sequence[ColumnElement[bool]], parameters: Parameters) -> Image:
        keys = [*self.target.table.primary_key]
        if not self.is_done and self.connection.dialect.name == 'sqlite':
            _lock(self.connection, self.target.table, self.execution_options)
        try:
            rows = self._rows(self._query([*keys, *self.columns], criteria), parameters)
        except ValueError:  # not written by us; that must not keep a row from being mended or deleted
            return self._asked_one_by_one(criteria, parameters)
        return {tuple(row[: len(keys)]) or (place,): tuple(row[len(keys) :]) for place, row in enumerate(rows)}

    def _asked_one_by_one(self, criteria: Sequence[ColumnElement[bool]], parameters: Parameters) -> Image:
        keys = [*self.target.table.primary_key]
        if not keys:
            return {}  # no row can be asked for by itself
        rows = map(tuple, self._rows(self._query(keys, criteria), parameters))
        return {row: tuple(self._readable(row, column) for column in self.columns) for row in rows}

    def _readable(self, identity: Identity, column: Column[Any]) -> Any:
        criterion = equal(self.target.table.primary_key, identity)
        try:
            rows = self._rows(self._query([column], [criterion]), {})
        except ValueError:
            log.warning(
                '%s of row %s has no file information in the database that can be read', column, identity, exc_info=True
            )
            return None
        return rows[0][0] if rows else None

    def _query(self, columns: Sequence[Any], criteria: Sequence[ColumnElement[bool]]) -> Any:
        source: Any = self.target.mapper or self.target.table
        found = select(*columns).select_from(source).where(*criteria).options(*self.options)
        if self.is_done:
            return found
        # Until the statement has written the new ones. As strongly as itself will lock, and no other tables' rows.
        return found.with_for_update(of=self.target.table, key_share=not self.is_removal)

    def _rows(self, query: Any, parameters: Parameters) -> Sequence[Any]:
        token = _is_asking.set(True)
        try:
            return fetched(self.connection, query, parameters, self.execution_options)
        finally:
            _is_asking.reset(token)


def fetched(connection: Connection, query: Any, parameters: Parameters, options: Mapping[str, Any]) -> Sequence[Any]:
    """All rows. A value in them that cannot be read leaves no cursor open, which with SQLite locks a table."""
    with connection.execute(query, parameters, execution_options=options) as result:
        return result.all()


def _lock(connection: Connection, table: Any, options: Mapping[str, Any]) -> None:
    """SQLite locks no rows, but all: by a change, even of nothing.

    A question alone would make the transaction a reader, which may not become a
    writer later; and Python's driver begins no transaction for it at all.
    """
    if not connection.in_transaction():
        connection.begin()
    names = [schema_of(table, connection.get_execution_options(), options), table.name]
    path = '.'.join(connection.dialect.identifier_preparer.quote(each) for each in names if each)
    # Past the application's listeners, whose change it is not. A view may refuse it; then there is nothing to lock.
    with suppress(connection.dialect.loaded_dbapi.Error), closing(connection.connection.cursor()) as cursor:
        cursor.execute(f'DELETE FROM {path} WHERE 0')
