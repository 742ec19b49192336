"""Repr-Digest when Want-Repr-Digest asks for it: RFC 9530."""

from __future__ import annotations

import base64
import hashlib

from ..servers.samples import BYTES, EMPTY, LARGE
from .words import Failure, Part, Parts, Unsatisfiable, Whole, cases


def _digest(sample):
    return f'sha-256=:{base64.b64encode(hashlib.sha256(sample.content).digest()).decode()}:'


TOLD, NOT_TOLD = Whole(Repr_Digest=_digest(BYTES)), Whole(Repr_Digest=None)


def _want(why, *rows, **common):
    return cases(
        why,
        *((f'Want-Repr-Digest: {name}', f'Want-Repr-Digest: {value}', want) for name, value, want in rows),
        **common,
    )


ASKED = _want(
    'RFC 9530 sections 3 and 4: the digest that the client prefers, of those that we have',
    ('sha-256 is wanted', 'sha-256=10', TOLD),
    ('sha-256 is wanted a little', 'sha-256=1', TOLD),
    ('sha-256 is wanted among others', 'sha-512=3, sha-256=10, unixsum=0', TOLD),
    ('sha-256 is wanted less than others', 'sha-512=10, sha-256=1', TOLD),
    ('sha-256 is wanted, with blanks', '  sha-512=3 ,  sha-256=5  ', TOLD),
    ('sha-256 is wanted, with a parameter', 'sha-256=5;note="a, b"', TOLD),
) + _want(
    'RFC 9530 section 4: 0 means not acceptable',
    ('sha-256 is not wanted', 'sha-256=0', NOT_TOLD),
    ('sha-256 is not wanted, another is', 'sha-512=10, sha-256=0', NOT_TOLD),
) + _want(
    'RFC 8941 section 3.2: of two members with one key the last counts',
    ('sha-256 is wanted, and then not', 'sha-256=10, sha-256=0', NOT_TOLD),
    ('sha-256 is not wanted, and then is', 'sha-256=0, sha-256=10', TOLD),
) + _want(
    'We keep no digest but sha-256; RFC 9530 section 4 lets us send none',
    ('sha-512 is wanted', 'sha-512=10', NOT_TOLD),
    ('an old digest is wanted', 'md5=10', NOT_TOLD),
    ('a digest of nobody is wanted', 'sha-255=10', NOT_TOLD),
) + _want(
    'RFC 8941 section 4.2: a dictionary that cannot be parsed is ignored, all of it',
    ('no value', '', NOT_TOLD),
    ('a value without an equals sign', 'sha-256:10', NOT_TOLD),
    ('a key in upper case', 'SHA-256=10', NOT_TOLD),
    ('a comma at the end', 'sha-256=10,', NOT_TOLD),
    ('a string that does not end', 'sha-256=10, x="', NOT_TOLD),
    ('a number of too many digits', f'sha-256={"9" * 5000}', NOT_TOLD),
    ('rubbish', '=;,"', NOT_TOLD),
    ('the notation of the header before it', 'sha-256;q=0.5', NOT_TOLD),
) + _want(
    'RFC 9530 section 4: a value is a whole number from 0 to 10',
    ('a fraction', 'sha-256=3.5', NOT_TOLD),
    ('a negative number', 'sha-256=-1', NOT_TOLD),
    ('a truth value', 'sha-256', NOT_TOLD),
    ('a token', 'sha-256=yes', NOT_TOLD),
)  # fmt: skip

ANSWERS = cases(
    'RFC 9530 section 3: only who asks gets it',
    ('no digest is wanted', 'Accept: */*', NOT_TOLD),
    ('a digest of the content is wanted', 'Want-Content-Digest: sha-256=10', NOT_TOLD),
    ('the header of old is sent', 'Want-Digest: sha-256', NOT_TOLD),
) + cases(
    'RFC 9530 section 3: it is of the whole representation, whatever part of it is sent',
    ('sha-256 is wanted with a range', ('Want-Repr-Digest: sha-256=1', 'Range: bytes=0-1'),
     Part(0, 2, Repr_Digest=_digest(BYTES))),
    ('sha-256 is wanted with several ranges', ('Want-Repr-Digest: sha-256=1', 'Range: bytes=0-1,9-9'),
     Parts((0, 2), (9, 10), Repr_Digest=_digest(BYTES))),
    ('sha-256 is wanted with a range beyond the end', ('Want-Repr-Digest: sha-256=1', 'Range: bytes=256-'),
     Unsatisfiable()),
    ('sha-256 is wanted of a file that does not match', ('Want-Repr-Digest: sha-256=1', 'If-Match: "a"'), Failure(412)),
) + cases(
    'RFC 9530 section 3: a digest of nothing is a digest',
    ('sha-256 is wanted of an empty file', 'Want-Repr-Digest: sha-256=1', Whole(Repr_Digest=_digest(EMPTY))),
    sample=EMPTY,
) + cases(
    'RFC 9530 section 3, of a file of more than any buffer',
    ('sha-256 is wanted of a large file', 'Want-Repr-Digest: sha-256=1', Whole(Repr_Digest=_digest(LARGE))),
    sample=LARGE,
) + cases(
    'RFC 9110 section 9.3.2: a HEAD has the headers of a GET',
    ('sha-256 is wanted of a HEAD', 'Want-Repr-Digest: sha-256=1', TOLD),
    method='HEAD',
)  # fmt: skip

CASES = [*ASKED, *ANSWERS]
