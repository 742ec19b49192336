"""Names of files in Content-Disposition: RFC 6266 and RFC 8187, and names that are made to break out of it."""

from __future__ import annotations

import re
import unicodedata

from ..servers.samples import LOCAL, MEMORY, STORAGES, Sample
from .syntax import disposition
from .words import Case, Whole

_FORM = re.compile(r"(inline|attachment);filename=\"[ !#-\[\]-~]*\";filename\*=utf-8''[!#$&+.^_`|~0-9A-Za-z%-]*")
_RESERVED = {'CON', 'PRN', 'AUX', 'NUL', *(f'{kind}{n}' for kind in ('COM', 'LPT') for n in range(10))}
#: Controls, formats (bidirectional marks among them), surrogates, separators of lines and paragraphs.
_INVISIBLE = {'Cc', 'Cs', 'Zl', 'Zp'}
_BIDIRECTIONAL = set('\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def harmless(header):
    """Whether the header is of our form, and both names in it are names of a file and nothing else."""
    assert header is not None, 'no Content-Disposition'
    parsed = disposition(header)
    assert _FORM.fullmatch(header), f'another form: {header}'
    assert parsed.plain, 'no name in ASCII'
    assert parsed.extended, 'no extended name'
    assert '"' not in parsed.plain, 'a quote, which some browsers take for the end'
    for name in (parsed.plain, parsed.extended):
        assert not any(unicodedata.category(each) in _INVISIBLE or each in _BIDIRECTIONAL for each in name), ascii(name)
        assert not re.search(r'[/\\]', name), name
        assert name.strip('. '), f'dots and blanks: {name!r}'
        assert name == name.strip(), f'blanks around: {name!r}'
        assert not name.endswith('.'), f'a dot at the end, which Windows removes: {name!r}'
        assert name.partition('.')[0].strip().upper() not in _RESERVED, f'reserved: {name}'
        assert len(name.encode()) <= 255, f'{len(name.encode())} bytes, which no disk takes'
    return True


def nameless(header):
    """Nothing of the name is left, so that the browser finds one; or what is left does no harm."""
    return header in ('inline', 'attachment') or harmless(header)


def named(extended, plain=None):
    """The download gets just this name."""

    def is_named(header):
        parsed = disposition(header)
        assert harmless(header)
        assert parsed.extended == extended, f'{parsed.extended!r} instead of {extended!r}'
        assert plain is None or parsed.plain == plain, f'{parsed.plain!r} instead of {plain!r}'
        return True

    return is_named


def ending(suffix):
    """The download keeps what its name ends with."""

    def ends(header):
        return harmless(header) and disposition(header).extended.endswith(suffix)

    return ends


_HERE = (LOCAL, MEMORY)

#: Names that are kept as they are: the name, and what it is in ASCII.
GOOD = [
    ('a.txt', 'a.txt'),
    ('Report (final) v2.1.txt', 'Report (final) v2.1.txt'),
    ('Крупный.txt', 'Krupnyy.txt'),
    ('größe.txt', 'grosse.txt'),
    ('日本語.txt', None),
    ('emoji 🎉.txt', None),
    ("it's.txt", "it's.txt"),
    ('a,b;c=d.txt', None),
    ('100%.txt', None),
    ('a%20b.txt', None),
    ('a%22b.txt', None),
    ('a%0d%0ab.txt', None),
    ('&amp;<b>.txt', None),
    ('no extension', 'no extension'),
    ('.hidden.txt', None),
    ('a.b.c.tar.gz', 'a.b.c.tar.gz'),
    ('עברית.txt', None),
    ('ｆｕｌｌ.txt', None),
    ('COM10.txt', 'COM10.txt'),
    ('console.txt', 'console.txt'),
    ("utf-8''a.txt", None),
]

#: Names that are made to break out, and what must come of each.
BAD = [
    # The end of the line, and of the header.
    ('a\r\nX-Injected: 1.txt', harmless, STORAGES),
    ('a\nX-Injected: 1.txt', harmless, STORAGES),
    ('a\rX-Injected: 1.txt', harmless, STORAGES),
    ('a\r\n\r\n<script>alert(1)</script>.txt', harmless, STORAGES),
    ('a\u2028X-Injected: 1.txt', harmless, STORAGES),
    ('a\u2029b.txt', harmless, STORAGES),
    ('a\x85b.txt', harmless, STORAGES),
    ('a\x0b\x0cb.txt', harmless, STORAGES),
    ('嘊嘍X-Injected: 1.txt', ending('.txt'), STORAGES),  # U+560A, U+560D: LF and CR to who cuts characters to bytes
    ('a\x00.png.txt', ending('.txt'), STORAGES),
    ('\x00', nameless, STORAGES),
    ('a\x1b[31m.txt', harmless, STORAGES),
    ('a\x7fb.txt', harmless, STORAGES),
    ('a\x9bb.txt', harmless, STORAGES),
    ('a\tb.txt', harmless, STORAGES),
    # The end of the quotes, and of the parameter.
    ('a".txt', harmless, STORAGES),
    ('a"; filename="evil.exe', harmless, STORAGES),
    ('"; filename*=utf-8\'\'evil.exe; x=".txt', harmless, STORAGES),
    ('a\\".txt', harmless, STORAGES),
    ('a.txt\\', nameless, STORAGES),
    ('\\', nameless, STORAGES),
    ('"', harmless, STORAGES),
    ('""""', harmless, STORAGES),
    ('a.txt;', harmless, STORAGES),
    # Parts of a path.
    ('../../etc/passwd', named('passwd'), STORAGES),
    ('/etc/passwd', named('passwd'), STORAGES),
    ('..\\..\\autoexec.bat', named('autoexec.bat'), STORAGES),
    ('C:\\Windows\\win.ini', named('win.ini'), STORAGES),
    ('\\\\server\\share\\a.txt', named('a.txt'), STORAGES),
    ('a/b\\c.txt', named('c.txt'), STORAGES),
    ('folder/', nameless, STORAGES),
    ('..', nameless, STORAGES),
    ('.', nameless, STORAGES),
    ('/', nameless, STORAGES),
    ('....//....//a.txt', named('a.txt'), STORAGES),
    ('C:evil.txt', ending('evil.txt'), STORAGES),
    ('a.txt:stream', harmless, STORAGES),
    ('~', harmless, STORAGES),
    ('%2e%2e%2fpasswd', harmless, STORAGES),
    ('a∕b⁄c／d.txt', ending('.txt'), STORAGES),  # signs that look like a slash, or become one in ASCII
    ('a＂b＼c.txt', ending('.txt'), STORAGES),  # which become a quote and a backslash in ASCII
    ('a‟b〝c.txt', ending('.txt'), STORAGES),
    ('․․／passwd', harmless, STORAGES),
    # Marks that make a name look like another.
    ('evil\u202egnp.exe', named('evilgnp.exe'), STORAGES),
    ('\u202a\u202b\u202d\u202ca.txt', named('a.txt'), STORAGES),
    ('a\u2066b\u2067c\u2068d\u2069.txt', named('abcd.txt'), STORAGES),
    ('\u200e\u200f\u061ca.txt', named('a.txt'), STORAGES),
    # What is no Unicode.
    ('\ud800.txt', ending('.txt'), _HERE),
    ('\udfff\ud800.txt', ending('.txt'), _HERE),
    ('a\udc0d\udc0ab.txt', ending('.txt'), _HERE),  # what Python makes of bytes that are no UTF-8
    ('\ufffe\uffff.txt', ending('.txt'), STORAGES),
    # What a disk does not take.
    ('CON', harmless, STORAGES),
    ('con.txt', harmless, STORAGES),
    ('NUL.tar.gz', harmless, STORAGES),
    ('aux .txt', harmless, STORAGES),
    ('COM1', harmless, STORAGES),
    ('lpt9.txt', harmless, STORAGES),
    ('CON\u202e.txt', harmless, STORAGES),
    ('../CON', harmless, STORAGES),
    ('ＣＯＮ.txt', ending('.txt'), STORAGES),  # which is CON in ASCII
    ('a.txt.', harmless, STORAGES),
    ('a.txt. . .', harmless, STORAGES),
    (' a.txt ', harmless, STORAGES),
    ('   ', nameless, STORAGES),
    ('x' * 250 + '.txt', harmless, STORAGES),
    ('x' * 5000 + '.txt', ending('.txt'), _HERE),
    ('日' * 300 + '.txt', ending('.txt'), _HERE),
    ('🎉' * 2000 + '.txt', ending('.txt'), _HERE),
    ('a' + '\u0301' * 5000 + '.txt', ending('.txt'), _HERE),
    ('"' * 5000 + '.txt', ending('.txt'), _HERE),
    ('x.' + 'y' * 5000, harmless, _HERE),
]


def _sample(name, storages):
    return Sample(f'name {name!a}', b'%PDF-1.4 a name', name, 'application/pdf', storages=storages)


NAMED = [_sample(name, STORAGES) for name, _ in GOOD] + [_sample(name, storages) for name, _, storages in BAD]

CASES = [
    Case(f'the name {name!a} stays', 'RFC 6266 section 4.3, RFC 8187 section 3.2', (),
         Whole(Content_Disposition=named(name, plain)), sample=_sample(name, STORAGES))
    for name, plain in GOOD
]  # fmt: skip

ATTACKS = [
    Case(f'the name {ascii(name)[:60]} ({len(name)}) does no harm', 'design.md, Serving: download name', (),
         Whole(Content_Disposition=check), sample=_sample(name, storages))
    for name, check, storages in BAD
]  # fmt: skip
