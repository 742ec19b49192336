"""URLs by which a client fetches an object from the backend itself: plain ones, and signed ones that expire."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError

from ..objects.headers import disposition_header
from .failures import failure
from .options import LONGEST_EXPIRY
from .requests import Requests

_AMAZON = 's3.amazonaws.com'


class Urls:
    """The URLs of one bucket's objects."""

    def __init__(self, requests: Requests, base: str, expires: int) -> None:
        self._requests = requests
        self._base = base
        self._expires = expires

    def plain(self, key: str) -> str:
        """A URL that works as long as everybody may read the object."""
        return self._base + quote(key, safe='/~')

    def signed(self, key: str, expires: float | None = None, **answer_headers: str) -> str:
        """A URL that works for ``expires`` seconds, a week at most; the headers are those that S3 can be told."""
        seconds = self._expires if expires is None else math.ceil(min(max(1, expires), LONGEST_EXPIRY))
        params = {'Bucket': self._requests.bucket, 'Key': key, **answer_headers}
        try:
            url: str = self._requests.client.generate_presigned_url('get_object', Params=params, ExpiresIn=seconds)
        except BotoCoreError as error:
            raise failure(error, f'sign a URL of {self._requests.place(key)}', key) from error
        return url


def answer_headers(
    stored_name: str | None, filename: str | None, disposition: str | None, content_type: str | None
) -> dict[str, str]:
    """What the answer to a signed URL shall say otherwise than the object's own headers."""
    headers = {}
    if filename or disposition:
        headers['ResponseContentDisposition'] = disposition_header(filename or stored_name, disposition or 'inline')
    if content_type:
        headers['ResponseContentType'] = content_type
    return headers


def base_url(bucket: str, public_url: str | None, endpoint_url: str | None, addressing_style: str | None) -> str:
    """What the URL of every object begins with; the key follows."""
    if public_url:
        return public_url.rstrip('/') + '/'
    if not endpoint_url:
        return f'https://{bucket}.{_AMAZON}/'
    scheme, host, path, *_ = urlsplit(endpoint_url)
    if addressing_style == 'virtual':
        return f'{scheme}://{bucket}.{host}{path.rstrip("/")}/'
    return f'{scheme}://{host}{path.rstrip("/")}/{bucket}/'


def own_endpoint(client: Any) -> str | None:
    """The server of a client that was told of it elsewhere, as by ``AWS_ENDPOINT_URL``; None for Amazon's."""
    url = client.meta.endpoint_url
    if not isinstance(url, str):  # where boto3 is patched
        return None
    return None if (urlsplit(url).hostname or '').endswith('.amazonaws.com') else url
