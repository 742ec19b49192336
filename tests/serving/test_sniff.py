"""Contents that are something else than their type says."""

from __future__ import annotations

import base64
import codecs
import io
import struct
import wave
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from depot.serving.sniff import HEAD_SIZE, contradicts, is_looked_at


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', 1, 1, 8, 2, 0, 0, 0)
    # Words that were put into a real picture; nobody runs them there.
    words = chunk(b'tEXt', b'Comment\0<html><script>alert(1)</script>')
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + words + chunk(b'IDAT', zlib.compress(b'\0\0\0\0'))


def _wave() -> bytes:
    file = io.BytesIO()
    with wave.open(file, 'wb') as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b'<html>' * 100)
    return file.getvalue()


def _tiff(mark: bytes, order: str) -> bytes:
    text = b'<script src=x>\0'
    return mark + struct.pack(f'{order}HIHHHIII', 42, 8, 1, 270, 2, len(text), 26, 0) + text


def _jpeg(application: bytes, data: bytes) -> bytes:
    return b'\xff\xd8\xff' + application + struct.pack('>H', len(data) + 2) + data + b'\xff\xdb\0\x43\0' + bytes(64)


def _mp4(brand: bytes) -> bytes:
    return struct.pack('>I4s4sI4s4s', 24, b'ftyp', brand, 0, b'isom', brand) + b'\0\0\0\x08mdat'


GIF = base64.b64decode('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7')
JFIF = b'JFIF\0\1\1\0\0\1\0\1\0\0'
XMP = b'http://ns.adobe.com/xap/1.0/\0<?xpacket begin="\xef\xbb\xbf"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/>'

GENUINE = [
    ('image/png', _png()),
    ('image/jpeg', _jpeg(b'\xe0', JFIF)),
    ('image/jpeg', _jpeg(b'\xe1', XMP)),
    ('image/jpeg', _jpeg(b'\xfe', b'<html><script>alert(1)</script>')),
    ('image/gif', GIF),
    ('image/gif', b'GIF87a' + GIF[6:]),
    ('image/webp', b'RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0' + bytes(24)),
    ('image/bmp', b'BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0' + bytes(40)),
    ('image/x-icon', b'\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0'),
    ('image/tiff', _tiff(b'II', '<')),
    ('image/tiff', _tiff(b'MM', '>')),
    ('image/heic', _mp4(b'heic')),
    ('image/avif', _mp4(b'avif')),
    ('image/jxl', b'\xff\x0a\xfa\x1f\x01\x90\x08\x06\x01'),
    ('image/jp2', b'\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 '),
    ('image/vnd.adobe.photoshop', b'8BPS\0\1\0\0\0\0\0\0\0\3'),
    ('image/x-canon-cr2', b'II\x2a\0\x10\0\0\0CR\2\0'),
    ('image/x-fuji-raf', b'FUJIFILMCCD-RAW 0201FF389501' + bytes(60)),
    ('image/x-portable-pixmap', b'P3\n# <html> is what it shows\n1 1\n255\n0 0 0\n'),
    ('image/x-xpixmap', b'/* XPM */\nstatic char *x[] = {\n"1 2 2 1",\n"<a c #123",\n"<html> c #456"};'),
    ('image/x-xbitmap', b'#define x_width 8\n#define x_height 1\nstatic char x_bits[] = { 0x3c };'),
    ('image/vnd.wap.wbmp', b'\0\0<A' + bytes(600)),  # 60 by 65 dots
    ('image/x-tga', b'\0\0\x0a' + bytes(9) + b'<\0A\0\x18\0' + bytes(100)),
    ('image/x-tga', b'<\1\1' + bytes(100)),
    ('image/dicom-rle', bytes(128) + b'DICM'),
    ('audio/wav', _wave()),
    ('audio/aiff', b'FORM\0\0\0\x2eAIFFCOMM'),
    ('audio/mpeg', b'ID3\4\0\0\0\0\0\x23TIT2\0\0\0\x08\0\0\3<html>'),
    ('audio/mpeg', b'\xff\xfb\x90\x64' + bytes(400)),
    ('audio/ogg', b'OggS\0\2' + bytes(8) + b'<svg\0\0\0\0\1\x1e\1vorbis'),
    ('audio/flac', b'fLaC\0\0\0\x22\x10\0\x10\0'),
    ('audio/midi', b'MThd\0\0\0\6\0\1\0\2\0\x60MTrk'),
    ('audio/aac', b'\xff\xf1\x50\x80\x02\x1f\xfc'),
    ('audio/amr', b'#!AMR\n\x3c\x54\x08\x96'),
    ('audio/x-mpegurl', b'#EXTM3U\n#EXTINF:3,<html>\nsong.mp3\n'),
    ('audio/x-scpls', b'[playlist]\nFile1=song.mp3\n'),
    ('video/mp4', _mp4(b'mp42')),
    ('video/quicktime', b'\0\0\0\x08wide\0\1\0\0mdat'),
    ('video/webm', b'\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\x82\x84webm'),
    ('video/x-msvideo', b'RIFF\x24\0\0\0AVI LIST'),
    ('video/mp2t', b'G\x40\0\x10\0\0\xb0\x0d\0\1' + b'\xff' * 178 + b'G'),
    ('video/mp2t', b'<AbcG\x40\0\x10\0\0\xb0\x0d\0\1' + b'\xff' * 178),  # with a time before each packet
    ('video/mpeg', b'\0\0\1\xba\x44\0\4\0\4\1'),
    ('video/x-flv', b'FLV\1\5\0\0\0\x09\0\0\0\0'),
    ('video/x-ms-wmv', b'\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
    ('font/woff2', b'wOF2\0\1\0\0\0\0'),
    ('font/ttf', b'\0\1\0\0\0\x0f\0\x80'),
    ('font/otf', b'OTTO\0\x0b\0\x80'),
    ('application/pdf', b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>'),
    ('application/pdf', b'\r\n  %PDF-1.4\n'),
    ('application/pdf', b'\xef\xbb\xbf%PDF-1.4\n'),
    ('application/pdf', b'\x1b%-12345X@PJL\r\n%PDF-1.4\n'),
    ('application/pdf', b'<br />\n<b>Warning</b>: Undefined variable in <b>make.php</b>\n%PDF-1.4\n'),
    ('application/pdf', b'%!PS-Adobe-3.0 PDF-1.4'),
    ('application/pdf', b''),
    ('image/x-nobody-knows', bytes(range(256))),
    ('image/png', b''),
    ('image/png', b'not found'),  # broken, and harmless
    ('image/png', b'1 < 2, and a <b> tag is bold'),
    # A picture of another kind: people rename them, and browsers show them.
    ('image/png', _jpeg(b'\xe0', JFIF)),
    ('image/jpeg', _png()),
    # It begins as a picture, so it is one to everybody who shows it.
    ('image/gif', b'GIF89a/*<script>alert(1)</script>*/=1;'),
    ('image/png', b'GIF89a/*<script>alert(1)</script>*/=1;'),
    ('image/bmp', b'BM<script>alert(1)</script>'),
]


@pytest.mark.parametrize(('content_type', 'head'), GENUINE)
def test_what_is_no_page_may_be_shown(content_type: str, head: bytes) -> None:
    assert not contradicts(content_type, head[:HEAD_SIZE])


PAGES = [
    b'<html><script>alert(1)</script>',
    b'<!DOCTYPE html><title>x</title>',
    b'<!doctype HTML>',
    b'<HTML\n>',
    b'<script>alert(1)</script>',
    b'<ScRiPt/src=//example.com/x>',
    b'<iframe src=javascript:alert(1)>',
    b'<h1>Welcome</h1>',
    b'<a href=x>',
    b'<b>',
    b'<p style=x>',
    b'<img src=x onerror=alert(1)>',
    b'<body onload=alert(1)>',
    b'<x-y onfocus=alert(1) tabindex=1 autofocus>',
    b'</x><script>alert(1)</script>',
    b'<!-- a comment --><script>alert(1)</script>',
    b'<!-- ' + b'long ' * 1000,
    b'<![CDATA[ x ]]><html>',
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    b'<svg/onload=alert(1)>',
    b'<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>',
    b'<?xml version="1.0"?><x xmlns="http://www.w3.org/1999/xhtml"/>',
    b'<?xml-stylesheet href="x.xsl"?><x/>',
    b'<?php echo 1 ?><html>',
    b' \t\r\n\f <html>',
    b' ' * 1400 + b'<html>',
    codecs.BOM_UTF8 + b'<html>',
    codecs.BOM_UTF8 + b'\n<?xml version="1.0"?>',
    *('\ufeff<html>'.encode(each) for each in ('utf-16-le', 'utf-16-be', 'utf-32-le', 'utf-32-be')),
    *('<html>'.encode(each) for each in ('utf-16-le', 'utf-16-be')),
    *('\r\n <?xml version="1.0"?>'.encode(each) for each in ('utf-16-le', 'utf-16-be')),
    b'hello <script>alert(1)</script>',
    b'Content-Type: text/html\r\n\r\n<!DOCTYPE html><p>',
    b'caf\xe9 <IFRAME src=x>',
]

BARE_PAGES = [page for page in PAGES if page.startswith(b'<') and b'\0' not in page]

SHOWN = ['image/png', 'image/jpeg', 'IMAGE/GIF; x=y', 'image/x-nobody-knows', 'audio/mpeg', 'video/mp4', 'font/woff2']


@pytest.mark.parametrize('page', PAGES)
@pytest.mark.parametrize('content_type', [*SHOWN, 'application/pdf', ' Application/PDF ;version=1.7'])
def test_a_page_under_another_name_is_found_out(content_type: str, page: bytes) -> None:
    assert contradicts(content_type, page[:HEAD_SIZE])


@pytest.mark.parametrize('signature', [b'<!--\0ftypmp42-->', b'<p  ftyp>', b'<a RIFF WEBPVP>', b'\n<!---->\n%PDF-1.4'])
def test_a_signature_within_a_page_does_not_hide_it(signature: bytes) -> None:
    assert contradicts('image/png', signature + b'<script>alert(1)</script>')


def test_no_more_is_looked_at_than_a_browser_does() -> None:
    assert contradicts('image/png', b' ' * (HEAD_SIZE - 6) + b'<html>')
    assert not contradicts('image/png', b' ' * HEAD_SIZE + b'<html>')


@pytest.mark.parametrize('page', PAGES)
@pytest.mark.parametrize('content_type', ['text/plain', 'text/plain; charset=utf-8', 'text/csv', 'text/markdown'])
def test_the_source_of_a_page_is_a_text(content_type: str, page: bytes) -> None:
    assert not contradicts(content_type, page)


@pytest.mark.parametrize(
    'content_type',
    [
        'text/html',
        'image/svg+xml',
        'image/svg',
        'application/xml',
        'application/zip',
        'application/octet-stream',
        '',
        '/',
    ],
)
def test_of_a_type_that_is_not_shown_nothing_is_read(content_type: str) -> None:
    assert not is_looked_at(content_type)
    assert not contradicts(content_type, PAGES[0])


@given(st.text(max_size=30) | st.sampled_from(SHOWN), st.binary(max_size=200))
@example('image/png', b'<' * HEAD_SIZE)
@example('application/pdf', b' ' * HEAD_SIZE)
def test_there_is_an_answer_to_everything(content_type: str, head: bytes) -> None:
    assert contradicts(content_type, head) in {True, False}


@given(st.sampled_from(SHOWN), st.sampled_from([head for _, head in GENUINE if b'\0' in head]), st.binary(max_size=200))
@example('image/png', b'FLV\1\5\0\0\0\x09', PAGES[0])
def test_whatever_follows_a_picture_does_not_make_it_a_page(content_type: str, genuine: bytes, more: bytes) -> None:
    assert not contradicts(content_type, genuine + more)


@given(st.sampled_from(BARE_PAGES), st.text('\t\n\f\r ', max_size=20), st.binary(max_size=200))
def test_whatever_follows_a_page_does_not_hide_it(page: bytes, space: str, more: bytes) -> None:
    assert contradicts('image/png', space.encode() + page + more)
