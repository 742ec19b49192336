"""What a statement gives to the columns of a table, and how contents in it become files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from sqlalchemy import BindParameter, ClauseElement, Column
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.util import immutabledict

from . import waiting
from .columns import infos_of
from .targets import Target, clause

#: One set of parameters.
Parameters = Mapping[str, Any]
#: What a statement gives to columns: Python's values, or SQL expressions.
Row = dict[Column[Any], Any]
#: What to make of a value that is given to a file column.
Change = Callable[[Column[Any], Any], Any]

_Pairs = Iterable[tuple[Any, Any]]


def rows_of(
    statement: Any, sets: Sequence[Parameters], target: Target, columns: Sequence[Column[Any]] | None = None
) -> list[Row]:
    """What an INSERT gives to each row, or an UPDATE to those that each set of parameters finds.

    With ``columns``, what it gives to others may be left out.
    """
    if columns is not None and target.mapper is None and _is_plain(statement):
        return [{column: each[column.key] for column in columns if column.key in each} for each in sets]
    several = _several(statement)
    if several:
        return [_row(_named(each, target), {}, target) for rows in several for each in rows]
    given = _given(statement)
    return [_row(given, each, target) for each in sets]


def with_files(
    statement: Any, sets: Sequence[Parameters], target: Target, hold: Callable[[Any], None]
) -> tuple[Any, Sequence[Parameters]]:
    """The statement and its parameters with a stored file for each content; themselves if there is none.

    What was stored is given to ``hold``. If one content cannot be stored, none is.
    """
    if _is_plain(statement) and not any(_has_contents(each, target) for each in sets):
        return statement, sets  # the statements of a flush, which are many
    contents: list[Callable[[], Any]] = []

    def collect(column: Any, value: Any) -> Any:
        contents.append(partial(_stored, column, value))
        return value

    _changed(statement, sets, target, collect)
    if not contents:
        return statement, sets
    stored = [each for _content, each in waiting.run_all(contents, _discard)]
    for each in stored:
        hold(each)
    rest = iter(stored)
    return _changed(statement, sets, target, lambda _column, _value: next(rest))


def _is_plain(statement: Any) -> bool:
    """Whether all values of the statement are in its parameters, by the names of the columns."""
    return not (_given(statement) or _several(statement) or _upsert(statement) is not None)


def _has_contents(parameters: Parameters, target: Target) -> bool:
    return any(column.type.has_content(parameters.get(key)) for key, column in target.files.items())


def _stored(column: Any, content: Any) -> tuple[Any, Any]:
    """A content as it was given, and as it was stored."""
    return content, column.type.coerce_assigned(content)


def _discard(stored: Iterable[tuple[Any, Any]]) -> None:
    for content, value in stored:
        for info in infos_of(value):
            if not any(info is each for each in infos_of(content)):  # else it was stored before
                info.discard()


def _given(statement: Any) -> list[tuple[Any, Any]]:
    """The pairs of ``values()``, and those of ``ordered_values()``, which SQLAlchemy 2.0 keeps apart."""
    ordered = getattr(statement, '_ordered_values', None)
    return [*(ordered or (statement._values or {}).items())]


def _several(statement: Any) -> Sequence[Sequence[Any]]:
    """The rows of ``values([...])``, in a list for each time that it was called."""
    found: Sequence[Sequence[Any]] = getattr(statement, '_multi_values', ())
    return found


def _named(row: Any, target: Target) -> _Pairs:
    """The pairs of one of several rows, which may be given in the order of the columns."""
    return row.items() if isinstance(row, Mapping) else zip(target.table.c.keys(), row, strict=False)


def _row(given: _Pairs, parameters: Parameters, target: Target) -> Row:
    row: Row = {}
    for key, value in (*given, *parameters.items()):
        column = target.column(key)
        if column is not None:
            row[column] = _value(value, parameters)
    return row


def _value(value: Any, parameters: Parameters) -> Any:
    return parameters.get(value.key, value.effective_value) if isinstance(value, BindParameter) else clause(value)


def _changed(
    statement: Any, sets: Sequence[Parameters], target: Target, change: Change
) -> tuple[Any, Sequence[Parameters]]:
    """Both with each value for a file column changed that has content."""
    binds = {each.key: target.file_column(key) for key, each in _given(statement) if isinstance(each, BindParameter)}

    def pairs(given: _Pairs) -> list[tuple[Any, Any]]:
        return [(key, _changed_value(target.file_column(key), value, change)) for key, value in given]

    changed = statement._generate()
    if getattr(statement, '_ordered_values', None):
        changed._ordered_values = pairs(statement._ordered_values)
    if statement._values:
        changed._values = immutabledict(pairs(statement._values.items()))
    if _several(statement):
        changed._multi_values = tuple(
            [dict(pairs(_named(row, target))) for row in rows] for rows in _several(statement)
        )
    if _upsert(statement) is not None:
        changed._post_values_clause = _changed_upsert(_upsert(statement), pairs)
    return changed, [
        {key: _changed_value(binds.get(key, target.file_column(key)), value, change) for key, value in each.items()}
        for each in sets
    ]


def _upsert(statement: Any) -> Any:
    """What an INSERT says of rows that are there already; None if nothing."""
    return getattr(statement, '_post_values_clause', None)


def _changed_upsert(clause: Any, pairs: Callable[[_Pairs], list[tuple[Any, Any]]]) -> Any:
    """What an upsert sets in the row that is there already, in the forms that the dialects keep it in."""
    changed = copy.copy(clause)
    for attribute in ('update_values_to_set', 'update'):
        given = getattr(clause, attribute, None)
        if isinstance(given, Mapping):
            setattr(changed, attribute, dict(pairs(given.items())))
        elif isinstance(given, list):
            setattr(changed, attribute, pairs(given))
    return changed


def _changed_value(column: Any, value: Any, change: Change) -> Any:
    if column is None:
        return value
    if isinstance(value, BindParameter):
        if not column.type.has_content(value.value):
            return value
        bound: Any = cast(Any, value)._with_value(change(column, value.value), maintain_key=True)
        bound.type = column.type
        return bound
    return value if is_expression(value) or not column.type.has_content(value) else change(column, value)


def is_expression(value: Any) -> bool:
    """Whether the database computes the value."""
    return isinstance(value, ClauseElement) or hasattr(type(value), '__clause_element__')


def changes_rows(query: Any) -> bool:
    """Whether there is an INSERT or the like inside a query, or inside another such statement, by a WITH."""
    return any(isinstance(each, UpdateBase) and each is not query for each in visitors.iterate(query))
