"""The one door to the keys of a bucket: a key is the prefix and an id, which was checked."""

from __future__ import annotations

import re
from typing import Any

from ...errors import ConfigurationError
from ..ids import CANONICAL_ID, checked_file_id

_is_canonical = re.compile(CANONICAL_ID).fullmatch


class Keys:
    """The keys of the files of one storage: its prefix, and the id of each file right after it.

    Raises :class:`~depot.errors.ConfigurationError` for a prefix that is no text.
    """

    def __init__(self, prefix: str | None = '') -> None:
        if not isinstance(prefix, (str, type(None))):
            raise ConfigurationError(f'prefix = {prefix!r} is no text')
        #: As it was given; nothing is added to it, so it needs a slash at its end to look like a folder.
        self.prefix = prefix or ''

    def key(self, file_or_id: Any) -> str:
        """The key of a file.

        Raises :class:`~depot.errors.InvalidFileId` for what is no id, and so no part of a key.
        """
        return f'{self.prefix}{checked_file_id(file_or_id)}'

    def file_id(self, key: str) -> str | None:
        """The id of the file with this key; None for a key that another tool made."""
        if not key.startswith(self.prefix):
            return None
        file_id = key[len(self.prefix) :]
        return file_id if _is_canonical(file_id) else None
