"""What an UPDATE or DELETE does to the files of rows: asked before, and claimed after it succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, literal

from .changes import Change, given_values
from .columns import files_of
from .criteria import Identity, identity_in
from .targets import Target
from .values import Parameters, Row, is_expression, rows_of


class Deletion(Change):
    """DELETE."""

    def ask(self) -> None:
        self._before = self.found(self.question)

    def claim(self, result: CursorResult[Any]) -> None:
        if self.count(result) == len(self._before) and self._is_certain:
            self.release(self._before)
        else:
            self.claim_part()

    def claim_part(self) -> None:
        if not self.target.table.primary_key.columns:
            return  # nothing tells which rows are left: better an orphan than a row without its file
        left = self.question.by_identity(self._before)
        self.release({identity: values for identity, values in self._before.items() if identity not in left})


class Replacement(Change):
    """UPDATE."""

    def __init__(
        self, connection: Connection, statement: Any, sets: Sequence[Parameters], options: Any, target: Target
    ) -> None:
        super().__init__(connection, statement, sets, options, target)
        given = rows_of(statement, sets[:1], target)[0].keys()
        self._moves = self.is_removal = any(each in given for each in target.table.primary_key)
        self.columns = [
            each for each in target.file_columns if self._moves or each in given or each.onupdate is not None
        ]

    @cached_property
    def _rows(self) -> list[Row]:
        """What the rows are given that each set of parameters finds."""
        return rows_of(self.statement, self.sets, self.target)

    def values(self) -> Iterable[tuple[Column[Any], Any]]:
        return given_values(self._rows, self.columns)

    def ask(self) -> None:
        question = self.question
        if self._moves:
            question = question._replace(columns=[*self.columns, *self._new_keys()])
        found = self.found(question)
        width = len(self.columns)
        self._before = {identity: values[:width] for identity, values in found.items()}
        self._moved = {identity: values[width:] for identity, values in found.items()}

    def _new_keys(self) -> list[Any]:
        """The primary key that rows will have, as SQL."""
        row = self._rows[0] if len(self._rows) == 1 else {}
        return [each if each not in row else _sql(row[each], each) for each in self.target.table.primary_key]

    def claim(self, result: CursorResult[Any]) -> None:
        if self.count(result) == len(self._before) and self._is_foreseen():
            self.release(self._before)
            for identity in self._before:
                self._keep_row(identity, self._row_of(identity))
        else:
            self._claim_asked(self.count(result))

    def claim_part(self) -> None:
        self._claim_asked(-1)

    def _claim_asked(self, count: int) -> None:
        """The rows are asked what they have now; ``count`` is how many were changed."""
        if not self.target.table.primary_key.columns:
            # Nothing tells which of them is which: better an orphan than a row without its file.
            self.keep_named(self._rows)
            return
        moved = [self._new_key(identity) for identity in self._before] if self._moves else []
        found = self.question.by_identity({*self._before, *moved})
        self.release(self._before)
        self.keep_image(found)
        given = self._given()
        changed = [values for values in found.values() if any(not given.isdisjoint(files_of(each)) for each in values)]
        if count != len(changed) and not (count < 0 and self._is_certain):  # others were changed, too
            self.keep_named(self._rows)

    def _is_foreseen(self) -> bool:
        """Whether the statement says which rows it changes, and what each has now."""
        if self._moves:
            return False
        is_said = all(each in row and not is_expression(row[each]) for row in self._rows for each in self.columns)
        if len(self._rows) > 1 and not self._before.keys() <= self._by_identity.keys():
            return False
        return is_said and self._is_certain

    @cached_property
    def _by_identity(self) -> dict[Identity | None, Row]:
        criteria = self.statement._where_criteria
        return {identity_in(criteria, each, self.target): row for each, row in zip(self.sets, self._rows, strict=True)}

    def _row_of(self, identity: Identity) -> Row:
        return self._rows[0] if len(self._rows) == 1 else self._by_identity.get(identity, {})

    def _keep_row(self, identity: Identity | None, row: Row) -> None:
        for column, value in given_values([row], self.columns):
            self.keep(column, identity, value)

    def _new_key(self, identity: Identity) -> Identity:
        """The primary key that the row has now, which says whose its files are."""
        if len(self._rows) == 1:
            return self._moved[identity]
        row = self._row_of(identity)
        return tuple(row.get(each, part) for each, part in zip(self.target.table.primary_key, identity, strict=True))


def _sql(value: Any, column: Column[Any]) -> Any:
    return value if is_expression(value) else literal(value, column.type)
