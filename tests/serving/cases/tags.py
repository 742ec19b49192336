"""If-Match and If-None-Match: RFC 9110 sections 13.1.1 and 13.1.2."""

from __future__ import annotations

from .words import Failure, NotModified, Part, Whole, cases

WHOLE, FRESH, FAILED = Whole(), NotModified(), Failure(412)
_MANY = ', '.join(f'"{each}"' for each in range(300))


def _if_match(why, *rows, **common):
    return cases(why, *((f'If-Match: {name}', f'If-Match: {value}', want) for name, value, want in rows), **common)


def _if_none_match(why, *rows, **common):
    lines = ((f'If-None-Match: {name}', f'If-None-Match: {value}', want) for name, value, want in rows)
    return cases(why, *lines, **common)


IF_MATCH = (
    _if_match(
        'RFC 9110 section 13.1.1: true if a tag of the list matches, by the strong comparison',
        ('the tag of the file', '<tag>', WHOLE),
        ('another tag', '"another"', FAILED),
        ('the tag of the file, but weak', 'W/<tag>', FAILED),
        ('the tag of the file in another case', '<swapped>', FAILED),
        ('a list with the tag of the file', '"a", <tag>, "b"', WHOLE),
        ('a list without it', '"a", "b"', FAILED),
        ('a list without blanks', '"a",<tag>', WHOLE),
        ('a weak tag and the strong one', 'W/"a", <tag>', WHOLE),
        ('a list where it is weak', '"a", W/<tag>', FAILED),
        ('the empty tag', '""', FAILED),
        ('a tag with a comma before it', '"x,y", <tag>', WHOLE),
        ('a tag that holds the tag between commas', '"a, <opaque>, b"', FAILED),
        ('a tag longer than that of the file', '"<opaque>x"', FAILED),
        ('hundreds of tags, then the right one', f'{_MANY}, <tag>', WHOLE),
        ('hundreds of other tags', _MANY, FAILED),
    )
    + _if_match(
        'RFC 9110 section 13.1.1: a star is true if there is a file',
        ('a star', '*', WHOLE),
        ('a star with blanks', '  *  ', WHOLE),
    )
    + _if_match(
        'RFC 9110 section 5.6.1.2: empty elements are to be ignored',
        ('commas around the tag of the file', ', <tag> ,,', WHOLE),
    )
    + _if_match(
        'RFC 9110 section 13.1.1, step 3: otherwise the condition is false',
        ('the tag without quotes', '<opaque>', FAILED),
        ('the tag without its last quote', '"<opaque>', FAILED),
        ('rubbish', 'rubbish', FAILED),
        ('two stars', '**', FAILED),
        ('a star in quotes', '"*"', FAILED),
        ('no value', '', FAILED),
        ('commas', ',,', FAILED),
        ('thousands of quotes', '"' * 5001, FAILED),
    )
    + cases(
        'RFC 9110 section 5.3: lines of a list are one list',
        ('If-Match: two lines, the right tag in the second', ('If-Match: "a"', 'If-Match: <tag>'), WHOLE),
        ('If-Match: two lines of other tags', ('If-Match: "a"', 'If-Match: "b"'), FAILED),
    )
    + cases(
        'RFC 9110 section 13.2.1: the condition holds for a HEAD too',
        ('If-Match: the tag of the file, of a HEAD', 'If-Match: <tag>', WHOLE),
        ('If-Match: another tag, of a HEAD', 'If-Match: "a"', FAILED),
        ('If-Match: a star, of a HEAD', 'If-Match: *', WHOLE),
        method='HEAD',
    )
)

IF_NONE_MATCH = (
    _if_none_match(
        'RFC 9110 section 13.1.2: false if a tag of the list matches, by the weak comparison',
        ('the tag of the file', '<tag>', FRESH),
        ('another tag', '"another"', WHOLE),
        ('the tag of the file, but weak', 'W/<tag>', FRESH),
        ('another tag, weak', 'W/"another"', WHOLE),
        ('the tag of the file in another case', '<swapped>', WHOLE),
        ('a list with the tag of the file first', '<tag>, "a"', FRESH),
        ('a list with the tag of the file last', '"a", "b", <tag>', FRESH),
        ('a list with the weak tag of the file', '"a", W/<tag>', FRESH),
        ('a list of others', '"a", W/"b"', WHOLE),
        ('a list without blanks', '"a",<tag>,"b"', FRESH),
        ('a list with blanks and tabs', '"a" \t,\t <tag>', FRESH),
        ('a tag with a comma before it', '"x,y", <tag>', FRESH),
        ('a tag that holds the tag between commas', '"a, <opaque>, b"', WHOLE),
        ('a tag that is longer', '"<opaque>x"', WHOLE),
        ('a tag that is longer at the start', '"x<opaque>"', WHOLE),
        ('the empty tag', '""', WHOLE),
        ('hundreds of tags, then the right one', f'{_MANY}, <tag>', FRESH),
        ('hundreds of other tags', _MANY, WHOLE),
        ('a tag that compression by a proxy has made of it', '"<opaque>-gzip"', WHOLE),
    )
    + _if_none_match(
        'RFC 9110 section 13.1.2: a star is false if there is a file',
        ('a star', '*', FRESH),
        ('a star with blanks', '  *  ', FRESH),
    )
    + _if_none_match(
        'RFC 9110 section 5.6.1.2: empty elements are to be ignored',
        ('commas before the tag of the file', ',, <tag>', FRESH),
        ('commas behind the tag of the file', '<tag>,,', FRESH),
    )
    + _if_none_match(
        'RFC 9110 section 13.1.2, step 3: otherwise the condition is true',
        ('the tag without quotes', '<opaque>', WHOLE),
        ('the tag without its first quote', '<opaque>"', WHOLE),
        ('the tag without its last quote', '"<opaque>', WHOLE),
        ('the tag in single quotes', "'<opaque>'", WHOLE),
        ('a star in quotes', '"*"', WHOLE),
        ('no value', '', WHOLE),
        ('commas', ',,', WHOLE),
        ('rubbish', 'rubbish', WHOLE),
        ('thousands of quotes', '"' * 5001, WHOLE),
        ('thousands of weak marks', 'W/' * 2500, WHOLE),
        ('a tag of thousands of letters', '"' + 'x' * 5000 + '"', WHOLE),
    )
    + cases(
        'RFC 9110 section 8.8.3: a tag may hold obs-text; it is another tag all the same',
        ('If-None-Match: a tag that is not ASCII', 'If-None-Match: "é"'.encode(), WHOLE),
    )
    + cases(
        'RFC 9110 section 8.8.3: a tag may hold obs-text; Granian leaves such a field out of the environment of WSGI',
        ('If-None-Match: a tag that is not ASCII, then the right one', 'If-None-Match: "é", <tag>'.encode(), FRESH),
        but={'granian-wsgi': WHOLE},
    )
    + cases(
        'RFC 9110 section 5.3: lines of a list are one list',
        ('If-None-Match: two lines, the right tag first', ('If-None-Match: <tag>', 'If-None-Match: "a"'), FRESH),
        ('If-None-Match: two lines, the right tag second', ('If-None-Match: "a"', 'If-None-Match: <tag>'), FRESH),
        ('If-None-Match: three lines of others', ('If-None-Match: "a"',) * 3, WHOLE),
    )
    + cases(
        'RFC 9110 section 13.1.2: a HEAD is answered by 304 too',
        ('If-None-Match: the tag of the file, of a HEAD', 'If-None-Match: <tag>', FRESH),
        ('If-None-Match: another tag, of a HEAD', 'If-None-Match: "a"', WHOLE),
        ('If-None-Match: a star, of a HEAD', 'If-None-Match: *', FRESH),
        method='HEAD',
    )
    + cases(
        'RFC 9110 section 14.2: Range is evaluated after the conditions',
        ('If-None-Match: the tag of the file, and a range', ('If-None-Match: <tag>', 'Range: bytes=0-1'), FRESH),
        ('If-None-Match: another tag, and a range', ('If-None-Match: "a"', 'Range: bytes=0-1'), Part(0, 2)),
    )
)

CASES = [*IF_MATCH, *IF_NONE_MATCH]
