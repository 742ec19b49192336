"""An answer with its body opened: what the adapters for WSGI and ASGI send."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import Any, NamedTuple

from ..errors import StorageFailure
from ..utils import utcnow_naive
from .body import BLOCK_SIZE, DiskBody, PartsBody, WholeBody, close_file
from .description import Description, KeptFile, describe
from .disguise import examine
from .handoff import HandOff
from .policy import Policy
from .ranges import Span, size
from .request import Request
from .response import Headers, Response, plain, respond
from .sniff import contradicts

Body = WholeBody | PartsBody | DiskBody


class Delivery(NamedTuple):
    """The status and the headers, and the body: bytes, or what is to be read and closed."""

    status: HTTPStatus
    headers: Headers
    body: bytes | Body = b''


def deliver(file: Any, request: Request, policy: Policy, hand_off: HandOff | None = None) -> Delivery:
    """The answer to a request for a stored file, which is closed with the body, or at once if there is none.

    Raises what the storage raises, but for a file that is gone: that is a 404.
    """
    try:
        description = examine(file)
        hand_off = hand_off if description.has_ranges else None  # what cannot be looked at before is sent by us
        response = hand_off.respond(file, description, request, policy) if hand_off else None
        response = response or _respond(description, request, policy)
        if _sends_content(response):
            return _opened(file, response) or _reread(file, policy)
        close_file(file)
        return said(response, request.method)
    except BaseException:
        close_file(file)
        raise


def said(response: Response, method: str) -> Delivery:
    """An answer that has nothing of a file in it; to a HEAD only its headers."""
    words = b'' if method == 'HEAD' else b''.join(map(bytes, response.body or ()))
    return Delivery(response.status, response.headers, words)


def _opened(file: Any, response: Response) -> Delivery | None:
    """The parts that were asked for; None if the file was replaced or deleted since it was found."""
    if response.body is None:
        return None
    if isinstance(file, KeptFile):
        return Delivery(response.status, response.headers, b''.join(map(file.part, response.body)))
    try:
        body = PartsBody(file, response.body)
        if size(response.body) <= BLOCK_SIZE:
            return Delivery(response.status, response.headers, _read_at_once(body))
        return Delivery(response.status, response.headers, body.on_disk() or body)
    except StorageFailure:
        raise
    except OSError:
        return None


def _read_at_once(body: PartsBody) -> bytes:
    """What is small needs no wrapper, and its file is closed before a slow client has got it."""
    with contextlib.closing(body):
        return body.read()


def _reread(file: Any, policy: Policy) -> Delivery:
    """The whole file, as it is now: it says what it is once it is read."""
    try:
        body = WholeBody(file)
    except StorageFailure:
        raise
    except OSError:  # deleted
        close_file(file)
        return said(plain(HTTPStatus.NOT_FOUND), 'GET')
    description = describe(file)
    disguised = contradicts(description.content_type or '', body.head)
    body.expect(description.content_length)
    response = _respond(description._replace(is_disguised=disguised), Request(), policy)
    return Delivery(response.status, response.headers, body)


def _respond(description: Description, request: Request, policy: Policy) -> Response:
    return respond(description, request, policy, utcnow_naive())


def _sends_content(response: Response) -> bool:
    return response.body is None or any(isinstance(each, Span) for each in response.body)
