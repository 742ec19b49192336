"""The objects of files: what is known of them, their content, and where they can be fetched."""

from __future__ import annotations

from ..objects.keys import Keys
from ..objects.reading import ObjectReader
from .reading import object_reader
from .requests import Found, Requests
from .urls import Urls, answer_headers


class Objects:
    """The objects in one bucket, by their keys. Those that are encrypted with a key of ours have no URLs."""

    def __init__(self, requests: Requests, keys: Keys, urls: Urls | None, is_private: bool) -> None:
        self.requests = requests
        #: Whether URLs are signed, so that they work for a while only.
        self.is_private = is_private
        self._keys = keys
        self._urls = urls

    def found(self, key: str) -> Found:
        """What is known of an object; raises :class:`~depot.errors.FileMissing`."""
        found = self.requests.find(key)
        if found is None:
            raise self.requests.missing(self._keys.id_of(key), key)
        return found

    def opened(self, file_id: str, key: str) -> tuple[Found, ObjectReader]:
        """What is known of an object, and its content; raises :class:`~depot.errors.FileMissing`."""
        answer = self.requests.get(file_id, key)
        found = self.requests.found(key, answer)
        return found, object_reader(self.requests, key, answer, found.metadata.checksum)

    def public_url(self, key: str) -> str | None:
        """A URL by which everybody can fetch an object who knows it."""
        if self._urls is None:
            return None
        return self._urls.signed(key) if self.is_private else self._urls.plain(key)

    def url(
        self, key: str, expires: float | None, filename: str | None, disposition: str | None, content_type: str | None
    ) -> str | None:
        """What :meth:`depot.io.interfaces.FileStorage.url` promises."""
        found = self.found(key)
        headers = answer_headers(found.metadata.filename, filename, disposition, content_type)
        if self._urls is None:
            return None
        return self._urls.signed(key, expires, **headers) if self.is_private or headers else self._urls.plain(key)
