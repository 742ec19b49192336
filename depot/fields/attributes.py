"""Attributes of mapped classes that take contents, and follow the transaction."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from sqlalchemy import Column, event
from sqlalchemy.orm import ColumnProperty, Mapper
from sqlalchemy.orm.attributes import instance_state

from ..errors import InvalidMapping
from ..transactions.drivers.sqlalchemy import sessions
from ..transactions.drivers.sqlalchemy.columns import FileColumnType
from .multiple import FileList


class _SQLAMutationTracker:
    """Makes the attributes of mapped classes take contents and follow the transaction.

    Private by name, but applications hook these methods as listeners of their own.
    """

    #: The names of the attributes that hold files, by mapped class.
    mapped_entities: weakref.WeakKeyDictionary[type[Any], list[str]] = weakref.WeakKeyDictionary()

    @classmethod
    def _mapper_configured(cls, mapper: Mapper[Any], class_: type[Any]) -> None:
        """Runs once for each mapped class, and again for a late attribute: finds its file columns."""
        keys = [each.key for each in mapper.column_attrs if _holds_files(mapper, each)]
        known = cls.mapped_entities.get(class_, [])
        if keys == known:
            return
        cls.mapped_entities[class_] = keys
        sessions.watch(mapper, keys)
        inherited = cls.mapped_entities.get(mapper.inherits.class_, []) if mapper.inherits else []
        for key in keys:
            if key not in known and key not in inherited:  # else its listeners came down
                _listen(getattr(class_, key))

    @classmethod
    def _attribute_instrumented(cls, class_: type[Any], _key: str, attribute: Any) -> None:
        """Runs for each attribute; one that is added to a class already configured is a late one."""
        mapper = getattr(attribute, 'parent', None)
        if isinstance(mapper, Mapper) and mapper.configured:
            cls._mapper_configured(mapper, class_)

    @classmethod
    def _field_set(cls, target: Any, value: Any, oldvalue: Any, initiator: Any) -> Any:
        """Runs when the attribute is set; returns what it will hold."""
        field: Any = instance_state(target).mapper.column_attrs[initiator.key].columns[0].type
        assigned = field.coerce_assigned(value)
        sessions.adopt_for(target, assigned)
        return assigned

    @classmethod
    def _session_committed(cls, session: Any) -> None:
        """Does nothing: the end of the transaction itself is what removes files, and only once."""


def _holds_files(mapper: Mapper[Any], attribute: ColumnProperty[Any]) -> bool:
    columns = [each for each in attribute.columns if isinstance(each, Column)]
    if not any(isinstance(each.type, FileColumnType) for each in columns):
        return False
    if len(columns) > 1:
        raise InvalidMapping(
            f'{mapper.class_.__name__}.{attribute.key} maps {len(columns)} columns; '
            'a file column needs an attribute of its own'
        )
    return True


def _empty_list(key: str, target: Any, _value: Any, dict_: dict[str, Any]) -> FileList:
    """Runs when an attribute that was never set is read: gives it a list that can be appended to."""
    files = dict_[key] = FileList()
    files._parents[instance_state(target)] = key
    return files


def _listen(attribute: Any) -> None:
    event.listen(attribute, 'set', _SQLAMutationTracker._field_set, retval=True, propagate=True)
    if attribute.type.multiple:
        FileList.associate_with_attribute(attribute)
        event.listen(
            attribute, 'init_scalar', functools.partial(_empty_list, attribute.key), retval=True, propagate=True
        )


event.listen(Mapper, 'mapper_configured', _SQLAMutationTracker._mapper_configured)
event.listen(object, 'attribute_instrument', _SQLAMutationTracker._attribute_instrumented, propagate=True)
