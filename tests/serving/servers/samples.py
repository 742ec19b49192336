"""The files that every server of the tests has in every storage, under the same ids."""

from __future__ import annotations

import io
import random
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest.mock import patch

#: The names of the storages, which are in the URLs too.
LOCAL, MEMORY, S3 = STORAGES = ('local', 'memory', 's3')
MOUNTPOINT = '/depot'

#: When all files were stored: the instant that RFC 9110 itself writes in three ways.
MODIFIED = '1994-11-06 08:49:37'
#: When the file was stored whose storage has a wrong clock.
FUTURE = '2101-01-01 00:00:00'
#: What lies beside the stored files, and in their folder.
SECRET = b'nobody may read this: it was never stored'


class Sample(NamedTuple):
    """A file that is stored everywhere, or in the storages that take it."""

    key: str
    content: bytes = b'<script>alert(1)</script>'
    filename: str = 'a.bin'
    content_type: str = 'application/octet-stream'
    modified: str = MODIFIED
    storages: tuple[str, ...] = STORAGES

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, ascii(self.key)))

    def path(self, storage: str) -> str:
        """Its one path."""
        return f'{MOUNTPOINT}/{storage}/{self.id}'


class _Copied(io.BytesIO):
    """A stored file of some other storage; one that is replaced by it gets its id."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample.content)
        self.file_id, self.filename, self.content_type = sample.id, sample.filename, sample.content_type


#: Its bytes tell where they are.
BYTES = Sample('bytes', bytes(range(256)), 'bytes.bin')
EMPTY = Sample('empty', b'', 'empty.txt', 'text/plain')
ONE = Sample('one', b'1', 'one.txt', 'text/plain')
#: More than any buffer between the storage and the client.
LARGE = Sample('large', random.Random(5).randbytes(3 * 1024 * 1024 + 17), 'large.bin')
#: Lines that look as if they were a part's.
PARTS = Sample('parts', b'\r\n--BOUNDARY\r\nContent-Range: bytes 0-0/1\r\n\r\n--\r\n' * 20, 'parts.txt', 'text/plain')
TEXT = Sample('text', b'A text of ASCII letters.\n' * 40, 'text.txt', 'text/plain')
LATER = Sample('later', b'from the future', 'later.txt', 'text/plain', FUTURE)

_PNG = bytes.fromhex(
    '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de'
    '0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082'
)
_HTML = b'<!DOCTYPE html><html><script>alert(document.domain)</script></html>'
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
_XML = b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#"?><a/>'
_MP4 = bytes.fromhex('0000001866747970') + b'isom\0\0\2\0isomiso2' + bytes(200)
_PDF = b'%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'


def _typed(content_type: str, content: bytes, filename: str = 'a.bin', **more: Any) -> Sample:
    return Sample(f'{content_type} {filename}', content, filename, content_type, **more)


#: What a browser shows and never runs.
PASSIVE = [
    _typed('image/png', _PNG, 'a.png'),
    _typed('image/jpeg', b'\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9', 'a.jpg'),
    _typed('image/gif', b'GIF89a\1\0\1\0\0\0\0;', 'a.gif'),
    _typed('image/webp', b'RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0', 'a.webp'),
    _typed('video/mp4', _MP4, 'a.mp4'),
    _typed('audio/mpeg', b'ID3\4\0\0\0\0\0\0' + b'\xff\xfb\x90\0' + bytes(100), 'a.mp3'),
    _typed('application/pdf', _PDF, 'a.pdf'),
    _typed('text/plain', b'Nothing but text.\n', 'a.txt'),
]

#: What a browser, or a plug-in of it, might run.
ACTIVE = [
    _typed('text/html', _HTML, 'a.html'),
    _typed('text/html; charset=utf-7', b'+ADw-script+AD4-alert(1)+ADw-/script+AD4-', 'utf7.html'),
    _typed('TEXT/HTML', _HTML, 'upper.html'),
    _typed(' text/html', _HTML, 'blank.html', storages=(LOCAL, MEMORY)),
    _typed('text/html;', _HTML, 'semicolon.html'),
    _typed('text/html,image/png', _HTML, 'list.html'),
    _typed('image/png,text/html', _HTML, 'list.png'),
    _typed('text/html/x', _HTML, 'slash.html'),
    _typed('application/xhtml+xml', _HTML, 'a.xhtml'),
    _typed('image/svg+xml', _SVG, 'a.svg'),
    _typed('image/SVG+XML; charset=utf-8', _SVG, 'upper.svg'),
    _typed('image/svg', _SVG, 'short.svg'),
    _typed('text/xml', _XML, 'a.xml'),
    _typed('application/xml', _XML, 'b.xml'),
    _typed('application/xslt+xml', _XML, 'a.xslt'),
    _typed('application/rss+xml', _XML, 'a.rss'),
    _typed('application/mathml+xml', _XML, 'a.mml'),
    _typed('text/xsl', _XML, 'a.xsl'),
    _typed('application/javascript', b'alert(1)', 'a.js'),
    _typed('text/javascript', b'alert(1)', 'b.js'),
    _typed('application/x-javascript', b'alert(1)', 'c.js'),
    _typed('text/ecmascript', b'alert(1)', 'd.js'),
    _typed('application/x-shockwave-flash', b'FWS\x09' + bytes(20), 'a.swf'),
    _typed('multipart/related', b'MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n' + _HTML, 'a.mht'),
    _typed('message/rfc822', b'MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n' + _HTML, 'a.eml'),
    _typed('multipart/x-mixed-replace', b'--b\r\nContent-Type: text/html\r\n\r\n' + _HTML, 'a.mixed'),
    _typed('text/cache-manifest', b'CACHE MANIFEST\n', 'a.appcache'),
    _typed('application/hta', _HTML, 'a.hta'),
    _typed('text/x-component', b'<public:attach event="onload">', 'a.htc'),
    _typed('application/vnd.wap.xhtml+xml', _HTML, 'a.wap'),
]

#: What is neither: to be saved, not shown.
SAVED = [
    _typed('text/css', b'body{background:url(javascript:alert(1))}', 'a.css'),
    _typed('text/vtt', b'WEBVTT\n', 'a.vtt'),
    _typed('text/csv', b'=1+1,2\n', 'a.csv'),
    _typed('text/markdown', b'# <script>alert(1)</script>\n', 'a.md'),
    _typed('text/rtf', b'{\\rtf1 a}', 'a.rtf'),
    _typed('application/json', b'{"a": "<script>"}', 'a.json'),
    _typed('application/zip', b'PK\5\6' + bytes(18), 'a.zip'),
    _typed('application/msword', b'\xd0\xcf\x11\xe0' + bytes(40), 'a.doc'),
    _typed('application/x-msdownload', b'MZ' + bytes(60), 'a.exe'),
    _typed('application/java-archive', b'PK\3\4' + bytes(26), 'a.jar'),
    _typed('font/woff2', b'wOF2' + bytes(40), 'a.woff2'),
    _typed('model/vrml', b'#VRML V2.0 utf8\n', 'a.wrl'),
]

#: Content that contradicts the type it is stored with.
SHAM = [
    _typed('image/png', _HTML, 'sham.png'),
    _typed('image/gif', b'GIF89a' + _HTML, 'polyglot.gif', storages=STORAGES),
    _typed('application/pdf', _HTML, 'sham.pdf'),
    _typed('video/mp4', _SVG, 'sham.mp4'),
    _typed('audio/mpeg', _HTML, 'sham.mp3'),
]

#: Types that would break the answer, or that no header can say; object stores take none of them.
_HERE = (LOCAL, MEMORY)
BROKEN_TYPES = [
    _typed('text/plain\r\nX-Injected: 1', b'text', 'crlf.txt', storages=_HERE),
    _typed('text/plain\nX-Injected: 1', b'text', 'lf.txt', storages=_HERE),
    _typed('text/plain\0', b'text', 'nul.txt', storages=_HERE),
    _typed('text/plain; charset="\r\nX-Injected: 1"', b'text', 'parameter.txt', storages=_HERE),
    _typed('текст/простой', b'text', 'cyrillic.txt', storages=_HERE),
    _typed('text/plain\u0085X', b'text', 'nel.txt', storages=_HERE),
    _typed('image/\ud800png', _HTML, 'surrogate.png', storages=_HERE),
    _typed('nonsense', _HTML, 'nonsense.bin', storages=_HERE),
    _typed('*/*', _HTML, 'star.bin', storages=_HERE),
    _typed('image/png' + ' ' * 5000, _HTML, 'blanks.png', storages=_HERE),
    _typed('x' * 20_000 + '/y', b'text', 'long.bin', storages=_HERE),
]


def all_samples() -> Iterator[Sample]:
    """Every file, those of the tables of names included."""
    from ..cases.names import NAMED  # which is a table of cases, and needs this module

    yield from (BYTES, EMPTY, ONE, LARGE, PARTS, TEXT, LATER)
    for samples in (PASSIVE, ACTIVE, SAVED, SHAM, BROKEN_TYPES, NAMED):
        yield from samples


def store(storage: Any, name: str) -> None:
    """Puts all files that the storage takes into it, at the time that each says."""
    for each in all_samples():
        if name in each.storages:
            with patch('depot.io.utils.timestamp', return_value=each.modified):
                storage.replace(each.id, _Copied(each))
