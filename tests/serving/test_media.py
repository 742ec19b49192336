"""Which types may be shown, and which may stand in a header."""

from __future__ import annotations

import pytest

from depot.serving.media import UNKNOWN, checked_content_type, is_passive

PASSIVE = [
    'application/octet-stream',
    'application/pdf',
    'application/vnd.oasis.opendocument.text',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/zip',
    'audio/mpeg',
    'font/woff2',
    'image/gif',
    'image/jpeg',
    'image/png',
    'IMAGE/PNG',
    'text/csv',
    'text/plain',
    'text/plain; charset=utf-8',
    'Text/Plain;charset="html"',
    'video/mp4',
]

ACTIVE = [
    'application/ecmascript',
    'application/hta',
    'application/java-archive',
    'application/javascript',
    'application/mathml+xml',
    'application/rss+xml',
    'application/vnd.oasis.opendocument.text+xml',
    'application/vnd.wap.xhtml+xml',
    'application/x-javascript',
    'application/x-made-up',
    'application/x-mimearchive',
    'application/x-shockwave-flash',
    'application/xhtml+xml',
    'application/xml',
    'application/xml-dtd',
    'application/xslt+xml',
    'image/svg',
    'image/svg+xml',
    'IMAGE/SVG+XML; charset=utf-8',
    'message/rfc822',
    'model/x3d+xml',
    'multipart/related',
    'multipart/x-mixed-replace',
    'text/cache-manifest',
    'text/ecmascript',
    'text/html',
    'TEXT/HTML',
    'text/html ; charset=utf-8',
    'text/javascript',
    'text/javascript1.5',
    'text/jscript',
    'text/livescript',
    'text/rdf',
    'text/vbscript',
    'text/vnd.wap.wml',
    'text/webviewhtml',
    'text/x-component',
    'text/x-scriptlet',
    'text/xml',
    'text/xml-external-parsed-entity',
    'text/xsl',
    'x-world/x-vrml',
]


@pytest.mark.parametrize('content_type', PASSIVE)
def test_passive_types_may_be_shown(content_type):
    assert is_passive(content_type)


@pytest.mark.parametrize('content_type', ACTIVE)
def test_active_and_unknown_types_may_not_be_shown(content_type):
    assert not is_passive(content_type)


@pytest.mark.parametrize(
    'content_type',
    [
        'text/plain',
        'Text/HTML; Charset="utf-8"',
        'text/plain;charset=utf-8;format=flowed',
        'text/plain;',
        'multipart/x; boundary="a b;c"',
    ],
)
def test_a_type_stands_as_it_was_stored(content_type):
    assert checked_content_type(content_type) == content_type


def test_blanks_around_a_type_are_taken_off():
    assert checked_content_type(' text/plain\t') == 'text/plain'


@pytest.mark.parametrize(
    'content_type',
    [
        None,
        '',
        ' ',
        'text',
        'text/',
        '/plain',
        'text/plain/html',
        'text/plain, text/html',
        'text/plain text/html',
        'text /html',
        'text/html\n',
        'text/plain\r\nSet-Cookie: a=b',
        'text/plain\0',
        'text/plain; a="b\r\nc"',
        'text/plain; a="b',
        'text/plain; a',
        'text/plain; a="\\""',
        'text/pläin',
        'text/\u202ehtml',
        'text/plain; a="é"',
        '\ud800/plain',
    ],
)
def test_what_is_no_type_is_served_as_unknown(content_type):
    assert checked_content_type(content_type) == UNKNOWN
