"""Is a content something else than its type says, and nothing that may be shown?

Of the types that are shown, only those of images, audio, video, fonts and PDF are looked at. Their contents have
formats that begin with bytes of their own, so a page among them is there to deceive. Browsers that get ``nosniff``, or
that keep to the MIME Sniffing standard (https://mimesniff.spec.whatwg.org), show no page under such a type; this is for
those that do neither, and for what comes between: a proxy that drops headers, a copy that is served from elsewhere.

Text is never contradicted: the source of a page is a plain text, and people want to read it. By the standard, what is
called ``text/plain`` never becomes a page (section 7), with ``nosniff`` or without.

A file that is contradicted is not refused: it is served as ``application/octet-stream``, as an attachment and in a
sandbox. So a mistake costs no more than a download; but a real picture is never taken for a page, whatever its format.
"""

from __future__ import annotations

import re

#: How many bytes of a content to look at: all that a browser looks at, the *resource header* (section 5.2).
HEAD_SIZE = 1445

_FAMILIES = ('image/', 'audio/', 'video/', 'font/')
_PDF = 'application/pdf'

# Types that are markup themselves, such as image/svg+xml: they are active, and never shown anyway.
_MARKUP_TYPE = re.compile('xml|svg|html|script')

# What the formats begin with, in the order of the standard.
_SIGNATURES = (
    # 6.1, images
    rb'\0\0[\x01\x02]\0',  # ICO, CUR
    rb'BM',
    rb'GIF8[79]a',
    rb'RIFF.{4}WEBPVP',
    rb'\x89PNG\r\n\x1a\n',
    rb'\xff\xd8\xff',  # JPEG
    # 6.2, audio and video
    rb'FORM.{4}AIFF',
    rb'ID3',
    rb'OggS\0',
    rb'MThd\0\0\0\x06',
    rb'RIFF.{4}(?:AVI |WAVE)',
    rb'.{4}ftyp',  # MP4; HEIC, AVIF and Canon's raw images too
    rb'\x1a\x45\xdf\xa3',  # WebM, Matroska
    # 6.3, fonts
    rb'\0\x01\0\0|OTTO|ttcf|wOF[F2]|.{34}LP',
    # 7.1
    rb'%PDF-',
    # Not in the standard, because browsers do not show them, or not all do.
    rb'II\x2a\0|MM\0\x2a',  # TIFF, and most raw images
    rb'fLaC',
    rb'/\* XPM \*/|#define |P[1-7]\s|#EXTM3U',  # formats that are text
)
_has_signature = re.compile(b'|'.join(_SIGNATURES), re.DOTALL).match

# 7.1, "Identifying a resource with an unknown MIME type": a mark of the encoding, white space, and one of a few tags.
# Here any tag counts, a comment, a declaration, an instruction, because none of the formats begins with one. A tag has
# its end, as there: some formats begin with any bytes, and two of them may be "<A".
_begins_as_markup = re.compile(
    rb'(?:\xef\xbb\xbf|\xfe\xff|\xff\xfe)?\s*<(?:[a-z][\w:.-]*[\s/>]|/[a-z]|\?[a-z]|!(?:--|\[|doctype))', re.IGNORECASE
).match

# Tags that make a text a page, even if other words come before. Those of the standard that are shorter are left out:
# they may be anything.
_find_tag = re.compile(
    rb'<(?:!doctype|html|head|body|script|iframe|style|title|table|svg|img|meta|link|object|embed|form)(?=[\s/>])',
    re.IGNORECASE,
).search

# 4.2, "binary data byte".
_find_binary = re.compile(rb'[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]').search

# UTF-16, with a mark or without (XML 1.0, appendix F).
_is_wide = re.compile(rb'(?:\0\0)?\xfe\xff|\xff\xfe|[\s<](?:\0[^\0]){2}|(?:\0[^\0]){3}').match


def is_looked_at(content_type: str) -> bool:
    """Whether :func:`contradicts` could be true for a content of this type: if not, none needs to be read."""
    media_type = content_type.partition(';')[0].strip().lower()
    return media_type == _PDF or (media_type.startswith(_FAMILIES) and not _MARKUP_TYPE.search(media_type))


def contradicts(content_type: str, head: bytes) -> bool:
    """Whether the first bytes of a content, called an image, audio, video, a font or PDF, are those of a page.

    That is HTML, XML or SVG, in any encoding that has the letters of ASCII, after any white space. One picture called
    another is no contradiction, nor is what nobody knows.
    """
    if not is_looked_at(content_type):
        return False
    head = head[:HEAD_SIZE]
    if content_type.strip().lower().startswith(_PDF) and b'%PDF-' in head:
        return False  # readers take what begins later (PDF 1.7, annex H.3, note 13), such as after a warning of PHP
    text = head.replace(b'\0', b'') if _is_wide(head) else head
    return bool(_begins_as_markup(text) or (not _has_signature(head) and _is_page(text)))


def _is_page(text: bytes) -> bool:
    return bool(_find_tag(text) and not _find_binary(text))
