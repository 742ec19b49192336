"""What a statement does to the files of rows: what is common to INSERT, UPDATE and DELETE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, CursorResult

from ....errors import FileMissing
from ... import files
from ...scope import Scope
from . import waiting
from .columns import files_of, uploads_of
from .criteria import Identity, is_certain
from .images import Image, Question
from .targets import Target, schema_options
from .values import Parameters, Row, changes_rows, is_expression


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
    #: That of the transaction or savepoint in which it is executed.
    scope: Scope

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
