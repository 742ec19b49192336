"""What strangers uploaded runs nowhere: how each type is served."""

from __future__ import annotations

from ..servers.samples import ACTIVE, BROKEN_TYPES, PASSIVE, SAVED, SHAM
from .syntax import disposition
from .words import OneOf, Part, Whole, cases


def _kind(kind):
    def is_kind(value):
        return value is not None and disposition(value).kind == kind

    is_kind.__name__ = kind
    return is_kind


INLINE, ATTACHMENT = _kind('inline'), _kind('attachment')


def sandboxed(value):
    return value is not None and 'sandbox' in [each.strip().split(' ')[0].lower() for each in value.split(';')]


def not_sandboxed(value):
    """A PDF viewer in the browser is a page, which a sandbox would stop."""
    return not sandboxed(value)


def one_type(value):
    """RFC 9110 section 8.3.1: one media type, with parameters perhaps; no list, and nothing else."""
    import re

    token = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    return value is not None and re.fullmatch(rf'{token}/{token}(\s*;\s*{token}=({token}|"[^"\\]*"))*\s*;?', value)


def shown_by_nobody(value):
    """The type of what a browser can do nothing with but save it."""
    return value == 'application/octet-stream'


_SAFE = {'X_Content_Type_Options': 'nosniff'}
HARMLESS = OneOf(
    Whole(Content_Disposition=ATTACHMENT, Content_Security_Policy=sandboxed, **_SAFE),
    Whole(Content_Type=shown_by_nobody, **_SAFE),
)

PASSIVE_TYPES = [
    case
    for sample in PASSIVE
    for case in cases(
        'Issue 5: shown inline by default: images other than SVG, audio, video, PDF, plain text',
        (f'{sample.content_type} is shown', (),
         Whole(Content_Disposition=INLINE, Content_Security_Policy=not_sandboxed,
               Content_Type=lambda value, said=sample.content_type: value.partition(';')[0] == said, **_SAFE)),
        (f'a part of {sample.content_type} is shown', 'Range: bytes=1-9',
         Part(1, 10, Content_Disposition=INLINE, **_SAFE)),
        sample=sample,
    )
]  # fmt: skip

ACTIVE_TYPES = [
    case
    for sample in ACTIVE
    for case in cases(
        'design.md, Serving: active content never runs on the origin of the application',
        (f'{sample.content_type!r} ({sample.filename}) is handed out, and runs nowhere', (), HARMLESS),
        sample=sample,
    )
] + [
    case
    for sample in ACTIVE[:1]
    for case in cases(
        'design.md, Serving: a part of active content is as active',
        ('a part of a page is handed out, and runs nowhere', 'Range: bytes=0-9',
         Part(0, 10, Content_Disposition=ATTACHMENT, Content_Security_Policy=sandboxed, **_SAFE)),
        sample=sample,
    )
]  # fmt: skip

SAVED_TYPES = [
    case
    for sample in SAVED
    for case in cases(
        'Issue 5: inline are images other than SVG, audio, video, PDF and plain text; nothing else is',
        (f'{sample.content_type} is handed out', (), Whole(Content_Disposition=ATTACHMENT, **_SAFE)),
        sample=sample,
    )
]

SHAM_TYPES = [
    case
    for sample in SHAM
    for case in cases(
        'Issue 5: a declared type that the content contradicts is served as what is harmless',
        (f'a page that is called {sample.content_type} is handed out', (),
         OneOf(Whole(Content_Disposition=ATTACHMENT, **_SAFE), Whole(Content_Type=shown_by_nobody, **_SAFE))),
        sample=sample,
    )
    if sample.filename != "polyglot.gif"
] + cases(
    'The content is of its declared type, and of another one: nosniff keeps a browser to the first',
    ('an image that is a page too is never a page', (),
     Whole(Content_Type=lambda value: value in ('image/gif', 'application/octet-stream'), **_SAFE)),
    sample=next(each for each in SHAM if each.filename == 'polyglot.gif'),
)  # fmt: skip

BROKEN = [
    case
    for sample in BROKEN_TYPES
    for case in cases(
        'RFC 9110 sections 5.5 and 8.3: what is no media type in one line of ASCII is not sent',
        (f'a type that is none: {sample.content_type[:40].strip()!r} ({sample.filename})', (),
         Whole(Content_Type=one_type, **_SAFE)),
        sample=sample,
    )
]  # fmt: skip

CASES = [*PASSIVE_TYPES, *ACTIVE_TYPES, *SAVED_TYPES, *SHAM_TYPES, *BROKEN]
