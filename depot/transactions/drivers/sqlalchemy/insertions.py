"""What an INSERT, which may find the row there already, does to the files of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Text,
    UniqueConstraint,
    cast,
    select,
    type_coerce,
)
from sqlalchemy.exc import InvalidRequestError

from .changes import Change, given_values
from .columns import files_of
from .criteria import Identity, equal
from .images import fetched
from .targets import Target
from .values import Parameters, Row, changes_rows, is_expression, rows_of


class Insertion(Change):
    """INSERT."""

    is_removal = False

    def __init__(
        self, connection: Connection, statement: Any, sets: Sequence[Parameters], options: Any, target: Target
    ) -> None:
        super().__init__(connection, statement, sets, options, target)
        self._rows = [] if statement.select is not None else rows_of(statement, sets, target, self._needed())

    def _needed(self) -> Sequence[Column[Any]] | None:
        return [*self.target.table.primary_key, *self.columns]

    def values(self) -> Iterable[tuple[Column[Any], Any]]:
        return given_values(self._rows, self.columns)

    def ask(self) -> None:
        if self.statement.select is not None and not changes_rows(self.statement.select):
            self._rows = [*self._selected()]
        for row in self._rows:
            for each in self.columns:
                if is_expression(row.get(each)) and not changes_rows(row[each]):
                    query = select(type_coerce(row[each], each.type))
                    row[each] = next((value for (value,) in fetched(self.connection, query, {}, self.schemas)), None)

    def claim(self, result: CursorResult[Any]) -> None:
        self._keep_rows(range(len(self._rows)), result)

    def claim_part(self) -> None:
        self.keep_named(self._rows)

    def _selected(self) -> Iterator[Row]:
        """The rows of INSERT ... SELECT."""
        source = self.statement.select.subquery()
        columns = [self.target.column(each) for each in self.statement._select_names]
        given = {column: each for column, each in zip(columns, source.c, strict=True) if column is not None}
        query = select(*(type_coerce(each, column.type) for column, each in given.items()))
        for values in fetched(self.connection, query, self.sets[0], self.schemas):
            yield dict(zip(given, values, strict=True))

    def _keep_rows(self, places: Iterable[int], result: CursorResult[Any]) -> None:
        inserted = _inserted_keys(result)
        for place in places:
            row = self._rows[place]
            identity = self._identity(row) or (inserted[place] if place < len(inserted) else None)
            for each in self.columns:
                self.keep(each, identity, row[each] if each in row else self._default(each, place, result))

    def _identity(self, row: Row) -> Identity | None:
        key = tuple(row.get(each) for each in self.target.table.primary_key)
        return None if any(each is None or is_expression(each) for each in key) else key

    def _default(self, column: Column[Any], place: int, result: CursorResult[Any]) -> Any:
        """What the column's default made for a row that was given nothing."""
        sent: Any = result.context.compiled_parameters
        if column.default is None or self.statement.select is not None:
            return None
        if len(sent) > place:
            return sent[place].get(column.key, sent[place].get(f'{column.key}_m{place}'))
        return sent[0].get(f'{column.key}_m{place}')


def _inserted_keys(result: CursorResult[Any]) -> Sequence[Identity | None]:
    """The primary keys that the database gave to new rows, as far as it was asked for them."""
    try:
        keys = [tuple(each or ()) for each in result.inserted_primary_key_rows]
    except InvalidRequestError:
        return []
    return [None if None in each else each or None for each in keys]


class Upsert(Insertion):
    """INSERT that does something else where the row is there already.

    Which it was, and what it has now, is asked by the values of its unique keys.
    """

    #: How many rows it wrote, as far as the database tells.
    _count = -1

    def _needed(self) -> None:
        """All: any of them may be unique."""

    def ask(self) -> None:
        super().ask()
        criteria = [[*self._same_keys(each)] for each in self._rows]
        self._criteria = [criterion for each in criteria for criterion in each]
        self._new = [place for place, each in enumerate(criteria) if not each]
        self._before = self.question.by_any(self._criteria)

    def claim(self, result: CursorResult[Any]) -> None:
        self._count = self.count(result)
        self._claim_found()
        self._keep_rows(self._new, result)

    def claim_part(self) -> None:
        self._claim_found()
        self.keep_named(self._rows[each] for each in self._new)

    def _claim_found(self) -> None:
        self.release(self._before)
        self.keep_image(self.question.by_any(self._criteria))

    def finish(self) -> None:
        """It did nothing, or found another row by a key that the table does not tell of: an index of an expression."""
        missed = {file for value in self._sent for file in files_of(value)} - self._kept if self._count else set()
        # By the id alone, wherever it is in the text: a list has several, and JSON may write the rest otherwise.
        self.keep_image(self.question.by_any(_names(each, file) for file in missed for each in self.columns))
        if self.statement._independent_ctes:
            super().finish()

    def _same_keys(self, row: Row) -> Iterator[ColumnElement[bool]]:
        """By each unique key that the row has a value for: the row that has the same."""
        for columns in self._unique_keys():
            values = [row.get(each) for each in columns]
            if columns and not any(each is None or is_expression(each) for each in values):
                yield equal(columns, values)

    def _unique_keys(self) -> Iterator[list[Any]]:
        table = self.target.table
        yield [*table.primary_key]
        yield from ([*each.columns] for each in table.constraints if isinstance(each, UniqueConstraint))
        yield from ([*each.columns] for each in table.indexes if each.unique)


def _names(column: Column[Any], file: str) -> ColumnElement[bool]:
    """Whether a row names the file in this column."""
    return cast(column, Text).contains(file.partition('/')[2], autoescape=True)
