"""Thumbnails beside any uploaded image."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigurationError
from ...images.decoding import shrunk
from ...images.pillow_colours import colour
from ...images.pillow_files import pillow_name
from ...images.pillow_wanted import Wanted
from ...io.utils import FileIntent
from ..contents import original
from ..interfaces import FileFilter
from ..thumbs import served_url, storage_url


class WithThumbnailFilter(FileFilter):
    """Stores a thumbnail of at most this width and height beside the file, which itself stays as it is.

    For a size of 200 x 100 the uploaded file gets ``thumb_200x100_id``,
    ``thumb_200x100_path`` and ``thumb_200x100_url``. A column can have
    several. The thumbnail is upright, in sRGB, without metadata, and an
    animation where its format can be one; in a format without transparency,
    such as JPEG, a transparent image is put on ``background``, a colour as
    CSS writes it.

    The file is refused with :class:`~depot.errors.InvalidImage` if it is no
    image, or not whole, and with :class:`~depot.errors.ImageTooLarge` beyond
    the limits of :func:`depot.images.settings.configure_images`.

    Raises :class:`~depot.errors.ConfigurationError` for a size, a format or a
    background that is none.
    """

    def __init__(self, size: tuple[int, int] = (128, 128), format: str = 'PNG', background: str = 'white') -> None:
        pillow_name(format)
        colour(background)
        self.thumbnail_size = _checked_size(size)
        self.thumbnail_format = format
        self.thumbnail_background = background

    def on_save(self, uploaded_file: Any) -> None:
        wanted = Wanted(*self.thumbnail_size, self.thumbnail_format, self.thumbnail_background)
        with original(uploaded_file) as file:
            (thumb,) = shrunk(file, [wanted])
            file.seek(0, 2)
        assert thumb is not None  # because it has a format of its own
        name = 'thumb_{}x{}'.format(*self.thumbnail_size)
        content = FileIntent(thumb.content, f'{name}.{self.thumbnail_format.lower()}', thumb.content_type)
        path, file_id = uploaded_file.store_content(content)
        uploaded_file.update({f'{name}_id': file_id, f'{name}_path': path})
        url = storage_url(uploaded_file, file_id) or served_url(uploaded_file, path)
        if url:  # else it is made when it is asked for
            uploaded_file[f'{name}_url'] = url


def _checked_size(size: Any) -> tuple[int, int]:
    try:
        width, height = size
        if min(width, height) >= 1 and int(width) == width and int(height) == height:
            return width, height
    except (TypeError, ValueError):
        pass
    raise ConfigurationError(f'size = {size!r} is no width and height in pixels; one looks like (128, 128)')
