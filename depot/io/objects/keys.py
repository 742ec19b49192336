"""The one door to the keys of a bucket: the prefix, and ids and keys of derived files, which were checked."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from ...errors import ConfigurationError
from ..ids import CANONICAL_ID, KEY, checked_file_id, checked_key

_is_canonical = re.compile(CANONICAL_ID).fullmatch
_derived = re.compile(rf'derived/({CANONICAL_ID})/([0-9a-f]{{32}})/({KEY})').fullmatch


class DerivedKey(NamedTuple):
    """What the key of a derived file says."""

    file_id: str
    #: Which content of the file it was derived from.
    version: str
    key: str


class Keys:
    """The keys of the files of one storage: its prefix, and the id of each file right after it.

    What is derived from a file is in a tree of its own, ``derived/<id>/<version>/<key>`` after the prefix, which is
    passed over when files are listed. The version is that of the file's content: what was derived from another one is
    not found.

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

    def id_of(self, key: str) -> str:
        """The id of the file with this key, which :meth:`key` has made."""
        return key[len(self.prefix) :]

    def file_id(self, key: str) -> str | None:
        """The id of the file with this key; None for a key that another tool made, and for a derived file's."""
        if not key.startswith(self.prefix):
            return None
        file_id = key[len(self.prefix) :]
        return file_id if _is_canonical(file_id) else None

    def derived(self, file_or_id: Any, version: str, key: str) -> str:
        """The key of a derived file; the version comes from :func:`version_of`."""
        return f'{self.all_derived(file_or_id)}{version}/{checked_key(key)}'

    def all_derived(self, file_or_id: Any = None) -> str:
        """What the keys begin with of all that is derived from a file; without one, of all that is derived."""
        root = f'{self.prefix}derived/'
        return root if file_or_id is None else f'{root}{checked_file_id(file_or_id)}/'

    def derived_key(self, key: str) -> DerivedKey | None:
        """What the key of a derived file says; None for any other key."""
        found = _derived(key[len(self.prefix) :]) if key.startswith(self.prefix) else None
        return None if found is None else DerivedKey(*found.groups())


def version_of(tag: str) -> str:
    """A content's version as a part of a key, from what the backend tells it by: an entity tag, a generation."""
    return hashlib.sha256(tag.encode()).hexdigest()[:32]
