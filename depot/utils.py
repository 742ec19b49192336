"""Small words that every floor uses: instants and download names."""

from __future__ import annotations

import datetime
import re
import unicodedata
from urllib.parse import quote

from anyascii import anyascii

# What RFC 8187 section 3.2.1 calls attr-char, beside letters and digits.
_ATTR_CHARS = '!#$&+-.^_`|~'

# Bytes, counted from the end, where the extension is: with one character more, what file systems take.
_LONGEST_NAME = 254

# Names that mean devices to Windows, with any extension.
_DEVICES = {'CON', 'PRN', 'AUX', 'NUL', *(f'{port}{number}' for port in ('COM', 'LPT') for number in range(10))}

# Transliteration makes them of other characters.
_PATH_PARTS = re.compile(r'[/\\]')

# Controls, line and paragraph separators.
_UNPRINTABLE = frozenset({'Cc', 'Zl', 'Zp'})

# Unicode's bidirectional controls: they make ``gpj.exe`` look like ``exe.jpg``.
_BIDIRECTIONAL = frozenset('\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def utcnow_naive() -> datetime.datetime:
    """The current instant in UTC, without a time zone."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def utcfromtimestamp_naive(timestamp: float) -> datetime.datetime:
    """The instant ``timestamp`` seconds after the epoch, in UTC, without a time zone."""
    return datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc).replace(tzinfo=None)


def make_content_disposition(disposition: str, fname: str | None) -> str:
    """A ``Content-Disposition`` value that offers ``fname`` as the download name.

    The name comes twice (RFC 6266 section 4.3): transliterated to ASCII for old
    clients, and percent-encoded UTF-8. Path parts, control characters and
    bidirectional marks are left out, and nothing in a name can end the value or
    the header. A name that is too long keeps its end, one of a device gets an
    underscore. Without a name, just the disposition is given.
    """
    name = _download_name(fname or '')
    if not name:
        return disposition
    ascii_name = _harmless(_PATH_PARTS.sub('_', anyascii(name)).replace('"', "'")) or 'file'
    return f'{disposition};filename="{ascii_name}";filename*=utf-8\'\'{quote(name, safe=_ATTR_CHARS)}'


def _download_name(fname: str) -> str:
    valid = fname.encode('utf-8', 'replace').decode('utf-8')  # lone surrogates become '?'
    return _harmless(valid.replace('\\', '/').rpartition('/')[2])


def _harmless(name: str) -> str:
    """The name as any file system takes it, and means a file by it; empty if nothing is left."""
    short = _printable(name).encode()[-_LONGEST_NAME:].decode('utf-8', 'ignore').strip().rstrip('. ')
    stem = unicodedata.normalize('NFKC', short.partition('.')[0]).strip().upper()
    return f'_{short}' if stem in _DEVICES else short


def _printable(text: str) -> str:
    return ''.join(filter(_is_printable, text))


def _is_printable(character: str) -> bool:
    return character not in _BIDIRECTIONAL and unicodedata.category(character) not in _UNPRINTABLE
