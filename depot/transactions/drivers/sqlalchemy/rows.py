"""Which: the files that a row refers to, let go and kept by its flushes."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Hashable, Iterable
from copy import copy
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import InstanceState, Mapper, Session, object_session
from sqlalchemy.orm.attributes import History, instance_state

from ....errors import FileMissing
from ...files import is_removed
from ...scope import Upload, find_upload
from .sessions import hold, scope_of

log = logging.getLogger('depot.transactions')


class _Keys(NamedTuple):
    """The names of attributes of one mapped class."""

    files: list[str]
    primary_key: list[str]


_watched: weakref.WeakKeyDictionary[Mapper[Any], _Keys] = weakref.WeakKeyDictionary()

# By object, during a flush: what the row had in the attributes that it was asked for.
_asked: weakref.WeakKeyDictionary[InstanceState[Any], dict[str, Any]] = weakref.WeakKeyDictionary()


def watch(mapper: Mapper[Any], keys: list[str]) -> None:
    """Follows the files in these attributes of a mapped class from now on.

    A value is None, an object with ``files`` (paths) and ``upload`` (an
    :class:`~depot.transactions.scope.Upload` or None), or a list of such.
    """
    _watched[mapper] = _Keys(keys, [mapper.get_property_by_column(each).key for each in mapper.primary_key])
    event.listen(mapper, 'before_insert', before_insert)
    event.listen(mapper, 'after_insert', after_insert)
    event.listen(mapper, 'before_update', before_update)
    event.listen(mapper, 'after_update', after_update)
    event.listen(mapper, 'before_delete', before_delete)


def adopt(target: Any, value: Any) -> None:
    """Binds the new files in ``value`` to the transaction of the session that ``target`` is in, if it is in one."""
    _adopt(object_session(target), value)


def written(value: Any) -> None:
    """A statement, of a flush or not, is about to write this information into a row."""
    upload = _upload(value)
    if upload is not None:
        upload.write()


def _adopt(session: Session | None, value: Any) -> None:
    for info in _infos(value):
        upload = _upload(info)
        if upload is not None and upload.undecided:
            hold(session, upload)


def _infos(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _upload(info: Any) -> Upload | None:
    """The new files that it refers to; a copy that was made by way of JSON has to be told."""
    upload: Upload | None = getattr(info, 'upload', None)
    if upload is None:
        upload = find_upload(_files([info]))
        if upload is not None:
            info.upload = upload
    return upload


def _files(values: Iterable[Any]) -> list[str]:
    """The paths in values, of which a database may hold anything."""
    files: list[str] = []
    for value in values:
        for info in _infos(value):
            named = getattr(info, 'files', ())
            files += [each for each in named if isinstance(each, str)] if isinstance(named, (list, tuple)) else ()
    return files


def after_attach(session: Session, instance: Any) -> None:
    """Runs when an object comes into a session by ``add``, ``merge`` or a cascade, not by a load."""
    state = instance_state(instance)
    if state.mapper in _watched:
        for key in _watched[state.mapper].files:
            _adopt(session, state.dict.get(key))


def before_insert(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    """Runs for each new object: one that takes the row of another that is deleted in this flush becomes an UPDATE."""
    loaded = instance_state(target).dict
    if not all(loaded.get(each) is not None for each in _watched[mapper].primary_key):
        return
    session = cast(Session, object_session(target))
    replaced = session.identity_map.get(mapper.identity_key_from_instance(target))
    if replaced is not None:
        # Attributes that the new object never had keep what the row has.
        for key in [each for each in _watched[mapper].files if each in loaded]:
            _let_go(_Place(mapper, key, replaced), connection)


def after_insert(mapper: Mapper[Any], _connection: Connection, target: Any) -> None:
    """Runs for each row that a flush inserted: its primary key is known now, and the values that defaults made."""
    for key in _watched[mapper].files:
        value = instance_state(target).dict.get(key)
        if value is not None:
            _keep(_Place(mapper, key, target), value)


def before_update(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    """Runs for each object that a flush is about to update: the row still has the old value, at its old key."""
    is_moved = _new_primary_key(mapper, target) is not None
    for key in _watched[mapper].files:
        if is_moved or _history(target, key).has_changes():
            stored = _let_go(_Place(mapper, key, target), connection)
            _asked.setdefault(instance_state(target), {})[key] = stored


def after_update(mapper: Mapper[Any], _connection: Connection, target: Any) -> None:
    """Runs for each object that a flush updated, and for some without a change."""
    new_key = _new_primary_key(mapper, target)
    asked = _asked.pop(instance_state(target), {})
    for key in _watched[mapper].files:
        history = _history(target, key)
        if new_key or history.has_changes():
            place = _Place(mapper, key, target)
            if key not in asked:  # another listener assigned after ours
                _release(place, history.deleted)
            _keep(place.moved_to(new_key), instance_state(target).dict.get(key, asked.get(key)))


def before_delete(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    """Runs for each object that a flush is about to delete, by ``delete``, a cascade, or as an orphan."""
    for key in _watched[mapper].files:
        _let_go(_Place(mapper, key, target), connection)


def _let_go(place: _Place, connection: Connection) -> Any:
    """Releases what the row has, and returns it. The object is not asked: it may be expired, or older than the row."""
    stored = place.stored_value(connection)
    _release(place, [stored])
    return stored


def _history(target: Any, key: str) -> History:
    """What the attribute was and is, as far as it is loaded."""
    return instance_state(target).attrs[key].history


def _new_primary_key(mapper: Mapper[Any], target: Any) -> tuple[Any, ...] | None:
    """The primary key that an update gave to the row; None where it did not change."""
    attributes = [instance_state(target).attrs[each] for each in _watched[mapper].primary_key]
    if not any(each.history.has_changes() for each in attributes):
        return None
    return tuple(each.value for each in attributes)


class _Place:
    """One file column of one row."""

    def __init__(self, mapper: Mapper[Any], key: str, target: Any) -> None:
        self.scope = scope_of(cast(Session, object_session(target)))
        self._mapper = mapper
        self._key = key
        self._identity = instance_state(target).identity or tuple(mapper.primary_key_from_instance(target))

    @property
    def name(self) -> str:
        """How a message names it."""
        return f'{self._mapper.class_.__name__}.{self._key}'

    def moved_to(self, primary_key: tuple[Any, ...] | None) -> _Place:
        """The place in the row's new position, if it has one."""
        if primary_key is None:
            return self
        moved = copy(self)
        moved._identity = primary_key
        return moved

    @property
    def owner(self) -> Hashable:
        """What tells this place apart in a scope's claims, whichever object stands for the row."""
        return self._column, self._identity

    @property
    def _column(self) -> Any:
        return self._mapper.column_attrs[self._key].columns[0]

    def stored_value(self, connection: Connection) -> Any:
        """What the row has in the database."""
        row = zip(map(self._part_of_key, _watched[self._mapper].primary_key), self._identity, strict=True)
        value = select(self._column).where(*(column == part for column, part in row))
        try:
            return connection.scalar(value.with_for_update())  # until the flush has written the new one
        except ValueError:  # not written by us; that must not keep the row from being mended or deleted
            log.warning('%s has no file information in the database that can be read', self.name, exc_info=True)
            return None

    def _part_of_key(self, key: str) -> Any:
        """The column of the primary key in the table of the file column: a subclass may have several tables."""
        columns = self._mapper.column_attrs[key].columns
        return next((each for each in columns if each.table is self._column.table), columns[0])


def _keep(place: _Place, value: Any) -> None:
    for info in _infos(value):
        upload = _upload(info)
        if upload is None:
            continue
        if upload.lost:
            raise FileMissing(
                f'{place.name} refers to {upload.files[0]}, which was removed when '
                'its transaction ended without it; assign the content anew'
            )
        if upload.undecided and not upload.scopes:  # made by the column's default, in the flush itself
            place.scope.take(upload)
    for file in filter(is_removed, _files([value])):
        raise FileMissing(f'{place.name} refers to {file}, which an earlier commit removed; assign the content anew')
    place.scope.keep(_files([value]), place.owner)


def _release(place: _Place, values: Iterable[Any]) -> None:
    place.scope.release(_files(values), place.owner)


event.listen(Session, 'after_attach', after_attach)
