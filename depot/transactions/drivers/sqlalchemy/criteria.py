"""What the WHERE of a statement says of the rows that it will find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    Column,
    ColumnElement,
    False_,
    Null,
    True_,
    TypeCoerce,
    UnaryExpression,
    and_,
    literal,
)
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, Cast, ClauseList, Grouping

from .targets import Target
from .values import Parameters

#: The values of a row's primary key.
Identity = tuple[Any, ...]


def identity_in(criteria: Sequence[ColumnElement[bool]], parameters: Parameters, target: Target) -> Identity | None:
    """The primary key of the one row that the criteria can find; None if they do not say."""
    given: dict[Any, Any] = {}
    for each in _conjuncts(criteria):
        if (
            isinstance(each, BinaryExpression)
            and each.operator is operators.eq
            and isinstance(each.right, BindParameter)
        ):
            given[each.left] = parameters.get(each.right.key, each.right.effective_value)
    keys = [*target.table.primary_key]
    return tuple(given[each] for each in keys) if keys and all(each in given for each in keys) else None


# What finds the same rows each time; of anything else that is not known.
_CERTAIN = (
    BinaryExpression,
    BooleanClauseList,
    Cast,
    ClauseList,
    False_,
    Grouping,
    Null,
    True_,
    TypeCoerce,
    UnaryExpression,
)


def is_certain(criteria: Iterable[ColumnElement[bool]], target: Target) -> bool:
    """Whether the criteria find the same rows each time: no function, query or text in them, and no other table."""
    return all(_is_certain(each, target.table) for criterion in criteria for each in visitors.iterate(criterion))


def _is_certain(element: Any, table: Any) -> bool:
    if isinstance(element, Column):
        return hash(element.table) == hash(table)
    if isinstance(element, BindParameter):
        return element.callable is None
    return isinstance(element, _CERTAIN) and not isinstance(getattr(element, 'operator', None), operators.custom_op)


def equal(columns: Iterable[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That the columns, of which there is one at least, have these values."""
    return and_(*(column == value for column, value in zip(columns, values, strict=True)))


def with_parameters(criterion: ColumnElement[bool], parameters: Parameters) -> ColumnElement[bool]:
    """The criterion with these values in place of its parameters."""

    def replaced(element: Any, **_kw: Any) -> Any:
        is_parameter = isinstance(element, BindParameter) and element.key in parameters
        return literal(parameters[element.key], element.type) if is_parameter else None

    return visitors.replacement_traverse(criterion, {}, replaced)


def _conjuncts(criteria: Iterable[Any]) -> Iterable[Any]:
    for each in criteria:
        if getattr(each, 'operator', None) is operators.and_:
            yield from _conjuncts(each.clauses)
        else:
            yield each
