"""The client and the judge of the table find what is wrong; a table that finds nothing proves nothing."""

from __future__ import annotations

import pytest

from .cases.syntax import disposition, multipart, parsed_date
from .cases.words import MISSING, Application, Context, NotModified, Part, Parts, Unsatisfiable, Whole
from .servers.samples import BYTES, SECRET
from .servers.wire import Answer, Malformed, parsed

HEAD = b'HTTP/1.1 200 OK\r\n'

FIELDS = [
    ('Accept-Ranges', 'bytes'),
    ('Cache-Control', 'max-age=60, public'),
    ('Content-Disposition', 'inline'),
    ('Content-Length', '256'),
    ('Content-Type', 'text/plain'),
    ('ETag', '"a"'),
    ('Expires', 'Sun, 06 Nov 1994 08:49:37 GMT'),
    ('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT'),
]
PLAIN = Answer(200, FIELDS, BYTES.content)
ASKED = Context(BYTES, 'GET', PLAIN)


def changed(answer, body=None, status=None, **headers):
    """The answer with other headers; None takes one away."""
    said = {name.replace('_', '-'): value for name, value in headers.items()}
    fields = [each for each in answer.fields if each[0] not in said]
    fields += [(name, value) for name, value in said.items() if value is not None]
    return Answer(status or answer.status, fields, answer.body if body is None else body)


PARTIAL = changed(PLAIN, BYTES.content[:2], 206, Content_Range='bytes 0-1/256', Content_Length='2')
_PARTS = (
    b'--x\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/256\r\n\r\n\0\1\r\n'
    b'--x\r\nContent-Type: text/plain\r\nContent-Range: bytes 9-9/256\r\n\r\n\t\r\n--x--\r\n'
)
MULTIPLE = changed(PLAIN, _PARTS, 206, Content_Type='multipart/byteranges; boundary=x', Content_Length=str(len(_PARTS)))
NO_CONTENT = {'Content_Length': None, 'Content_Type': None, 'Content_Disposition': None}
FRESH = changed(PLAIN, b'', 304, **NO_CONTENT)
BEYOND = Answer(416, [('Content-Range', 'bytes */256')], b'')
GONE = Answer(404, [('Content-Type', 'text/plain')], b'not found')
THROUGH = Answer(200, [('X-Application', 'yes')], b'the application: GET')


# The client


@pytest.mark.parametrize(
    ('data', 'body'),
    [
        (HEAD + b'Content-Length: 3\r\n\r\nabc', b'abc'),
        (HEAD + b'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n', b'abc'),
        (HEAD + b'\r\nabc', b'abc'),
        (b'HTTP/1.1 304 Not Modified\r\n\r\n', b''),
    ],
)
def test_an_answer_ends_where_its_head_says(data, body):
    assert parsed(data, b'GET').body == body


def test_a_head_has_no_content_whatever_its_length():
    assert parsed(HEAD + b'Content-Length: 3\r\n\r\n', b'HEAD').body == b''


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n',
        b'HTTP/2 200 OK\r\n\r\n',
        b'200 OK\r\n\r\n',
        HEAD + b'Content-Length: 4\r\n\r\nabc',
        HEAD + b'Content-Length: 2\r\n\r\nabc',
        HEAD + b'Content-Length: 1\r\nContent-Length: 1\r\n\r\na',
        HEAD + b'Content-Length: -1\r\n\r\n',
        HEAD + b'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
        HEAD + b'A : b\r\n\r\n',
        HEAD + b'A\r\n\r\n',
        HEAD + b'A: b\nC: d\r\n\r\n',
        HEAD + b'A: b\rC: d\r\n\r\n',
        HEAD + b'A: \xff\r\n\r\n',
        HEAD + b'A: \0\r\n\r\n',
        b'HTTP/1.1 304 Not Modified\r\n\r\nabc',
    ],
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(Malformed):
        parsed(data, b'GET')


def test_a_head_with_content_is_refused():
    with pytest.raises(Malformed):
        parsed(HEAD + b'Content-Length: 3\r\n\r\nabc', b'HEAD')


# The parsers


def test_the_parts_of_an_answer():
    assert [(fields['content-range'], content) for fields, content in multipart(MULTIPLE)] == [
        ('bytes 0-1/256', b'\0\1'),
        ('bytes 9-9/256', b'\t'),
    ]


@pytest.mark.parametrize(
    ('content_type', 'body'),
    [
        ('text/plain', _PARTS),
        ('multipart/byteranges', _PARTS),
        ('multipart/byteranges; boundary=y', _PARTS),
        ('multipart/byteranges; boundary="x "', _PARTS),
        ('multipart/byteranges; boundary=' + 'x' * 71, _PARTS.replace(b'--x', b'--' + b'x' * 71)),
        ('multipart/byteranges; boundary=x', _PARTS.removesuffix(b'--\r\n')),
        ('multipart/byteranges; boundary=x', _PARTS + b'more'),
        ('multipart/byteranges; boundary=x', b'before' + _PARTS),
        ('multipart/byteranges; boundary=x', _PARTS.replace(b'\r\n', b'\n')),
        ('multipart/byteranges; boundary=x', b'--x--\r\n'),
    ],
)
def test_what_is_no_multipart_is_refused(content_type, body):
    with pytest.raises(Malformed):
        multipart(changed(MULTIPLE, body, Content_Type=content_type))


def test_the_parts_of_a_disposition():
    header = 'inline;filename="a\\"b.txt";filename*=utf-8\'\'%D0%9A.txt'
    assert disposition(header) == ('inline', 'a"b.txt', 'К.txt')
    assert disposition(header).name == 'К.txt'


@pytest.mark.parametrize(
    'header', ['', 'inline;filename="a', 'inline;filename="a"b"', 'inline;filename=a b', "inline;filename*=utf-8''%zz",
               'inline;filename="a";filename="b"', "inline;filename*=latin-1''a", 'inline;']
)  # fmt: skip
def test_what_is_no_disposition_is_refused(header):
    with pytest.raises(Malformed):
        disposition(header)


def test_only_one_form_of_a_date_may_be_sent():
    assert parsed_date('Sun, 06 Nov 1994 08:49:37 GMT')
    for text in ('Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994', 'Mon, 06 Nov 1994 08:49:37 GMT', None):
        assert parsed_date(text) is None


# The judge


@pytest.mark.parametrize(
    ('want', 'answer'),
    [
        (Whole(), PLAIN),
        (Part(0, 2), PARTIAL),
        (Parts((0, 2), (9, 10)), MULTIPLE),
        (NotModified(), FRESH),
        (Unsatisfiable(), BEYOND),
        (MISSING, GONE),
        (Application(), THROUGH),
    ],
)
def test_the_right_answer_passes(want, answer):
    want.check(answer, ASKED)


@pytest.mark.parametrize(
    ('want', 'answer'),
    [
        (Whole(), changed(PLAIN, b'x' * 256)),
        (Whole(), changed(PLAIN, status=206)),
        (Whole(), changed(PLAIN, Content_Length=None)),
        (Whole(), changed(PLAIN, Content_Length='255')),
        (Whole(), changed(PLAIN, Content_Range='bytes 0-255/256')),
        (Whole(), changed(PLAIN, Content_Encoding='gzip')),
        (Whole(), changed(PLAIN, Accept_Ranges='none')),
        (Whole(), changed(PLAIN, ETag='"b"')),
        (Whole(), changed(PLAIN, X_Injected='1')),
        (Whole(), changed(PLAIN, Last_Modified=None)),
        (Whole(), changed(PLAIN, Expires=None)),
        (Whole(), PLAIN._replace(fields=[*FIELDS, ('etag', '"a"')])),
        (Whole(Vary=None), changed(PLAIN, Vary='*')),
        (Part(0, 2), PLAIN),
        (Part(0, 2), changed(PARTIAL, BYTES.content[1:3])),
        (Part(0, 2), changed(PARTIAL, Content_Range='bytes 0-2/256')),
        (Part(0, 2), changed(PARTIAL, Content_Range='bytes 0-1/*')),
        (Part(0, 2), changed(PARTIAL, Content_Length='256')),
        (Part(0, 2), changed(PARTIAL, ETag=None)),
        (Parts((0, 2), (9, 10)), PARTIAL),
        (Parts((0, 2), (9, 10)), PLAIN),
        (Parts((9, 10), (0, 2)), MULTIPLE),
        (Parts((0, 2), (9, 10), (20, 21)), MULTIPLE),
        (Parts((0, 2), (9, 10)), changed(MULTIPLE, _PARTS.replace(b'\0\1', b'\1\0'))),
        (Parts((0, 2), (9, 10)), changed(MULTIPLE, Content_Range='bytes 0-1/256')),
        (Parts((0, 2), (9, 10)), changed(MULTIPLE, _PARTS.replace(b'/256', b'/255'))),
        (Parts((0, 2), (9, 10)), changed(MULTIPLE, _PARTS.replace(b'text/plain', b'text/htmls'))),
        (NotModified(), changed(FRESH, Content_Length='0')),
        (NotModified(), changed(FRESH, Content_Type='text/plain')),
        (NotModified(), changed(FRESH, ETag=None)),
        (NotModified(), changed(FRESH, Cache_Control=None)),
        (Unsatisfiable(), Answer(416, [], b'')),
        (Unsatisfiable(), Answer(416, [('Content-Range', 'bytes */255')], b'')),
        (Unsatisfiable(), changed(BEYOND, Cache_Control='max-age=60, public')),
        (Unsatisfiable(), changed(BEYOND, BYTES.content)),
        (MISSING, changed(GONE, SECRET)),
        (MISSING, changed(GONE, Expires='Fri, 01 Jan 2100 00:00:00 GMT')),
        (MISSING, changed(GONE, X_Application='yes')),
        (MISSING, PLAIN),
        (Application(), changed(THROUGH, b'the application: HEAD')),
        (Application(), GONE),
    ],
)
def test_a_wrong_answer_is_found(want, answer):
    with pytest.raises((AssertionError, Malformed)):
        want.check(answer, ASKED)
