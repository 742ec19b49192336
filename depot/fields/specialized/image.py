"""An image that is shrunk when it is uploaded, and has a thumbnail."""

from __future__ import annotations

from typing import Any

from ...images.decoding import shrunk
from ...images.pillow_wanted import Wanted
from ...io.interfaces import FileIntent, FileStorage
from ...io.utils import Content
from ...manager import DepotManager
from ..contents import rereadable
from ..thumbs import storage_url
from ..upload import UploadedFile


class UploadedImageWithThumb(UploadedFile):
    """An image of at most :attr:`max_size` pixels a side, together with a thumbnail.

    A larger one is shrunk: it keeps its format, its frames and its colours
    (in sRGB), is stored upright, and without metadata. Any other is stored
    byte for byte. The thumbnail is upright too, and an animation where its
    format can be one.

    Derive a class to have other sizes, and give it to a column's ``upload_type``::

        class Avatar(UploadedImageWithThumb):
            max_size = 512
            thumbnail_format = 'JPEG'
            thumbnail_size = (64, 64)

    Raises :class:`~depot.errors.InvalidImage` for what is no image, or not
    whole, and :class:`~depot.errors.ImageTooLarge` for one beyond the limits
    of :func:`depot.images.settings.configure_images`; then nothing is stored.
    """

    #: The longest side of what is stored, in pixels.
    max_size: int = 1024
    #: Pillow's name of the thumbnail's format.
    thumbnail_format: str = 'PNG'
    #: The width and the height that the thumbnail has at most, in pixels.
    thumbnail_size: tuple[int, int] = (128, 128)
    #: What is behind a transparent image in a thumbnail without transparency, as CSS writes colours.
    thumbnail_background: str = 'white'

    #: The thumbnail's id in the storage.
    thumb_id: str
    #: ``'storage/id'`` of the thumbnail.
    thumb_path: str

    def process_content(self, content: Content, filename: str | None = None, content_type: str | None = None) -> None:
        _, filename, content_type = FileStorage.fileinfo(content, filename, content_type)
        wanted = [
            Wanted(self.max_size, self.max_size),
            Wanted(*self.thumbnail_size, self.thumbnail_format, self.thumbnail_background),
        ]
        with rereadable(content) as file:
            smaller, thumb = shrunk(file, wanted)
            file.seek(0)
            super().process_content(smaller.content if smaller else file, filename, content_type)
            file.seek(0, 2)  # as if it had been read: it may be shrunk, and then was not
        assert thumb is not None  # because it has a format of its own
        name = f'thumb.{self.thumbnail_format.lower()}'
        path, file_id = self.store_content(FileIntent(thumb.content, name, thumb.content_type))
        self.update(thumb_id=file_id, thumb_path=path, _thumb_public_url=storage_url(self, file_id))

    @property
    def thumb_file(self) -> Any:
        """The stored thumbnail, unopened; :class:`~depot.errors.FileMissing` if it is gone."""
        return self.depot.get(self.thumb_id)

    @property
    def thumb_url(self) -> str:
        """Where a client can fetch the thumbnail; see :attr:`url`."""
        public_url: str | None = self.get('_thumb_public_url')
        return public_url if public_url and not self._is_private else DepotManager.url_for(self.thumb_path)
