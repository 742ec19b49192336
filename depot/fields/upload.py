"""The information that a column holds of a file."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from ..images.recipe import Variant
from ..io import utils
from ..io.utils import Content
from ..manager import DepotManager
from .interfaces import DepotFileInfo
from .variants import Rendition

if TYPE_CHECKING:
    from typing_extensions import Self


class UploadedFile(DepotFileInfo):
    """A file in a storage, as a database row knows it.

    ::

        >>> uploaded = UploadedFile(b'...')
        >>> uploaded.filename, uploaded.content_type, uploaded.size
    """

    #: The name of the storage.
    depot_name: str
    #: The paths (``'storage/id'``) of all files that belong to it, derived ones too.
    files: list[str]
    #: The id in the storage.
    file_id: str
    #: ``'storage/id'``.
    path: str
    #: The name it was uploaded with.
    filename: str
    #: The media type it was uploaded with, or one guessed from the name.
    content_type: str
    #: When it was uploaded, in UTC: ``YYYY-MM-DD HH:MM:SS``.
    uploaded_at: str

    def process_content(self, content: Content, filename: str | None = None, content_type: str | None = None) -> None:
        path, file_id = self.store_content(content, filename, content_type)
        file = self.depot.get(file_id)
        try:
            self.update(
                path=path,
                file_id=file_id,
                filename=file.filename,
                content_type=file.content_type,
                uploaded_at=utils.timestamp(),
                _public_url=None if self._is_private else _permanent_url(file),
                # Storages written for the published package know neither.
                size=_known(file, 'content_length', int),
                checksum=_known(file, 'checksum', str),
            )
        finally:
            if hasattr(file, 'close'):
                file.close()

    def store_content(
        self, content: Content, filename: str | None = None, content_type: str | None = None
    ) -> tuple[str, str]:
        """Stores one more file that belongs to this one; returns its path and its id."""
        file_id = self.depot.create(content, filename, content_type)
        path = f'{self["depot_name"]}/{file_id}'
        self['files'].append(path)
        return path, file_id

    # Properties, because the published package wrote neither into its rows.
    @property
    def size(self) -> int | None:
        """Bytes; None where the storage, or the row, does not know it."""
        return self.get('size')

    @property
    def checksum(self) -> str | None:
        """``sha256:`` and the digest in hexadecimal digits; None where the storage, or the row, does not know it."""
        return self.get('checksum')

    @property
    def depot(self) -> Any:
        """The storage; :class:`~depot.errors.UnknownStorage` if it is not configured (any more)."""
        return DepotManager.require(self['depot_name'])

    @property
    def file(self) -> Any:
        """The stored file, unopened; :class:`~depot.errors.FileMissing` if it is gone."""
        return self.depot.get(self.file_id)

    @property
    def url(self) -> str:
        """Where a client can fetch the file: from the backend itself if it is public, else from the middleware.

        That of a private storage is signed, and works for a while.
        """
        return self.url_for()

    def url_for(
        self,
        *,
        expires: float | datetime.timedelta | None = None,
        download: bool = False,
        filename: str | None = None,
        absolute: bool = False,
        fingerprint: str | None = None,
    ) -> str:
        """The :attr:`url` that shall work for ``expires`` seconds, save the file, under another name, or be absolute.

        With a ``fingerprint`` it works only for requests that have the same one.
        All of it is up to the middleware, see :meth:`depot.serving.urls.Urls.url_for`;
        of another one it asks only what is given here.
        """
        wanted = {'expires': expires, 'download': download or None, 'filename': filename, 'fingerprint': fingerprint}
        options = {name: value for name, value in wanted.items() if value is not None}
        public_url: str | None = self.get('_public_url')
        if public_url and not options and not self._is_private:
            return public_url
        return DepotManager.url_for(self.path, **options, **({'absolute': True} if absolute else {}))

    def variant(self, *steps: Any, **operations_and_options: Any) -> Rendition:
        """What a recipe makes of it: ``photo.variant(resize_to_fill=(200, 200))``, or a ready ``Variant``.

        The arguments are those of :class:`depot.images.recipe.Variant`. Nothing is made before it is asked for.

        Raises :class:`~depot.errors.InvalidVariant`.
        """
        is_ready = len(steps) == 1 and isinstance(steps[0], Variant) and not operations_and_options
        return Rendition(self.path, steps[0] if is_ready else Variant(*steps, **operations_and_options))

    def __getattr__(self, name: str) -> Any:
        variant = self._variants.get(name)
        return super().__getattr__(name) if variant is None or name in self else self.variant(variant)

    def __missing__(self, key: str) -> str:
        """The URL of a file that was stored beside this one, where it is none to keep: it is made when asked for."""
        path = self.get(f'{key.removesuffix("_url")}_path') if key.endswith('_url') else None
        if path is None:
            raise KeyError(key)
        return DepotManager.url_for(path)

    @property
    def _is_private(self) -> bool:
        return DepotManager.settings(self.get('depot_name') or self.path.partition('/')[0]).private

    def encode(self) -> str:
        """The information as JSON text."""
        return json.dumps(self)

    @classmethod
    def decode(cls, data: str | dict[str, Any]) -> Self:
        """The information from JSON, as text or parsed.

        Raises :class:`~depot.errors.InvalidValue` for anything but an object.
        """
        decoded = parsed(data)
        if not isinstance(decoded, dict):
            raise InvalidValue(f'a file column holds JSON objects, not {str(data)[:80]!r}')
        return cls(decoded)


def parsed(data: Any) -> Any:
    """The value of a JSON text; what a database has parsed already, as it is."""
    try:
        return json.loads(data) if isinstance(data, (str, bytes)) else data
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f'a file column holds JSON, not {str(data)[:80]!r}') from error


def _permanent_url(file: Any) -> str | None:
    # A signed one would be dead when the row is read. Storages written for the published package do not tell.
    url: str | None = None if getattr(file, 'public_url_expires', False) is True else file.public_url
    return url


def _known(file: Any, attribute: str, kind: type) -> Any:
    value = getattr(file, attribute, None)
    return value if isinstance(value, kind) else None
