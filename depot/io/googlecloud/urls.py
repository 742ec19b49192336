"""URLs by which a client fetches an object from Google itself: plain ones, and signed ones that expire."""

from __future__ import annotations

import math
from urllib.parse import quote

from google.auth.credentials import Signing
from google.cloud.storage import Blob

from ..objects.headers import disposition_header
from .errors import failing
from .options import LONGEST_EXPIRY


class Urls:
    """The URLs of one bucket's objects; plain ones below ``base``, if one is given."""

    def __init__(self, base: str | None, expires: int) -> None:
        self._base = base
        self._expires = expires

    def plain(self, blob: Blob) -> str:
        """A URL that works as long as everybody may read the object."""
        return f'{self._base}/{quote(blob.name)}' if self._base else str(blob.public_url)

    def signed(self, blob: Blob, expires: float | None = None, **answer: str) -> str | None:
        """A URL that works for ``expires`` seconds, a week at most; None for credentials that cannot sign.

        ``answer`` are arguments of the SDK: what the answer's headers shall be.
        """
        seconds = self._expires if expires is None else math.ceil(min(max(expires, 1), LONGEST_EXPIRY))
        if not isinstance(blob.client._credentials, Signing):
            return None
        with failing('sign a URL for the object', blob.name):
            return str(blob.generate_signed_url(version='v4', expiration=seconds, method='GET', **answer))


def answer_headers(
    stored_name: str | None, filename: str | None, disposition: str | None, content_type: str | None
) -> dict[str, str]:
    """What the answer to a signed URL shall say otherwise than the object's own headers."""
    headers = {'response_type': content_type} if content_type else {}
    if filename or disposition:
        headers['response_disposition'] = disposition_header(filename or stored_name, disposition or 'inline')
    return headers
