"""The headers of a plain answer, and what does not change it: negotiation, methods, query strings, other headers."""

from __future__ import annotations

import re

from ..servers.samples import BYTES, EMPTY, LARGE, LATER, ONE, PASSIVE, TEXT
from .syntax import parsed_date
from .words import (
    EXACT,
    MISSING,
    Application,
    Case,
    Failure,
    NotModified,
    OneOf,
    Part,
    Refused,
    Whole,
    cases,
)  # fmt: skip

WHOLE = Whole()
STRONG_TAG = re.compile(r'"[!#-~]+"').fullmatch


def _not_from_the_future(value):
    """RFC 9110 section 8.8.2.1: no later than the answer. It was sent before we look at the clock."""
    import datetime

    date = parsed_date(value)
    return value is None or (date and date <= datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None))


PLAIN = cases(
    'RFC 9110 sections 8.3, 8.6, 8.8 and 14.3: what describes the file',
    ('a tag that is strong', (), Whole(ETag=STRONG_TAG)),
    ('the date of the file in the one form to send', (), Whole(Last_Modified=EXACT)),
    ('the type of the file', (), Whole(Content_Type='application/octet-stream')),
    ('the length of the file', (), Whole(Content_Length='256')),
    ('ranges are offered', (), Whole(Accept_Ranges='bytes')),
    ('the answer has a date', (), Whole(Date=parsed_date)),
    ('nothing is encoded, and nothing depends on the request', (), Whole(Content_Encoding=None, Vary=None)),
    ('the file is delimited by its length', (), Whole(Transfer_Encoding=None)),
) + cases(
    'depot-contract.md: a public file may be kept for a week, by old caches too',
    ('the age of the file', (), Whole(Cache_Control='max-age=604800, public')),
    ('the date until which it is fresh', (), Whole(Expires=parsed_date)),
) + cases(
    'Issue 5: safe by default',
    ('the type is not to be guessed', (), Whole(X_Content_Type_Options='nosniff')),
    ('a public file may be used by other origins', (), Whole(Cross_Origin_Resource_Policy='cross-origin')),
)  # fmt: skip

EMPTY_FILE = cases(
    'RFC 9110 section 8.6: a length of 0 is a length',
    ('an empty file', (), Whole(Content_Length='0')),
    ('an empty file that the client has', 'If-None-Match: <tag>', NotModified()),
    ('an empty file that the client has not', 'If-None-Match: "a"', WHOLE),
    ('an empty file that differs', 'If-Match: "a"', Failure(412)),
    sample=EMPTY,
) + cases(
    'RFC 9110 section 9.3.2: a HEAD of an empty file',
    ('an empty file by HEAD', (), Whole(Content_Length='0')),
    sample=EMPTY, method='HEAD',
)  # fmt: skip

WRONG_CLOCK = cases(
    'RFC 9110 section 8.8.2.1: Last-Modified is never later than the answer',
    ('a file from the future', (), Whole(Last_Modified=_not_from_the_future)),
    sample=LATER,
)

_HEADS = [BYTES, EMPTY, ONE, LARGE, TEXT, *PASSIVE]
HEAD = [
    case
    for sample in _HEADS
    for case in cases(
        'RFC 9110 section 9.3.2: a HEAD has the headers of a GET, and no content',
        (f'a HEAD of {sample.filename}', (), WHOLE),
        method='HEAD',
        sample=sample,
    )
]

NEGOTIATION = cases(
    'RFC 9110 section 12: there is one representation; to send it is better than to send none',
    ('only images are accepted', 'Accept: image/png', WHOLE),
    ('nothing is accepted', 'Accept: */*;q=0', WHOLE),
    ('only a language is accepted', 'Accept-Language: fr', WHOLE),
    ('only a charset is accepted', 'Accept-Charset: utf-7', WHOLE),
    ('rubbish is accepted', 'Accept: ;;;,,/', WHOLE),
    ('an image by its hints', ('Save-Data: on', 'DPR: 2', 'Width: 100'), WHOLE),
    sample=TEXT,
) + cases(
    'Issue 5: nothing is compressed, so that positions are those of the file',
    ('gzip is accepted', 'Accept-Encoding: gzip', WHOLE),
    ('all encodings are accepted', 'Accept-Encoding: *', WHOLE),
    ('anything but the file itself is accepted', 'Accept-Encoding: gzip, identity;q=0', WHOLE),
    ('no encoding is accepted', 'Accept-Encoding:', WHOLE),
    ('gzip and a range', ('Accept-Encoding: gzip, br', 'Range: bytes=0-1'), Part(0, 2)),
    sample=TEXT,
)

OTHER_HEADERS = cases(
    'RFC 9110 section 5.1: fields that mean nothing to us are ignored',
    ('a client that wants no cache', ('Cache-Control: no-cache', 'Pragma: no-cache'), WHOLE),
    ('a client that wants only what a cache has', 'Cache-Control: only-if-cached', WHOLE),
    ('a client with cookies', 'Cookie: a=b; c="d', WHOLE),
    ('a client with credentials', 'Authorization: Basic Og==', WHOLE),
    ('a request from another origin', ('Origin: https://example.com', 'Sec-Fetch-Mode: cors'), WHOLE),
    ('a request by a page', ('Sec-Fetch-Dest: document', 'Sec-Fetch-Site: cross-site'), WHOLE),
    ('a referer that is no URL', 'Referer: <script>', WHOLE),
    ('a request that wants trailers', 'TE: trailers', WHOLE),
    ('a content range, which is no header of requests', 'Content-Range: bytes 0-1/256', WHOLE),
) + cases(
    'What a proxy in front says is for servers that were told to trust it',
    ('another method by a header', 'X-HTTP-Method-Override: DELETE', WHOLE),
    ('another URL by a header', 'X-Original-URL: /depot/local/secret.txt', WHOLE),
    ('another path by a header', 'X-Rewrite-URL: /depot/../secret.txt', WHOLE),
    ('another prefix by a header', 'X-Forwarded-Prefix: /other', WHOLE),
    ('another host by a header', 'X-Forwarded-Host: evil.example', WHOLE),
    ('an internal redirect by a header', ('X-Accel-Redirect: /etc/passwd', 'X-Sendfile: /etc/passwd'),
     Whole(X_Accel_Redirect=None, X_Sendfile=None)),
    ('a way of sending files by a header', ('X-Sendfile-Type: X-Accel-Redirect', 'X-Accel-Mapping: /=/internal/'),
     Whole(X_Accel_Redirect=None, X_Sendfile=None)),
    ('a range under the name that WSGI gives it', 'HTTP_RANGE: bytes=0-0', WHOLE),
    ('a path under the name that WSGI gives it', 'PATH_INFO: /depot/local/other', WHOLE),
) + cases(
    'An underscore is no dash; Granian says the same of both in the WSGI environment',
    ('a condition with underscores for dashes', 'If_None_Match: *', WHOLE),
    but={'granian-wsgi': NotModified()},
)  # fmt: skip

_METHODS = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE', 'QUERY']
METHODS = [
    case
    for method in _METHODS
    for case in cases(
        'design.md, Serving: all methods but GET and HEAD go to the application',
        (f'{method} of a file', 'Content-Length: 0', Application()),
        (f'{method} of a file on conditions', ('Content-Length: 0', 'If-None-Match: *', 'Range: bytes=0-0'),
         Application()),
        method=method,
    )
] + cases(
    'RFC 9110 section 9.1: the method is case-sensitive, so that this is none of ours',
    ('get of a file, in lower case', (), OneOf(Application(), Refused(400, 405, 501))),
    method='get',
)  # fmt: skip

QUERIES = [
    Case(f'the query string {query!r}', 'plan5.md: a query other than a token changes nothing', (), WHOLE,
         target=b'<path>?' + query)
    for query in (b'', b'a=b', b'download=1', b'&&&', b'range=0-1', b'path=../../secret.txt', b'%00',
                  b'a=%0d%0aX-Injected:1', b'a[]=1', b'?', b'/../', b'response-content-type=text/html',
                  b'x=' + b'x' * 3000)
]  # fmt: skip

NO_FILE = [
    Case(name, 'RFC 9110 section 15.5.5: there is no such file', lines, MISSING, method=method, target=target)
    for name, target in [
        ('an id of no file', b'/depot/<storage>/00000000-0000-4000-8000-000000000000'),
        ('an id that is none', b'/depot/<storage>/rubbish'),
        ('an id that is cut', b'/depot/<storage>/00000000-0000-4000'),
        ('a storage that is none', b'/depot/nowhere/<id>'),
        ('a storage without a file', b'/depot/<storage>'),
        ('a storage and a slash', b'/depot/<storage>/'),
        ('the mountpoint', b'/depot'),
        ('the mountpoint and a slash', b'/depot/'),
    ]
    for method in ('GET', 'HEAD')
    for lines in [()]
] + [
    Case(name, 'RFC 9110 section 13.2.1: conditions count only where the answer would be a file', lines, MISSING,
         target=b'/depot/<storage>/00000000-0000-4000-8000-000000000000')
    for name, lines in [
        ('an id of no file, and any would do', (b'If-Match: *',)),
        ('an id of no file, and the client has one', (b'If-None-Match: *',)),
        ('an id of no file, and a range', (b'Range: bytes=0-0',)),
        ('an id of no file, and rubbish for a date', (b'If-Modified-Since: rubbish',)),
        ('an id of no file, and a digest is wanted', (b'Want-Repr-Digest: sha-256=1',)),
    ]
]  # fmt: skip

NOT_OURS = [
    Case(name, 'depot-contract.md: what is not below the mountpoint goes to the application', (), Application(),
         method=method, target=target)
    for name, target in [
        ('another path', b'/other'),
        ('a path that begins as the mountpoint', b'/depotskipped'),
        ('a file below a path that begins as the mountpoint', b'/depots/<storage>/<id>'),
        ('a file below another path', b'/other/depot/<storage>/<id>'),
    ]
    for method in ('GET', 'HEAD')
]  # fmt: skip

CASES = [
    *PLAIN, *EMPTY_FILE, *WRONG_CLOCK, *HEAD, *NEGOTIATION, *OTHER_HEADERS, *METHODS, *QUERIES, *NO_FILE, *NOT_OURS,
]  # fmt: skip
