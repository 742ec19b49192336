"""Parsers of what is answered, written from the RFCs and nothing else."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ..servers.wire import Answer, Malformed

# RFC 2046 section 5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"((?:[\t !#-\[\]-~]|\\[\t -~])*)"'
_MULTIPART = re.compile(rf'multipart/byteranges\s*;\s*boundary=(?:({_TOKEN})|{_QUOTED})', re.IGNORECASE)


def multipart(answer: Answer) -> list[tuple[dict[str, str], bytes]]:
    """The headers, in lower case, and the content of each part of a multipart/byteranges answer.

    Raises :class:`Malformed`.
    """
    delimiter = b'\r\n--' + _boundary(answer.header('Content-Type') or '').encode()
    before, *parts = (b'\r\n' + answer.body).split(delimiter)
    last = parts.pop() if parts else b''
    if before or not parts or last not in (b'--', b'--\r\n'):
        raise Malformed(f'{before[:50]!r} before {len(parts)} parts, {last[:50]!r} at the end')
    return [_part(each) for each in parts]


def _boundary(content_type: str) -> str:
    match = _MULTIPART.fullmatch(content_type)
    boundary = match and (match[1] or re.sub(r'\\(.)', r'\1', match[2]))
    if not boundary or not _BOUNDARY.fullmatch(boundary):
        raise Malformed(f'no boundary: {content_type}')
    return boundary


def _part(part: bytes) -> tuple[dict[str, str], bytes]:
    head, border, content = part.partition(b'\r\n\r\n')
    if not border or not head.startswith(b'\r\n'):
        raise Malformed(f'no part: {part[:100]!r}')
    fields = [line.decode('ascii').partition(': ') for line in head[2:].split(b'\r\n')]
    names = [name.lower() for name, _, _ in fields]
    if len(set(names)) < len(names) or not all(re.fullmatch(_TOKEN, each) for each in names):
        raise Malformed(f'headers of a part: {names}')
    return {name.lower(): value for name, _, value in fields}, content


_IMF_FIXDATE = re.compile(r'[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT')


def parsed_date(text: str | None) -> datetime.datetime | None:
    """The instant of a date in the one form that may be sent (RFC 9110 section 5.6.7); else None."""
    if not text or not _IMF_FIXDATE.fullmatch(text):
        return None
    instant = datetime.datetime.strptime(text, '%a, %d %b %Y %H:%M:%S GMT')
    return instant if instant.strftime('%a') == text[:3] else None


class Disposition(NamedTuple):
    """A Content-Disposition header: RFC 6266, and for ``extended`` RFC 8187."""

    kind: str
    plain: str | None
    extended: str | None

    @property
    def name(self) -> str | None:
        """What a browser takes: RFC 6266 section 4.3."""
        return self.extended if self.extended is not None else self.plain


_PARAMETER = re.compile(rf'\s*;\s*({_TOKEN})\s*=\s*(?:{_QUOTED}|({_TOKEN}))')
# RFC 8187 section 3.2.1: attr-char, or a percent sign and two hexadecimal digits.
_EXTENDED = re.compile(r"(?i:utf-8)'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)")


def disposition(header: str) -> Disposition:
    """The parts of the header. Raises :class:`Malformed`."""
    kind = re.match(_TOKEN, header)
    if not kind:
        raise Malformed(header)
    parameters, position = {}, kind.end()
    while position < len(header):
        match = _PARAMETER.match(header, position)
        if not match or match[1].lower() in parameters:
            raise Malformed(header)
        parameters[match[1].lower()] = match[3] if match[2] is None else re.sub(r'\\(.)', r'\1', match[2])
        position = match.end()
    return Disposition(kind[0].lower(), parameters.get('filename'), _extended(parameters.get('filename*')))


def _extended(value: str | None) -> str | None:
    if value is None:
        return None
    match = _EXTENDED.fullmatch(value)
    if not match:
        raise Malformed(value)
    return unquote_to_bytes(match[1]).decode('utf-8')
