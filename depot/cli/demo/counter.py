"""Counts, for the page, how many renditions were made and how many were served that had been made before."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from ...io.local import LocalFileStorage
from ...io.utils import Content


class CountingStorage(LocalFileStorage):
    """A folder that counts the renditions that are put into it."""

    def __init__(self, storage_path: str) -> None:
        super().__init__(storage_path)
        #: So many, since the demo was started.
        self.made = 0
        self._counting = threading.Lock()

    def put_derived(
        self,
        file_or_id: Any,
        key: str,
        content: Content,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        super().put_derived(file_or_id, key, content, filename, content_type)
        with self._counting:
            self.made += 1


class Counter:
    """A WSGI application that counts the renditions that another one answers with.

    ``below`` is where it serves them; what is asked for there without a token is an original.
    """

    def __init__(self, app: Any, below: str, storage: CountingStorage) -> None:
        self._app = app
        self._below = below
        self._storage = storage
        self._answered = 0
        self._counting = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        is_rendition = environ['PATH_INFO'].startswith(self._below) and environ.get('QUERY_STRING')
        answer: Iterable[bytes] = self._app(environ, self._counted(start_response) if is_rendition else start_response)
        return answer

    def _counted(self, start_response: Any) -> Any:
        def counted(status: str, *rest: Any) -> Any:
            if status.startswith(str(HTTPStatus.OK.value)):
                with self._counting:
                    self._answered += 1
            return start_response(status, *rest)

        return counted

    def figures(self) -> dict[str, int]:
        """How many were made, and how many more were answered with."""
        made = self._storage.made
        return {'made': made, 'served': max(0, self._answered - made)}
