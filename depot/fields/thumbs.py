"""The URLs of thumbnails that are stored beside an uploaded file."""

from __future__ import annotations

from ..manager import DepotManager
from .upload import UploadedFile, _permanent_url


def storage_url(uploaded_file: UploadedFile, file_id: str) -> str | None:
    """Where anybody can fetch the file from the backend itself, for ever; None if nobody can."""
    if uploaded_file._is_private:
        return None
    file = uploaded_file.depot.get(file_id)
    try:
        return _permanent_url(file)
    finally:
        if hasattr(file, 'close'):
            file.close()


def served_url(uploaded_file: UploadedFile, path: str) -> str | None:
    """Where the middleware serves the file, for ever; None if there is no middleware yet, or not for ever."""
    if uploaded_file._is_private or DepotManager._middleware is None:
        return None
    return DepotManager.url_for(path)
