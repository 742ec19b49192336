"""Contents become objects, with all that the options of the storage say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import utils
from ..objects.headers import disposition_header, header_text, metadata_headers
from ..utils import BareContent
from .contents import Source
from .options import Transfer
from .requests import Found
from .uploads import Headers, Uploader

#: The name and the type of a content.
Named = Sequence['str | None']


class Store:
    """Stores contents in one bucket; ``headers`` are those that all objects have."""

    def __init__(self, uploader: Uploader, transfer: Transfer, headers: Headers) -> None:
        self._uploader = uploader
        self._transfer = transfer
        self._headers = headers

    def prepared(self, content: BareContent, named: Named) -> tuple[Source, Headers]:
        """A content on its way, and the headers of its object."""
        source = Source(content, self._transfer)
        return source, self._described(named, utils.timestamp(), source.checksum)

    def overwrite(self, key: str, content: BareContent, named: Named) -> None:
        """Stores an object, whether there is one or not."""
        self._uploader.overwrite(key, *self.prepared(content, named))

    def store(self, key: str, content: BareContent, named: Callable[[Any], Named], existing: Found | None) -> None:
        """Stores a new object, or one in place of the existing, whose metadata ``named`` is given.

        Raises :class:`~depot.errors.FileMissing` if the existing one is removed meanwhile.
        """
        modified = utils.timestamp()
        self._uploader.store(
            key,
            Source(content, self._transfer),
            lambda found, checksum: self._described(named(found and found.metadata), modified, checksum),
            existing,
        )

    def _described(self, named: Named, modified: str, checksum: str | None) -> Headers:
        filename, content_type = named
        return {
            'ContentType': header_text(content_type),
            'ContentDisposition': disposition_header(filename),
            'Metadata': metadata_headers(filename, modified, checksum),
            **self._headers,
        }
