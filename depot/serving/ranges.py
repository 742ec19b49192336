"""Byte ranges (RFC 9110 section 14): which bytes a request asks for, and the body that several need."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: More ranges than this in one request are no use of a reader, but an attack (section 17.15).
MOST_RANGES = 32

_OWS = ' \t'
_SPEC = re.compile(r'([0-9]+)-([0-9]*)|-([0-9]+)')

# Digits; what has more is beyond the end of any file, and would be slow to make a number of.
_LONGEST_NUMBER = 18

# Nobody can foresee a boundary, so that no file can have one in it.
_SECRET = secrets.token_bytes(16)


class Span(NamedTuple):
    """Some bytes of a file: from ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


Part = bytes | Span


def requested_spans(field: str, length: int) -> list[Span] | None:
    """The bytes that a ``Range`` asks of a file with ``length`` bytes, in its order; ``[]`` if it has none of them.

    None for a field that is to be ignored: one that is malformed or of another
    unit, one with more than :data:`MOST_RANGES` ranges, one that asks for more
    bytes than there are, and any for an empty file.
    """
    specs = _specs(field)
    if specs is None or not length:
        return None
    spans = [each for each in (_span(spec, length) for spec in specs) if each is not None]
    return spans if sum(each.length for each in spans) <= length else None


def _specs(field: str) -> list[re.Match[str]] | None:
    unit, _, ranges = field.partition('=')
    first, *rest = ranges.split(',', 4 * MOST_RANGES)
    elements = [first.rstrip(_OWS), *(each.strip(_OWS) for each in rest)]  # section 5.6.1: some may be empty
    specs = [_SPEC.fullmatch(each) for each in elements if each]
    if unit.lower() != 'bytes' or not 0 < len(specs) <= MOST_RANGES:
        return None
    valid = [each for each in specs if each is not None and not _is_reversed(each)]
    return valid if len(valid) == len(specs) else None


def _is_reversed(spec: re.Match[str]) -> bool:
    first, last, _ = spec.groups()
    return bool(last) and _exact(last) < _exact(first)


def _exact(digits: str) -> tuple[int, str]:
    """Compares as the number does, however many digits it has."""
    significant = digits.lstrip('0')
    return len(significant), significant


def _span(spec: re.Match[str], length: int) -> Span | None:
    first, last, suffix = spec.groups()
    if suffix:
        start, stop = max(length - _number(suffix), 0), length
    else:
        start, stop = _number(first), min(_number(last) + 1, length) if last else length
    return Span(start, stop) if start < stop else None


def _number(digits: str) -> int:
    significant = digits.lstrip('0') or '0'
    return int(significant) if len(significant) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER


def content_range(span: Span | None, length: int) -> str:
    """The value of ``Content-Range``; without a span that of a 416."""
    return f'bytes */{length}' if span is None else f'bytes {span.start}-{span.stop - 1}/{length}'


def multipart(spans: Sequence[Span], length: int, content_type: str) -> tuple[str, tuple[Part, ...]]:
    """The media type and the parts of a body with several ranges (section 14.6)."""
    boundary = hashlib.blake2b(repr((spans, length, content_type)).encode(), key=_SECRET, digest_size=16).hexdigest()
    parts: list[Part] = []
    for each in spans:
        head = f'--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {content_range(each, length)}\r\n\r\n'
        parts += [f'\r\n{head}'.encode('latin-1') if parts else head.encode('latin-1'), each]
    parts.append(f'\r\n--{boundary}--\r\n'.encode())
    return f'multipart/byteranges; boundary={boundary}', tuple(parts)


def size(parts: Iterable[Part]) -> int:
    """How many bytes a body has."""
    return sum(each.length if isinstance(each, Span) else len(each) for each in parts)
