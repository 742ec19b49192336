"""What a column holds of a file, and what may be done to a file when it is saved."""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ImmutableFile
from ..io.utils import Content, position
from ..manager import DepotManager
from ..transactions import files
from ..transactions.drivers.sqlalchemy import waiting  # which does not import SQLAlchemy
from ..transactions.uploads import Upload

if TYPE_CHECKING:
    from typing_extensions import Self


class FileFilter(ABC):
    """Works on a file when it is saved: derive one, and give it to a column's ``filters``."""

    @abstractmethod
    def on_save(self, uploaded_file: Any) -> None:
        """Runs after the upload, before the file's information is frozen.

        ``uploaded_file.original_content`` is what was assigned. A filter may add
        keys to the information, store more files by its ``store_content``, or
        refuse the file by raising: then nothing is left in the storage.
        """


def checked_filters(filters: Iterable[FileFilter]) -> tuple[FileFilter, ...]:
    """The filters of a column; :class:`~depot.errors.ConfigurationError` if they are none."""
    checked = tuple(filters) if isinstance(filters, Iterable) else (None,)
    if not all(hasattr(each, 'on_save') and not isinstance(each, type) for each in checked):
        raise ConfigurationError(f'filters = {filters!r} is no list of filters; they look like [MyFilter()]')
    return checked


# What an information object knows beside its items: these attributes are no items.
_INTERNAL = frozenset({'original_content', 'original_position', 'upload', '_frozen', '_filtered', '_variants'})


def _while_open(change: Callable[..., Any]) -> Any:
    """The dict's method, refused once the information is frozen."""

    @functools.wraps(change)
    def guarded(self: DepotFileInfo, *args: Any, **kwargs: Any) -> Any:
        self._check_open()
        return change(self, *args, **kwargs)

    return guarded


class DepotFileInfo(dict[str, Any], ABC):
    """What is known of an uploaded file: a dict of JSON values that does not change any more.

    Items are attributes as well. Made from a content, it stores the content in
    the storage ``depot_name`` (the default one when None; an alias stands for the
    storage it means now) and calls :meth:`process_content`; made from a dict, it
    is taken as loaded and stores nothing.

    Raises :class:`~depot.errors.UnknownStorage` if there is no such storage,
    :class:`~depot.errors.ConfigurationError` if there is none at all, and what
    storing raises; then nothing is left in the storage. Changing it raises
    :class:`~depot.errors.ImmutableFile`.
    """

    #: The new files that it refers to; None when it was loaded.
    upload: Upload | None = None
    #: The content that it was made from, until the filters have run.
    original_content: Any
    #: Where a file object was when its content was stored, so that it can be read again; None if it cannot.
    original_position: int | None = None
    # As they are for loaded information: rows are read more often than written.
    _frozen = True
    _filtered = True
    # Recipes, by the names that the column gives them.
    _variants: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, content: Content | dict[str, Any], depot_name: str | None = None) -> None:
        if isinstance(content, dict):
            super().__init__(content)
        else:
            super().__init__()
            self._store(content, depot_name)

    def _store(self, content: Content, depot_name: str | None) -> None:
        self.__dict__.update(_frozen=False, _filtered=False, original_content=content)
        self.original_position = position(content)
        self.update(depot_name=_storage_name(depot_name), files=[])
        try:
            waiting.run(self.process_content, content)
        except BaseException:
            self.discard()
            raise
        self.upload = Upload(self['files'])
        self._freeze()

    @abstractmethod
    def process_content(self, content: Content, filename: str | None = None, content_type: str | None = None) -> None:
        """Stores the content and sets the items; a subclass may set more, before and after calling this."""

    @abstractmethod
    def encode(self) -> str:
        """The information as JSON text."""

    @classmethod
    @abstractmethod
    def decode(cls, data: Any) -> Self:
        """The information from JSON, as text or parsed."""

    def _apply_filters(self, filters: Iterable[FileFilter]) -> None:
        """Runs the filters, unless they ran before; a failure removes every file of this upload."""
        if self._filtered:
            return
        self._thaw()
        try:
            for each in filters:
                waiting.run(each.on_save, self)
        except BaseException:
            self.discard()
            raise
        finally:
            self._freeze()
        if self.upload is not None:
            self.upload.files = tuple(self['files'])
        del self.original_content
        self._filtered = True

    def discard(self) -> None:
        """Removes the files again: for a refused upload."""
        waiting.run(files.remove, self['files'])
        if self.upload is not None:
            self.upload.lose()

    def _freeze(self) -> None:
        self._frozen = True

    def _thaw(self) -> None:
        self._frozen = False

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            if hasattr(type(self), name):
                return object.__getattribute__(self, name)  # a property that failed: once more, for its own error
            variants = f', and the variants: {", ".join(self._variants)}' if self._variants else ''
            raise AttributeError(f'{type(self).__name__} has no {name!r}; it has {", ".join(self)}{variants}') from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _INTERNAL:
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name in _INTERNAL:
            object.__delattr__(self, name)
        else:
            del self[name]

    def _check_open(self) -> None:
        if self._frozen:
            raise ImmutableFile('Already saved files are immutable: assign a new file instead')

    __setitem__ = _while_open(dict.__setitem__)
    __delitem__ = _while_open(dict.__delitem__)
    __ior__ = _while_open(dict.__ior__)
    update = _while_open(dict.update)
    setdefault = _while_open(dict.setdefault)
    popitem = _while_open(dict.popitem)
    clear = _while_open(dict.clear)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.upload is not None and self.upload.undecided:
            self.upload.write()  # whoever gets it may write it into a row, in another process too
        return type(self), (dict(self),), {'_variants': self._variants} if self._variants else None

    def __copy__(self) -> DepotFileInfo:
        return self._copied(dict(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> DepotFileInfo:
        return self._copied(copy.deepcopy(dict(self), memo))

    def _copied(self, items: dict[str, Any]) -> DepotFileInfo:
        copied = type(self)(items)
        copied.upload = self.upload  # the new files live as long as one of the copies does
        copied._variants = self._variants
        return copied


def _storage_name(name: str | None) -> str:
    """The real name of a storage, which goes into rows: an alias may mean another storage tomorrow."""
    asked = DepotManager.get_default() if name is None else name
    DepotManager.require(asked)
    return DepotManager.resolve_alias(asked) or asked
