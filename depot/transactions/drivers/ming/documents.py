"""Which files a document refers to: as its object says, and as the database does."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ming.odm import FieldProperty
from ming.odm.base import state
from ming.odm.mapper import mapper
from pymongo import ReadPreference

from ...uploads import Upload, find_upload

# Ming's stubs give properties the types of their values, and leave sessions and mappers untyped.
_mapper: Any = mapper
_FieldProperty: Any = FieldProperty

# By mapped class, which has them all from the beginning.
_names: weakref.WeakKeyDictionary[type[Any], tuple[str, ...]] = weakref.WeakKeyDictionary()


class FileProperty(_FieldProperty):  # type: ignore[misc]
    """Marks a property whose values refer to files: None, or a dict with ``files``, a list of paths."""

    #: Its name, in the class and in the document.
    name: str


class Document:
    """What one mapped object says of its files."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance
        self.state: Any = state(instance)
        #: The names of its properties that hold files.
        self.names = file_names(type(instance))

    @property
    def values(self) -> dict[str, Any]:
        """What the properties hold that the next flush would write, by their names."""
        fields = self.state.options.get('fields') or self.names  # those of a document that was loaded in part
        return {each: self.state.document.get(each) for each in self.names if each in fields}

    @property
    def files(self) -> set[str]:
        """The files that it refers to."""
        return {file for value in self.values.values() for file in files_of(value)}

    @property
    def known(self) -> Mapping[str, Any]:
        """What the database had, when it was loaded or written last."""
        found: Mapping[str, Any] = self.state.extra_state.get(Document, self.state.original_document)
        return found

    @property
    def known_files(self) -> set[str]:
        """The files that it referred to then."""
        return {file for each in self.names for file in files_of(self.known.get(each))}

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to be written."""
        return bool(self.state.status == self.state.clean)

    @property
    def is_deleted(self) -> bool:
        """Whether the next flush deletes it."""
        return bool(self.state.status == self.state.deleted)

    @property
    def collection(self) -> str:
        """The name of the collection that it is in."""
        return collection_of(type(self.instance))

    @property
    def id(self) -> Any:
        """Its ``_id``; None where the database is to give it one."""
        return self.state.document.get('_id')

    def is_written(self) -> None:
        """The database has from now on what it says."""
        known = {each: self.known.get(each) for each in self.names}
        self.state.extra_state[Document] = {**known, **self.values}

    def uploads(self) -> Iterator[Upload]:
        """The uploads that it refers to, of which nobody has decided yet."""
        for value in self.values.values():
            upload = find_upload(files_of(value))
            if upload is not None:
                yield upload

    def follow(self, stored: Mapping[str, Any]) -> None:
        """Takes from the database what was not changed here: another session may have changed it meanwhile."""
        for name, value in self.values.items():
            if value == self.known.get(name) != stored.get(name):
                self.state.set(name, stored.get(name))

    def take_over(self, stored: Mapping[str, Any]) -> None:
        """Says from now on what the database has."""
        for name, value in self.values.items():
            if value != stored.get(name):
                self.state.set(name, stored.get(name))
        self.is_written()

    def stored(self, session: Any) -> Mapping[str, Any] | None:
        """What the database has of these properties; None if it has no such document, or nothing to ask for."""
        if self.id is None or not self.names:
            return None
        collection = primary(session, self.collection)
        found: Mapping[str, Any] | None = collection.find_one({'_id': self.id}, dict.fromkeys(self.names, 1))
        return found


def file_names(mapped_class: type[Any]) -> tuple[str, ...]:
    """The names of the properties that hold files."""
    found = _names.get(mapped_class)
    if found is None:
        properties = _mapper(mapped_class).properties
        found = _names[mapped_class] = tuple(each.name for each in properties if isinstance(each, FileProperty))
    return found


def collection_of(mapped_class: type[Any]) -> str:
    """The name of the collection that has the documents of a class."""
    # Asked for in the ordinary way, the manager would make the indexes of the collection.
    name: str = vars(_mapper(mapped_class).collection)['m'].manager.collection_name
    return name


def primary(session: Any, collection: str) -> Any:
    """The collection, read where it is written: elsewhere it may be older."""
    return session.db[collection].with_options(read_preference=ReadPreference.PRIMARY)


def files_of(value: Any) -> list[str]:
    """The paths in a value, of which a database may hold anything: what is no path is passed over."""
    named = value.get('files') if isinstance(value, Mapping) else None
    return [each for each in named if isinstance(each, str)] if isinstance(named, list) else []


def all_files(stored: Mapping[str, Any] | None, names: Iterable[str]) -> set[str]:
    """The files that a document of the database refers to."""
    return {file for each in names for file in files_of(stored.get(each))} if stored else set()
