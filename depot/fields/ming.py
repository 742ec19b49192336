"""The property for Ming's mapped classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ming.odm.base import state

from ..errors import InvalidValue
from ..transactions.drivers.ming import pending
from ..transactions.drivers.ming.documents import Document, FileProperty, files_of
from ..transactions.drivers.ming.sessions import FileExtension
from ..transactions.uploads import find_upload
from .interfaces import DepotFileInfo, FileFilter, checked_filters
from .upload import UploadedFile
from .variants import Variants, checked_variants, filters_for, named

if TYPE_CHECKING:
    from typing_extensions import Self


class UploadedFileProperty(FileProperty):
    """A property of a mapped class that holds a file.

    Assigning a content to it stores it at once, in ``upload_storage`` (the default
    storage when None), as an ``upload_type``, and runs the ``filters`` on it.
    Everything that :meth:`depot.io.interfaces.FileStorage.create` takes can be
    assigned, and also None, and an uploaded file itself. The document holds the
    file's information as a plain dict. ``variants`` gives names to recipes, see
    :class:`depot.fields.sqlalchemy.UploadedFileField`.

    The file then follows the document, in sessions that have the
    :class:`DepotExtension`.
    """

    def __init__(
        self,
        filters: Iterable[FileFilter] = (),
        upload_type: type[DepotFileInfo] = UploadedFile,
        upload_storage: str | None = None,
        variants: Variants | None = None,
    ) -> None:
        super().__init__(None)  # of any type: what is stored is checked here
        self._filters = checked_filters(filters)
        self._upload_type = upload_type
        self._upload_storage = upload_storage
        self.variants = checked_variants(variants, upload_type)
        self._variant_filters = filters_for(self.variants)

    @overload
    def __get__(self, instance: None, cls: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, cls: type[Any] | None = None) -> Any: ...

    def __get__(self, instance: Any, cls: type[Any] | None = None) -> Any:
        if instance is None:
            return self
        value = state(instance).document.get(self.name)
        if not value:
            return None
        # The same object each time: it holds what was assigned until that is flushed.
        infos = state(instance).extra_state
        info = infos.get(self._key)
        if info != value:
            info = infos[self._key] = named(self._upload_type.decode(value), self.variants)
        return info

    def __set__(self, instance: Any, value: Any) -> None:
        info = None if value is None else self._stored(value, state(instance).document.get(self.name))
        state(instance).extra_state[self._key] = info
        if info is not None:
            pending.adopt(instance, find_upload(files_of(info)))
        super().__set__(instance, None if info is None else dict(info))

    def __delete__(self, instance: Any, cls: type[Any] | None = None) -> None:
        self.__set__(instance, None)

    @property
    def _key(self) -> tuple[type[Any], str]:
        return UploadedFileProperty, self.name

    def _stored(self, value: Any, current: Any) -> DepotFileInfo:
        """The file that an assigned value stands for: stored now unless it is one, and filtered once."""
        if isinstance(value, DepotFileInfo):
            info = value
        elif isinstance(value, dict) and value != current:
            # It would be taken as loaded, and let a stranger's JSON name, and so remove, any file.
            raise InvalidValue(
                f'a dict is no content; to refer to a stored file, assign {self._upload_type.__name__}(dict)'
            )
        else:
            info = self._upload_type(value, self._upload_storage)
        info._apply_filters((*self._filters, *self._variant_filters))
        return named(info, self.variants)


class DepotExtension(FileExtension):
    """Makes the files of a session's documents follow its flushes.

    ::

        session = ThreadLocalODMSession(bind=datastore, extensions=[DepotExtension])

    A flush, of one document or of all, commits what it writes. What was assigned
    and not flushed is removed when the session is cleared or closed, and when the
    document is expunged or forgotten.
    """


class DepotHistory(NamedTuple):
    """What the next flush of a document is to decide, as paths (``'storage/id'``)."""

    #: The files that were stored for it since it was flushed.
    new: frozenset[str]
    #: The files that it lets go.
    deleted: frozenset[str]


def get_depot_history(instance: Any) -> DepotHistory:
    """What the next flush of this document is to decide: which files are new, and which it lets go."""
    document = Document(instance)
    after = set() if document.is_deleted else document.files
    return DepotHistory(frozenset(pending.created(document)), frozenset(document.known_files - after))
