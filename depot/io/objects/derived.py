"""What is derived from the files in a bucket: found with them when they go, and when they are gone.

An object store knows no "under" that would go with a file. So whoever removes a file, or replaces its content, looks
afterwards for what is derived from it, and removes that, too. Whoever stores a derived file looks at the file
afterwards: if it has another content by then, or is gone, the derived file is removed again. So it goes, whichever of
the two was first. The key of a derived file has the version of the content that it was made from, so that one of
another content is never found.

Where a storage has no derived files at all, nobody looks for them; that there are none is believed for a minute. What
another process puts in the first of all minutes may be left by that, as it may be by a crash between two of those
steps: an object that nobody finds, but :meth:`Derived.clean`.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from os.path import commonprefix
from typing import NamedTuple

from ...errors import StorageFailure
from ..ids import checked_key
from .keys import DerivedKey, Keys, version_of

#: Keys in a page: so many to look whether there are any; so many once there are. S3 and Google give no more.
FEW, MANY = 100, 1000

#: Seconds for which a process believes that a storage has no derived files at all.
LOOK_AGAIN = 60


class Listed(NamedTuple):
    """An object as a listing tells of it."""

    key: str
    #: By what its content is told from another one.
    tag: str
    modified: datetime


#: One page of a listing in ascending order: of keys with a prefix, above a key, so many at most; and whether it is
#: the last.
Page = Callable[[str, str, int], 'tuple[Sequence[Listed], bool]']

#: Removes objects; returns the keys of those that it could not, with the reason.
Remove = Callable[['list[str]'], 'Mapping[str, Exception]']

#: What the content of a file is told by now; None if there is no such file. A listing may tell what was, or write it
#: in another way.
Tag = Callable[[str], 'str | None']


class Derived:
    """The derived files in a bucket."""

    def __init__(self, keys: Keys, page: Page, remove: Remove, tag: Tag) -> None:
        self._keys = keys
        self._page = page
        self._remove = remove
        self._tag = tag
        self._used = False
        self._look_again = 0.0

    def of(self, file_ids: Iterable[str]) -> list[str]:
        """The keys of all that is derived from these files; where nothing is, that is one request, however many."""
        return [each.key for each in self._below(map(self._keys.all_derived, file_ids))]

    def delete(self, file_id: str, key: str | None) -> dict[str, Exception]:
        """Removes the derived file with this key, of whatever content it is; without a key, all of the file."""
        wanted = '' if key is None else f'/{checked_key(key)}'
        return self.remove([each for each in self.of([file_id]) if each.endswith(wanted)])

    def clear(self, file_ids: Sequence[str]) -> dict[str, Exception]:
        """Removes all that is derived from files, which were removed or replaced before.

        Returns the ids of those where that failed, with the reason. What comes later, its own put removes.
        """
        try:
            return self.remove(self.of(file_ids)) if self._is_used() else {}
        except StorageFailure as error:
            return dict.fromkeys(file_ids, error)

    def begin(self) -> None:
        """To be called before a derived file is stored."""
        self._used = True

    def _is_used(self) -> bool:
        """Whether the storage has, or had, any derived files at all: if not, removing a file costs one request."""
        if not self._used and time.monotonic() >= self._look_again:
            self._used = bool(self._page(self._keys.all_derived(), '', 1)[0])
            self._look_again = time.monotonic() + LOOK_AGAIN
        return self._used

    def remove(self, keys: list[str]) -> dict[str, Exception]:
        """Removes derived files; returns the ids of those files where that failed, with the reason."""
        failed: dict[str, Exception] = {}
        for start in range(0, len(keys), MANY):
            failed.update(self._remove(keys[start : start + MANY]))
        return {place.file_id: error for key, error in failed.items() if (place := self._keys.derived_key(key))}

    def clean(self, before: datetime, dry_run: bool) -> list[str]:
        """Removes derived files, stored before an instant, whose file is gone or has another content.

        Returns their keys. Raises :class:`~depot.errors.StorageFailure` for what could not be removed, after it has
        tried all.
        """
        strays = [*self._strays(before if before.tzinfo else before.replace(tzinfo=timezone.utc))]
        if not dry_run:
            for error in self.remove(strays).values():
                raise StorageFailure(f'derived files could not be removed; one of them: {error}') from error
        return strays

    def _strays(self, before: datetime) -> Iterator[str]:
        for page in self._pages(self._keys.all_derived()):
            places = {each.key: self._keys.derived_key(each.key) for each in page if each.modified < before}
            yield from self._outdated({key: place for key, place in places.items() if place})

    def _outdated(self, places: dict[str, DerivedKey]) -> Iterator[str]:
        originals = self._below({self._keys.key(each.file_id) for each in places.values()})
        listed = {(self._keys.file_id(each.key), version_of(each.tag)) for each in originals}
        doubtful = {key: each for key, each in places.items() if (each.file_id, each.version) not in listed}
        tags = {file_id: self._tag(file_id) for file_id in {each.file_id for each in doubtful.values()}}
        for key, each in doubtful.items():
            tag = tags[each.file_id]
            if tag is None or version_of(tag) != each.version:
                yield key

    def _pages(self, prefix: str) -> Iterator[Sequence[Listed]]:
        after, is_last = '', False
        while not is_last:
            page, is_last = self._page(prefix, after, MANY)
            yield page
            after = page[-1].key if page else ''

    def _below(self, places: Iterable[str]) -> Iterator[Listed]:
        """The objects whose keys begin with one of these texts; what is between them is leapt over."""
        ordered = sorted(places)
        prefix = commonprefix(ordered)  # noqa: RUF071 (of texts, not of paths)
        after: str | None = _just_below(ordered[0]) if ordered else None
        size = FEW
        while after is not None:
            page, is_last = self._page(prefix, after if after > prefix else '', size)
            ours = [each for each in page if _is_below(each.key, ordered)]
            yield from ours
            size = MANY if 2 * len(ours) > len(page) else FEW
            after = None if is_last else _next(page[-1].key, ordered)


def raise_first(failures: Mapping[str, Exception]) -> None:
    """Raises the first of these errors, if there is one."""
    for each in failures.values():
        raise each


def _is_below(key: str, ordered: list[str]) -> bool:
    at = bisect_right(ordered, key)
    return at > 0 and key.startswith(ordered[at - 1])


def _next(last: str, ordered: list[str]) -> str | None:
    """Above which key to go on; None if there is nothing to come."""
    if _is_below(last, ordered):
        return last
    at = bisect_right(ordered, last)
    return None if at == len(ordered) else max(last, _just_below(ordered[at]))


def _just_below(place: str) -> str:
    """What comes before all keys that begin like this; of a folder itself, because SeaweedFS has one for a key."""
    return place if place.endswith('/') else place[:-1]
