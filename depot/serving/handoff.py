"""Hand-off: the web server in front of the application sends the files that are on its disk by itself.

The application still decides who may see what, and what is said of it. Ranges
and conditions are the web server's, by validators of its own; so none of ours
go along, and no condition is answered here, which a client could only have
from there. Nothing of a request decides where a file is looked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from ..errors import ConfigurationError
from ..utils import utcnow_naive
from .description import Description
from .policy import Policy
from .request import Request
from .response import Response, headers_for

#: What Apache's mod_xsendfile and lighttpd know: the path on the disk.
X_SENDFILE = 'X-Sendfile'

#: What nginx knows: a location of its own configuration.
X_ACCEL_REDIRECT = 'X-Accel-Redirect'

#: ``'X-Sendfile'``; or for nginx a mapping of folders on the disk to internal locations.
Option = str | Mapping[str | os.PathLike[str], str]

# What the web server knows better.
_NOT_OURS = {'Accept-Ranges', 'ETag', 'Last-Modified'}


class HandOff:
    """Tells the web server where a file is.

    A folder stands for all that is below it; of two that a file is in, the inner
    one counts. A file in none of them is not handed off, and neither is one
    that is on no disk.

    Raises :class:`~depot.errors.ConfigurationError` for what is no option.
    """

    def __init__(self, option: Option) -> None:
        self._locations = None if option == X_SENDFILE else _checked_locations(option)

    def respond(self, file: Any, description: Description, request: Request, policy: Policy) -> Response | None:
        """The answer that makes the web server send the file; None if it cannot."""
        place = self._place(getattr(file, 'local_path', None))
        if place is None:
            return None
        headers = [
            each for each in headers_for(description, request, policy, utcnow_naive()) if each[0] not in _NOT_OURS
        ]
        return Response(HTTPStatus.OK, [place, *headers, ('Content-Length', '0')])

    def _place(self, path: Any) -> tuple[str, str] | None:
        if not isinstance(path, str) or not os.path.isfile(path):  # which a replace that was cut off has set aside
            return None
        path = os.path.abspath(path)
        if self._locations is None:
            return X_SENDFILE, _quoted(path)
        inside = ((folder, location) for folder, location in self._locations if path.startswith(folder))
        folder, location = next(inside, ('', ''))
        return (X_ACCEL_REDIRECT, location + _quoted(path[len(folder) :])) if folder else None


def _quoted(path: str) -> str:
    """As in a URL, byte by byte: a name need not be text."""
    return quote(os.fsencode(path.replace(os.sep, '/')))


def _checked_locations(option: Any) -> list[tuple[str, str]]:
    """The folders and the locations, each with a slash at its end, the longest folder first."""
    if not isinstance(option, Mapping) or not option:
        raise ConfigurationError(
            f'hand_off = {option!r} is neither {X_SENDFILE!r} nor a mapping of folders to internal locations of nginx, '
            "such as {'/data/files': '/protected'}"
        )
    locations = [(_checked_folder(folder), _checked_location(location)) for folder, location in option.items()]
    return sorted(locations, key=lambda each: len(each[0]), reverse=True)


def _checked_folder(folder: Any) -> str:
    if not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder):
        raise ConfigurationError(f'hand_off: {folder!r} is no path of a folder')
    return os.path.join(os.path.abspath(os.fsdecode(folder)), '')


def _checked_location(location: Any) -> str:
    # At / is the application itself, which would be asked for ever.
    parts = location.strip('/').split('/') if isinstance(location, str) and location.startswith('/') else ['']
    if any(each in ('', '.', '..') for each in parts):
        raise ConfigurationError(f'hand_off: {location!r} is no internal location of nginx; one looks like /protected')
    return quote(f'/{"/".join(parts)}/', errors='replace')
