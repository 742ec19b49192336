"""What an UPDATE or DELETE does to the files of rows: asked before, and claimed after it succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, CursorResult, literal

from ....errors import FileMissing
from ... import files
from ...scope import Scope
from . import waiting
from .columns import files_of, uploads_of
from .criteria import Identity, identity_in, is_certain
from .database import scope_of
from .images import Image, Question
from .targets import Target, schema_options
from .values import Parameters, Row, changes_rows, is_expression, rows_of


class Owner(NamedTuple):
    """One file column of one row."""

    column: Column[Any]
    #: The primary key; an object of its own where that is not known.
    row: Any


class Change:
    """A statement that changes the file columns of a table."""

    #: Whether it removes rows, or their keys.
    is_removal = True
    #: Whether it was executed.
    is_done = False

    def __init__(
        self, connection: Connection, statement: Any, sets: Sequence[Parameters], options: Any, target: Target
    ) -> None:
        self.connection = connection
        self.statement = statement
        self.sets = sets
        #: Those of the execution.
        self.options = options
        self.target = target
        # What it sent, and the files of which rows were found to refer to.
        self._sent: list[Any] = []
        self._kept: set[str] = set()
        #: The file columns that it changes.
        self.columns: Sequence[Column[Any]] = target.file_columns

    def values(self) -> Iterable[tuple[Column[Any], Any]]:
        """Python's values that it gives to file columns."""
        return ()

    def ask(self) -> None:
        """Asks what has to be known before it is executed."""

    def claim(self, result: CursorResult[Any]) -> None:
        """It was executed: tells the scope what rows let go, and what they refer to."""
        raise NotImplementedError

    def claim_part(self) -> None:
        """It failed with one of many sets of parameters: does the same for those that came before."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises :class:`~depot.errors.FileMissing` if it would make a row refer to a file that was removed."""
        for column, value in self.values():
            self.take(value, column)
            for file in files_of(value):
                if files.may_be_removed(file) and waiting.run(files.is_removed, file):
                    raise _missing(column, file, 'an earlier commit removed')

    def count(self, result: CursorResult[Any]) -> int:
        """How many rows it wrote; -1 where that is not known: SQLite counts those that are fetched."""
        is_known = self.connection.dialect.name != 'sqlite' or not self.statement._returning
        return result.rowcount if is_known else -1

    def send(self, value: Any) -> None:
        """It is about to send the names of these files."""
        self._sent.append(value)
        self.take(value, 'a column')

    def take(self, value: Any, column: Column[Any] | str) -> None:
        """It is about to write the names of these files into a row."""
        for upload in uploads_of(value):
            if upload.lost:
                raise _missing(column, upload.files[0], 'was removed when its transaction ended without it')
            self.scope.take(upload)

    def finish(self) -> None:
        """All that can be told of rows was claimed. What it sent to others, as in a WITH, they may have."""
        missed = [each for each in self._sent if not self._kept.issuperset(files_of(each))]
        own = self._given() if missed else set()
        for value in missed:
            if not own.issuperset(files_of(value)):
                for upload in uploads_of(value):
                    upload.write()

    @cached_property
    def scope(self) -> Scope:
        """That of the transaction or savepoint in which it is executed."""
        return scope_of(self.connection)

    def _given(self) -> set[str]:
        """The files in the values that it gives."""
        return {file for _column, value in self.values() for file in files_of(value)}

    @cached_property
    def _is_certain(self) -> bool:
        """Whether the statement finds the rows that the question found."""
        return is_certain(self.statement._where_criteria, self.target)

    def found(self, question: Question) -> Image:
        """The rows that its WHERE finds; none if to ask would itself change rows, as in a WITH."""
        if not self._is_certain and changes_rows(self.statement):
            return {}
        return question.by_criteria(self.statement._where_criteria, self.sets)

    @property
    def question(self) -> Question:
        """Asks for the columns that it changes."""
        options = getattr(self.statement, '_with_options', ())
        return Question(
            self.connection, self.target, self.columns, options, self.schemas, self.is_removal, self.is_done
        )

    @cached_property
    def schemas(self) -> Mapping[str, Any]:
        """The execution options that say in which schema the table is."""
        return schema_options(self.statement.get_execution_options(), self.options)

    def release(self, image: Image) -> None:
        """These rows no longer have these values."""
        for identity, values in image.items():
            for column, value in zip(self.columns, values, strict=True):
                self.scope.release(files_of(value), self._owner(column, identity))

    def keep_image(self, image: Image) -> None:
        """These rows have these values."""
        for identity, values in image.items():
            for column, value in zip(self.columns, values, strict=True):
                self.keep(column, identity, value)

    def keep(self, column: Column[Any], identity: Identity | None, value: Any) -> None:
        """This row has this value."""
        named = files_of(value)
        self._kept.update(named)
        self.scope.keep(named, self._owner(column, identity))

    def keep_named(self, rows: Iterable[Row]) -> None:
        """Any row may have what these are given: nothing else tells which."""
        given = [(column, value) for column, value in given_values(rows, self.columns) if files_of(value)]
        self.keep_image(self.question.by_any(column == value for column, value in given))

    def _owner(self, column: Column[Any], identity: Identity | None) -> Owner:
        is_known = identity is not None and self.target.table.primary_key.columns
        return Owner(column, identity if is_known else object())


def _missing(column: Column[Any] | str, file: str, why: str) -> FileMissing:
    return FileMissing(f'{column} refers to {file}, which {why}; assign the content anew')


def given_values(rows: Iterable[Row], columns: Sequence[Column[Any]]) -> Iterable[tuple[Column[Any], Any]]:
    """What rows are given in these columns, but for SQL expressions."""
    for row in rows:
        yield from ((each, row[each]) for each in columns if each in row and not is_expression(row[each]))


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
