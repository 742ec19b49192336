"""The column type for SQLAlchemy models."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import JSON, Text, Unicode
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..errors import InvalidValue, WrongOption
from ..io.interfaces import FileStorage
from ..io.utils import Content, FileIntent, is_content
from ..transactions import threads
from ..transactions.drivers.sqlalchemy import sessions, statements
from ..transactions.drivers.sqlalchemy.columns import FileColumnType
from .attributes import _SQLAMutationTracker as _SQLAMutationTracker  # this is its path for applications
from .interfaces import DepotFileInfo, FileFilter, checked_filters
from .multiple import FileList, listed
from .upload import UploadedFile, parsed
from .variants import Variants, checked_variants, filters_for, named

if TYPE_CHECKING:
    from sqlalchemy import Dialect

#: The length of the text column, in characters, where none is given.
DEFAULT_LENGTH = 4000

_OPTIONS = 'filters, upload_type, upload_storage, multiple, json, variants, and of the text column length'


class UploadedFileField(FileColumnType, TypeDecorator[Any]):
    """A column that holds a file, or with ``multiple=True`` an ordered list of files.

    Assigning a content to the attribute stores it at once, in ``upload_storage``
    (the default storage when None), as an ``upload_type``, and runs the
    ``filters`` on it. The file then follows the transaction. Everything that
    :meth:`depot.io.interfaces.FileStorage.create` takes can be assigned, and also
    None, and an uploaded file itself.

    The information is kept as JSON text, in a ``VARCHAR(4000)`` or the ``length``
    given (``TEXT`` for many files), or with ``json=True`` in the database's own
    JSON type, ``JSONB`` on PostgreSQL. Each form reads what the other wrote.

    ``variants`` gives names to recipes: with ``variants={'thumb': Variant(resize=(200, 200))}`` a file has
    a ``thumb``, which is a :class:`~depot.fields.variants.Rendition`.

    Raises :class:`~depot.errors.ConfigurationError` for a variant whose name means something else already.
    """

    impl = Unicode
    cache_ok = True
    hashable = False

    def __init__(
        self,
        filters: Iterable[FileFilter] = (),
        upload_type: type[DepotFileInfo] = UploadedFile,
        upload_storage: str | None = None,
        *args: Any,
        multiple: bool = False,
        json: bool = False,
        variants: Variants | None = None,
        **kw: Any,
    ) -> None:
        if not args and not json and not multiple:
            kw.setdefault('length', DEFAULT_LENGTH)
        try:
            super().__init__(*args, **kw)
        except TypeError as error:
            raise WrongOption(f'UploadedFileField: {error}; its options are: {_OPTIONS}') from None
        self._filters = checked_filters(filters)
        self._upload_storage = upload_storage
        self.upload_type = upload_type
        self.multiple = multiple
        self.json = json
        self._variants = checked_variants(variants, upload_type)
        self._variant_filters = filters_for(self.variants)
        self.impl_instance = self._storage_type(text=self.impl_instance, length=args or kw.get('length'))
        self.impl = self.impl_instance

    def _storage_type(self, text: TypeEngine[Any], length: Any) -> TypeEngine[Any]:
        if self.json:
            return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), 'postgresql')
        return Text() if self.multiple and not length else text

    def __init_subclass__(cls, **kw: Any) -> None:
        """SQLAlchemy asks each class anew whether it may be cached: it may unless it has options of its own."""
        super().__init_subclass__(**kw)
        if 'cache_ok' not in cls.__dict__ and cls.__init__ is UploadedFileField.__init__:
            cls.cache_ok = True

    @property
    def _static_cache_key(self) -> Any:
        """What tells types apart in cached statements; SQLAlchemy itself sees no keyword-only options."""
        key = super()._static_cache_key
        return (*key, repr(self), *sorted(self.variants.items())) if isinstance(key, tuple) else key

    # The name that applications know.
    @property
    def _upload_type(self) -> type[DepotFileInfo]:
        return self.upload_type

    @property
    def variants(self) -> Variants:
        """The recipes that have a name, by their names."""
        return self._variants

    def __repr__(self) -> str:
        """The constructor call that makes the same database type, for Alembic's migrations."""
        length = getattr(self.impl_instance, 'length', None)
        options = [f'{name}=True' for name in ('multiple', 'json') if getattr(self, name)]
        options += [f'length={length}'] if length not in (None, DEFAULT_LENGTH) else []
        return f'{type(self).__name__}({", ".join(options)})'

    def upload(self, data: Content, filename: str | None = None, content_type: str | None = None) -> Any:
        """Stores a file ahead of assignment, as an assignment would: with the column's storage and filters.

        Returns an ``upload_type``. The file belongs to a transaction once it is
        assigned; one that never is stays in the storage.
        """
        if filename or content_type:
            data = FileIntent(*cast('tuple[Any, str, str]', FileStorage.fileinfo(data, filename, content_type)))
        return self.stored(data)

    async def upload_async(self, data: Content, filename: str | None = None, content_type: str | None = None) -> Any:
        """Stores a file ahead of assignment, as :meth:`upload` does, while the event loop goes on.

        Several of them, as by ``asyncio.gather``, go up side by side, up to 32 in
        a process. A cancellation waits until the file is stored, removes it, and
        is raised then. A file that is never assigned is removed as soon as
        nothing refers to what this returned.
        """

        def upload() -> DepotFileInfo:
            uploaded: DepotFileInfo = self.upload(data, filename, content_type)
            sessions.adopt(None, uploaded)
            return uploaded

        def undo(uploaded: DepotFileInfo) -> None:
            if uploaded is not data:  # else it was stored before
                uploaded.discard()

        return await threads.in_pool(upload, undo=undo)

    def stored(self, value: Any) -> DepotFileInfo:
        """The file that an assigned value stands for: stored now unless it is one, and filtered once."""
        if isinstance(value, dict) and not isinstance(value, DepotFileInfo):
            # It would be taken as loaded, and let a stranger's JSON name, and so remove, any file.
            raise InvalidValue(
                f'a dict is no content; to refer to a stored file, assign {self.upload_type.__name__}(dict)'
            )
        info = value if isinstance(value, DepotFileInfo) else self.upload_type(value, self._upload_storage)
        info._apply_filters((*self._filters, *self._variant_filters))
        return named(info, self.variants)

    def has_content(self, value: Any) -> bool:
        """Whether something in the value is to be stored, or filtered, before a statement can send it."""
        if not self.multiple:
            return self._is_content(value)
        if isinstance(value, (list, tuple)):
            return any(map(self._is_content, value))
        return hasattr(value, '__next__')

    def _is_content(self, value: Any) -> bool:
        if isinstance(value, DepotFileInfo):
            return not value._filtered and bool(self._filters or self._variant_filters)
        return value is not None and is_content(value)

    def coerce_assigned(self, value: Any) -> DepotFileInfo | FileList | None:
        """What the attribute holds after an assignment of ``value``; stores what is new in it."""
        if self.multiple:
            return FileList.of(self.stored, value)
        return None if value is None else self.stored(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """SQLAlchemy asks for the type of the other side, which for a JSON path is no file."""
        is_text = isinstance(value, str)  # as in like('%.pdf%')
        return self.impl_instance.coerce_compared_value(op, value) if self.json or is_text else self

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if self.multiple:
            files = [self._checked(each) for each in listed(value)]
            return files if self._is_json(dialect) else jsonlib.dumps(files)
        if not value:
            return None
        return self._checked(value) if self._is_json(dialect) else self._checked(value).encode()

    def _is_json(self, dialect: Dialect) -> bool:
        """Whether the type serializes by itself; applications override load_dialect_impl to give such a one."""
        return isinstance(self.load_dialect_impl(dialect), JSON)

    def _checked(self, value: Any) -> DepotFileInfo:
        if not isinstance(value, self.upload_type):
            raise InvalidValue(
                f'a file column holds {self.upload_type.__name__}, not {type(value).__name__}; {_advice(value)}'
            )
        statements.written(value)
        return value

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        process = super().result_processor(dialect, coltype)
        return _explained(process) if process is not None and self._is_json(dialect) else process

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if self.multiple:
            return FileList(map(self._loaded, _items(value)))
        return None if value is None else self._loaded(value)

    def _loaded(self, value: Any) -> DepotFileInfo:
        return named(self.upload_type.decode(value), self.variants)


def _advice(value: Any) -> str:
    if is_content(value):
        return (
            'a default, a comparison or an SQL expression comes too late for a content to be stored: it takes '
            'an UploadedFile, such as type.upload() returns'
        )
    return (
        'give it one, or a content to be stored: bytes, a binary file object, a pathlib.Path, an upload or a FileIntent'
    )


def _explained(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The processor, whose JSON type raises an error of its own for rubbish."""

    def explained(value: Any) -> Any:
        try:
            return process(value)
        except jsonlib.JSONDecodeError as error:
            raise InvalidValue(f'a file column holds JSON, not {str(value)[:80]!r}') from error

    return explained


def _items(value: Any) -> list[Any]:
    """The items of a stored list; a single file, from before the column took many, is a list of one."""
    decoded = parsed(value)
    if isinstance(decoded, list):
        return decoded
    return [] if decoded is None else [decoded]
