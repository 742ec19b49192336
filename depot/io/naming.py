"""The name and the type that a content is stored with: given, its own, or guessed."""

from __future__ import annotations

import mimetypes
import os
from typing import Any

from ..errors import InvalidContent
from .utils import BareContent, Content, FileIntent, bare_content


def named(
    fileobj: Content, filename: str | None, content_type: str | None, existing: Any
) -> tuple[BareContent, str | None, str | None]:
    """What :meth:`depot.io.interfaces.FileStorage.fileinfo` promises."""
    if isinstance(fileobj, FileIntent):
        content, filename, content_type = fileobj.fileinfo
        return content, _checked_text('filename', filename), _checked_text('content_type', content_type)
    info = FileInfo(fileobj, _checked_text('filename', filename), _checked_text('content_type', content_type))
    return info.values(existing)


def _checked_text(option: str, value: Any) -> str | None:
    """The value, if it is text or None."""
    if value is None or isinstance(value, str):
        return value
    raise InvalidContent(f'{option} = {value!r} is no text')


class FileInfo:
    """Finds the name and the type that a content shall be stored with."""

    DEFAULT_NAME = 'unnamed'
    DEFAULT_CONTENT_TYPE = 'application/octet-stream'

    def __init__(self, fileobj: Content, filename: str | None, content_type: str | None) -> None:
        self._content = bare_content(fileobj)
        self._filename = filename or _text(fileobj, 'filename') or _basename(fileobj)
        self._given_type = content_type
        self._content_type = content_type or _text(fileobj, 'content_type') or _text(fileobj, 'type')

    def values(self, existing: Any = None) -> tuple[BareContent, str | None, str | None]:
        if existing is not None and not self._filename:
            return self._content, existing.filename, self._given_type or existing.content_type
        return self._content, self._filename or self.DEFAULT_NAME, self._content_type or self._guessed_type()

    def _guessed_type(self) -> str:
        guessed = mimetypes.guess_type(self._filename)[0] if self._filename else None
        return guessed or self.DEFAULT_CONTENT_TYPE


def _text(fileobj: Any, attribute: str) -> str | None:
    value = getattr(fileobj, attribute, None)
    return value if isinstance(value, str) else None


def _basename(fileobj: Any) -> str | None:
    name = getattr(fileobj, 'name', None)
    if isinstance(name, (str, bytes, os.PathLike)):
        return os.path.basename(os.fsdecode(name)) or None
    return None  # a file opened by its descriptor has a number for a name
