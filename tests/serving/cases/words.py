"""The words in which the cases are written: what is asked, and what must come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..servers.application import MARK
from ..servers.samples import BYTES, FUTURE, SECRET, Sample
from ..servers.wire import Answer
from .syntax import multipart, parsed_date

#: What a header must be: this text, not there (None), or something of which this function says yes.
Expected = str | Callable[[Any], Any] | None

#: The instant at which the files were stored, as RFC 9110 section 5.6.7 writes it in three ways.
EXACT = 'Sun, 06 Nov 1994 08:49:37 GMT'
RFC850 = 'Sunday, 06-Nov-94 08:49:37 GMT'
ASCTIME = 'Sun Nov  6 08:49:37 1994'
EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT'
LATER = 'Sun, 06 Nov 1994 08:49:38 GMT'

#: Where our answer is one of several that the RFC allows.
CHOICE = 'design.md, Serving'


class Context(NamedTuple):
    """What was asked for, and how the same file looks when nothing special is asked."""

    sample: Sample
    method: str
    plain: Answer | None

    @property
    def length(self) -> int:
        return len(self.sample.content)

    def content(self, start: int = 0, stop: int | None = None) -> bytes:
        return b'' if self.method == 'HEAD' else self.sample.content[start:stop]


class Want:
    """What must come."""

    status = 200
    #: Headers that the kind of answer asks for or forbids.
    headers: Mapping[str, Expected] = {}

    def __init__(self, **also: Expected) -> None:
        #: Headers besides; ``content_type`` stands for ``Content-Type``.
        self.also = {name.replace('_', '-'): value for name, value in also.items()}

    def check(self, answer: Answer, asked: Context) -> None:
        """Raises AssertionError if it is not what came."""
        sound(answer)
        assert answer.status == self.status, f'{answer.status} instead of {self.status}'
        check_headers(answer, {**self.headers, **self.also})
        self.check_more(answer, asked)

    def check_more(self, answer: Answer, asked: Context) -> None:
        """What this kind of answer promises besides its headers."""


def sound(answer: Answer) -> None:
    """What every answer is, whatever was asked: no header comes twice, and none came in from outside."""
    names = [name.lower() for name, _ in answer.fields]
    assert sorted(set(names)) == sorted(names), f'twice: {names}'
    assert 'x-injected' not in names
    assert SECRET not in answer.body


def check_headers(answer: Answer, expected: Mapping[str, Expected]) -> None:
    for name, want in expected.items():
        value = answer.header(name)
        right = want(value) if callable(want) else value == want
        assert right, f'{name}: {value!r} instead of {getattr(want, "__name__", repr(want))}'


def like_plain(answer: Answer, asked: Context, *names: str) -> None:
    """RFC 9110 section 15.3.7: the headers that a 200 would have had."""
    if asked.plain is not None:
        moves = {'Last-Modified'} if asked.sample.modified == FUTURE else set()  # with the clock
        check_headers(answer, {name: asked.plain.header(name) for name in names if name not in moves})
        assert bool(answer.header('Expires')) == bool(asked.plain.header('Expires')), 'Expires'


_OF_THE_FILE = ('ETag', 'Last-Modified', 'Cache-Control', 'Content-Disposition', 'Accept-Ranges')


class Whole(Want):
    """The file, all of it; to a HEAD all but the content."""

    headers = {'Accept-Ranges': 'bytes', 'Content-Range': None, 'Content-Encoding': None}

    def check_more(self, answer: Answer, asked: Context) -> None:
        check_headers(answer, {'Content-Length': str(asked.length)})
        like_plain(answer, asked, *_OF_THE_FILE, 'Content-Type')
        assert answer.body == asked.content(), f'{len(answer.body)} bytes'


class Part(Want):
    """One range. RFC 9110 sections 14.4 and 15.3.7.1."""

    status = 206

    def __init__(self, start: int, stop: int, **also: Expected) -> None:
        super().__init__(**also)
        self.start, self.stop = start, stop

    def check_more(self, answer: Answer, asked: Context) -> None:
        said = {
            'Content-Range': f'bytes {self.start}-{self.stop - 1}/{asked.length}',
            'Content-Length': str(self.stop - self.start),
        }
        check_headers(answer, said)
        like_plain(answer, asked, *_OF_THE_FILE, 'Content-Type')
        assert answer.body == asked.content(self.start, self.stop)


class Parts(Want):
    """Several ranges in the order in which they were asked for; neighbours may be one. RFC 9110 section 15.3.7.2."""

    status = 206

    def __init__(self, *spans: tuple[int, int], **also: Expected) -> None:
        super().__init__(**also)
        self.spans = spans

    def check_more(self, answer: Answer, asked: Context) -> None:
        covered = set().union(*(range(*each) for each in self.spans))
        if not (answer.header('Content-Type') or '').startswith('multipart/'):
            start, stop = min(covered), max(covered) + 1
            assert len(covered) == stop - start, 'not multipart'
            return Part(start, stop).check_more(answer, asked)
        check_headers(answer, {'Content-Range': None, 'Content-Length': str(len(answer.body))})
        like_plain(answer, asked, *_OF_THE_FILE)
        came = [self._span(fields, content, asked) for fields, content in multipart(answer)]
        if came != list(self.spans):
            assert len(came) < len(self.spans)
            assert set().union(*(range(*each) for each in came)) == covered
            assert came == sorted(came, key=self._asked_at)

    def _span(self, fields: Mapping[str, str], content: bytes, asked: Context) -> tuple[int, int]:
        assert asked.plain is not None
        assert fields['content-type'] == asked.plain.header('Content-Type')
        said = re.fullmatch(r'bytes ([0-9]+)-([0-9]+)/([0-9]+)', fields['content-range'])
        assert said
        start, stop = int(said[1]), int(said[2]) + 1
        assert int(said[3]) == asked.length
        assert content == asked.sample.content[start:stop]
        return start, stop

    def _asked_at(self, span: tuple[int, int]) -> int:
        return next(i for i, (start, stop) in enumerate(self.spans) if start < span[1] and span[0] < stop)


def not_fresh_for(value: str | None) -> bool:
    """Whether a cache may not give it to the next who asks: RFC 9111 section 3 lets it store what has an age."""
    said = (value or '').lower()
    return 'public' not in said and not re.search(r'max-age=["]?0*[1-9]', said)


class Failure(Want):
    """No file, but why there is none."""

    headers = {'Cache-Control': not_fresh_for, 'Content-Range': None, MARK: None}

    def __init__(self, status: int, **also: Expected) -> None:
        super().__init__(**also)
        self.status = status

    def check_more(self, answer: Answer, asked: Context) -> None:
        date, expires = answer.header('Date'), answer.header('Expires')
        assert expires is None or not parsed_date(expires) or (date and parsed_date(expires) <= parsed_date(date))
        assert not asked.sample.content or asked.length < 5 or asked.sample.content not in answer.body
        assert asked.method != 'HEAD' or not answer.body


class Unsatisfiable(Failure):
    """RFC 9110 section 15.5.17: the range lies beyond the file, whose length the answer says."""

    def __init__(self, **also: Expected) -> None:
        super().__init__(416, **also)

    def check_more(self, answer: Answer, asked: Context) -> None:
        super().check_more(answer, asked)
        check_headers(answer, {'Content-Range': f'bytes */{asked.length}'})
        assert not (answer.header('Content-Type') or '').startswith('multipart/')

    headers = {name: value for name, value in Failure.headers.items() if name != 'Content-Range'}


class NotModified(Want):
    """RFC 9110 section 15.4.5: what a cache updates itself by, and nothing that describes a content."""

    status = 304
    headers = {
        'Content-Length': None,
        'Content-Type': None,
        'Content-Range': None,
        'Content-Encoding': None,
        'Content-Disposition': None,
        'Transfer-Encoding': None,
    }

    def check_more(self, answer: Answer, asked: Context) -> None:
        like_plain(answer, asked, 'ETag', 'Cache-Control', 'Vary', 'Content-Location')


class Application(Want):
    """The request goes through to the application."""

    headers = {MARK: 'yes', 'ETag': None, 'Content-Disposition': None}

    def check_more(self, answer: Answer, asked: Context) -> None:
        expected = '' if asked.method == 'HEAD' else f'the application: {asked.method}'
        assert answer.body == expected.encode()


class Refused(Want):
    """The server says no by itself, before it asks any application."""

    headers = {MARK: None, 'ETag': None, 'Content-Disposition': None}

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.statuses = statuses or (400,)

    def check(self, answer: Answer, asked: Context) -> None:
        assert answer.status in self.statuses, answer.status
        assert SECRET not in answer.body
        assert asked.length < 5 or asked.sample.content not in answer.body
        check_headers(answer, self.headers)


class OneOf(Want):
    """Any of these; the case says why it cannot be told which."""

    def __init__(self, *wants: Want) -> None:
        super().__init__()
        self.wants = wants

    def check(self, answer: Answer, asked: Context) -> None:
        failures = []
        for want in self.wants:
            try:
                return want.check(answer, asked)
            except AssertionError as error:
                failures.append(str(error))
        raise AssertionError(f'{answer.status}: ' + '; '.join(failures))


MISSING = Failure(404)


class Case(NamedTuple):
    """One request, what must come, and why."""

    name: str
    why: str
    lines: tuple[bytes, ...]
    want: Want
    sample: Sample = BYTES
    method: str = 'GET'
    #: What is asked for; ``<path>``, ``<id>`` and ``<storage>`` are those of the sample. By default its path.
    target: bytes = b'<path>'
    version: bytes = b'HTTP/1.1'
    #: Servers from which something else must come: they refuse or change what is sent, before they pass it on.
    but: Mapping[str, Want] = {}

    def want_from(self, server: str) -> Want:
        return self.but.get(server, self.want)


Line = str | bytes


def cases(why: str, *rows: tuple[str, Line | tuple[Line, ...], Want], **common: Any) -> list[Case]:
    """Cases with one reason. Each row is a name, the header lines and what must come."""
    return [Case(name, why, _lines(lines), want, **common) for name, lines, want in rows]


def _lines(lines: Line | tuple[Line, ...]) -> tuple[bytes, ...]:
    every = lines if isinstance(lines, tuple) else (lines,)
    return tuple(each if isinstance(each, bytes) else each.encode('latin-1') for each in every)


ALL_WSGI = ('waitress', 'gunicorn', 'gunicorn-threads', 'granian-wsgi')
ALL_ASGI = ('granian-asgi', 'uvicorn')
GUNICORN = ('gunicorn', 'gunicorn-threads')
GRANIAN = ('granian-wsgi', 'granian-asgi')
EVERY = (*ALL_WSGI, *ALL_ASGI)


def at(servers: tuple[str, ...] | str, want: Want) -> dict[str, Want]:
    """What must come from these servers."""
    return dict.fromkeys([servers] if isinstance(servers, str) else servers, want)
