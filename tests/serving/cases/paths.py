"""Attacks on paths: no file is reached but by its one URL, and nothing is reached that is no stored file."""

from __future__ import annotations

from .words import MISSING, Application, Case, OneOf, Refused, Whole

#: What any of them may come to: the file is not there, it is not for us, or the server does not take such a request.
HARMLESS = OneOf(MISSING, Application(), Refused(400, 404, 414, 501))

#: The very URL in another spelling: RFC 3986 section 6.2.2 says that it is the same.
SAME = OneOf(Whole(), HARMLESS)


def _attacks(why, *rows, want=HARMLESS, **more):
    return [Case(name, why, (), want, target=target, **more) for name, target in rows]


_ONE_URL = 'design.md, Serving: a path with more or fewer segments than mountpoint/storage/id is a 404: one URL a file'

SEGMENTS = _attacks(
    _ONE_URL,
    ('a slash behind the id', b'<path>/'),
    ('two slashes behind the id', b'<path>//'),
    ('a segment behind the id', b'<path>/file'),
    ('a file name behind the id', b'<path>/bytes.bin'),
    ('the metadata behind the id', b'<path>/metadata.json'),
    ('a dot behind the id', b'<path>/.'),
    ('two dots behind a segment', b'<path>/x/..'),
    ('two slashes before the mountpoint', b'//depot/<storage>/<id>'),
    ('two slashes behind the mountpoint', b'/depot//<storage>/<id>'),
    ('two slashes behind the storage', b'/depot/<storage>//<id>'),
    ('three slashes behind the storage', b'/depot/<storage>///<id>'),
    ('a dot before the mountpoint', b'/./depot/<storage>/<id>'),
    ('a dot behind the mountpoint', b'/depot/./<storage>/<id>'),
    ('a dot behind the storage', b'/depot/<storage>/./<id>'),
    ('out of the mountpoint and in again', b'/depot/../depot/<storage>/<id>'),
    ('out of the storage and in again', b'/depot/<storage>/../<storage>/<id>'),
    ('out of another storage', b'/depot/other/../<storage>/<id>'),
    ('out of a file', b'/depot/<storage>/x/../<id>'),
    ('out of another folder', b'/x/../depot/<storage>/<id>'),
    ('above the root', b'/../depot/<storage>/<id>'),
    ('without a storage', b'/depot/<id>'),
    ('without a storage, with a slash for it', b'/depot//<id>'),
    ('a blank storage', b'/depot/%20/<id>'),
)

TRAVERSAL = _attacks(
    'Nothing but stored files is to be reached',
    ('a file in the folder of the storage', b'/depot/<storage>/secret.txt'),
    ('the file above the folder', b'/depot/<storage>/../secret.txt'),
    ('the file above the folder, from an id', b'<path>/../../secret.txt'),
    ('the file above the folder, encoded', b'/depot/<storage>/%2e%2e/secret.txt'),
    ('the file above the folder, encoded in upper case', b'/depot/<storage>/%2E%2E%2Fsecret.txt'),
    ('the file above the folder, with encoded slashes', b'/depot/<storage>/..%2fsecret.txt'),
    ('the file above the folder, doubly encoded', b'/depot/<storage>/%252e%252e%252fsecret.txt'),
    ('the file above the folder, triply encoded', b'/depot/<storage>/%25252e%25252e%25252fsecret.txt'),
    ('the file above the folder, in overlong UTF-8', b'/depot/<storage>/%c0%ae%c0%ae%c0%afsecret.txt'),
    ('the file above the folder, in longer UTF-8', b'/depot/<storage>/%e0%80%ae%e0%80%ae%e0%80%afsecret.txt'),
    ('the file above the folder, in UTF-8 of six bytes', b'/depot/<storage>/%fc%80%80%80%80%ae/secret.txt'),
    ('the file above the folder, by backslashes', b'/depot/<storage>/..\\secret.txt'),
    ('the file above the folder, by encoded backslashes', b'/depot/<storage>/..%5csecret.txt'),
    ('the file above the folder, by Unicode in the way of IIS', b'/depot/<storage>/%u002e%u002e%u2215secret.txt'),
    ('the file above the folder, by full-width dots', b'/depot/<storage>/%ef%bc%8e%ef%bc%8e/secret.txt'),
    ('the file above the folder, with dots of four', b'/depot/<storage>/....//secret.txt'),
    ('the file above the folder, with a semicolon', b'/depot/<storage>/..;/secret.txt'),
    ('the file above the folder, with NUL', b'/depot/<storage>/..%00/secret.txt'),
    ('the password file', b'/depot/<storage>/../../../../../../../../etc/passwd'),
    ('the password file, encoded', b'/depot/<storage>/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd'),
    ('the password file as an id', b'/depot/<storage>/%2fetc%2fpasswd'),
    ('the password file by a URL', b'/depot/<storage>/file:///etc/passwd'),
    ('the folder of the file', b'/depot/<storage>/<id>/../'),
    ('dots for an id', b'/depot/<storage>/..'),
    ('a dot for an id', b'/depot/<storage>/.'),
    ('dots for a storage', b'/depot/../<id>'),
    ('a star for an id', b'/depot/<storage>/*'),
    ('a folder for a storage', b'/depot/..%2f<storage>/<id>'),
)

# Granian decodes the path for WSGI and keeps no other, so that nobody behind it can tell the two.
_NOT_TOLD = {'granian-wsgi': SAME}

ENCODED = _attacks(
    'design.md, Serving: encoded slashes are a 404: one URL a file',
    ('the slash behind the storage, encoded', b'/depot/<storage>%2f<id>'),
    ('the slash behind the storage, encoded in upper case', b'/depot/<storage>%2F<id>'),
    ('the slash behind the mountpoint, encoded', b'/depot%2f<storage>/<id>'),
    ('all slashes but the first, encoded', b'/depot%2f<storage>%2f<id>'),
    ('a slash behind the id, encoded', b'<path>%2f'),
    ('a slash before the mountpoint, encoded', b'/%2fdepot/<storage>/<id>'),
    but=_NOT_TOLD,
) + _attacks(
    'What is decoded once is not decoded again',
    ('the slash behind the storage, doubly encoded', b'/depot/<storage>%252f<id>'),
    ('a letter of the mountpoint, doubly encoded', b'/%2564epot/<storage>/<id>'),
    ('a digit of the id, doubly encoded', b'/depot/<storage>/%2530<id>'),
    ('the slash in overlong UTF-8', b'/depot/<storage>%c0%af<id>'),
    ('a letter of the mountpoint in overlong UTF-8', b'/%c1%a4epot/<storage>/<id>'),
    ('a backslash for the slash', b'/depot/<storage>\\<id>'),
    ('an encoded backslash for the slash', b'/depot/<storage>%5c<id>'),
    ('a sign that looks like a slash', b'/depot/<storage>%E2%88%95<id>'),
    ('an encoding that ends too early', b'<path>%'),
    ('an encoding of one digit', b'<path>%2'),
    ('an encoding of letters that are no digits', b'<path>%zz'),
) + _attacks(
    'RFC 3986 section 6.2.2.2: a letter that is encoded without need is the same letter',
    ('a letter of the mountpoint, encoded', b'/%64epot/<storage>/<id>'),
    ('a letter of the storage, encoded', b'/depot/%6Cocal/<id>'),
    ('the dashes of the id, encoded', b'/depot/<storage>/<encoded>'),
    want=SAME,
)  # fmt: skip

CHARACTERS = _attacks(
    _ONE_URL,
    ('NUL behind the id', b'<path>%00'),
    ('NUL and a suffix behind the id', b'<path>%00.png'),
    ('NUL before the id', b'/depot/<storage>/%00<id>'),
    ('NUL behind the storage', b'/depot/<storage>%00/<id>'),
    ('NUL behind the mountpoint', b'/depot%00/<storage>/<id>'),
    ('a line feed behind the id', b'<path>%0a'),
    ('a carriage return and a line feed behind the id', b'<path>%0d%0aX-Injected:%201'),
    ('a header behind the storage', b'/depot/<storage>%0d%0aX-Injected:%201/<id>'),
    ('a blank behind the id', b'<path>%20'),
    ('a blank before the id', b'/depot/<storage>/%20<id>'),
    ('a plus before the id', b'/depot/<storage>/+<id>'),
    ('a tab behind the id', b'<path>%09'),
    ('a blank behind the storage', b'/depot/<storage>%20/<id>'),
    ('a dot behind the id itself', b'<path>.'),
    ('a suffix behind the id', b'<path>.bin'),
    ('a colon behind the id', b'<path>:$DATA'),
    ('a semicolon behind the id', b'<path>;x=y'),
    ('a semicolon behind the storage', b'/depot/<storage>;x=y/<id>'),
    ('a semicolon behind the mountpoint', b'/depot;x=y/<storage>/<id>'),
    ('an encoded question mark behind the id', b'<path>%3fa=b'),
    ('an encoded hash behind the id', b'<path>%23a'),
    ('a comma behind the id', b'<path>,'),
    ('a tilde behind the id', b'<path>~'),
    ('a mark of direction in the id', b'/depot/<storage>/%E2%80%AE<id>'),
    ('a blank of no width in the id', b'/depot/<storage>/<id>%E2%80%8B'),
    ('a byte order mark before the id', b'/depot/<storage>/%EF%BB%BF<id>'),
    ('half a surrogate pair behind the id', b'<path>%ED%A0%80'),
    ('bytes that are no UTF-8 behind the id', b'<path>%ff%fe'),
    ('bytes that are no UTF-8 for a storage', b'/depot/%ff%fe/<id>'),
    ('an id of thousands of letters', b'<path>' + b'a' * 5000),
    ('a path of a thousand segments', b'/depot/<storage>' + b'/x' * 1000),
)

SPELLINGS = _attacks(
    f'{_ONE_URL}; other notations of the id are other URLs',
    ('the id in upper case', b'/depot/<storage>/<upper>'),
    ('the id without dashes', b'/depot/<storage>/<hex>'),
    ('the id in braces', b'/depot/<storage>/{<id>}'),
    ('the id in encoded braces', b'/depot/<storage>/%7b<id>%7d'),
    ('the id as a URN', b'/depot/<storage>/urn:uuid:<id>'),
    ('the id with a dash more', b'/depot/<storage>/-<id>'),
    ('the id with its dashes elsewhere', b'/depot/<storage>/<dashes>'),
    ('the id in digits of another script', b'/depot/<storage>/<arabic>'),
    ('the id in full-width digits', b'/depot/<storage>/<fullwidth>'),
    ('the id in quotes', b'/depot/<storage>/%22<id>%22'),
    ('the storage in upper case', b'/depot/<STORAGE>/<id>'),
    ('the mountpoint in upper case', b'/DEPOT/<storage>/<id>'),
    ('a storage that begins as ours', b'/depot/<storage>s/<id>'),
    ('an attribute of the manager', b'/depot/__class__/<id>'),
    ('no storage at all by its Python name', b'/depot/None/<id>'),
)

FORMS = _attacks(
    'RFC 9112 section 3.2: other forms of a target reach the same file, or none',
    ('the whole URL', b'http://127.0.0.1/depot/<storage>/<id>'),
    ('the whole URL of another host', b'http://evil.example/depot/<storage>/<id>'),
    ('the whole URL with a user', b'http://a:b@127.0.0.1/depot/<storage>/<id>'),
    ('the whole URL in upper case', b'HTTP://127.0.0.1/depot/<storage>/<id>'),
    ('a fragment behind the id', b'<path>#fragment'),
    want=SAME,
) + _attacks(
    'RFC 9112 section 3.2: what is no path reaches nothing',
    ('no slash before the mountpoint', b'depot/<storage>/<id>'),
    ('a host for the mountpoint', b'//depot/depot/<storage>/<id>'),
    ('a URL of a file', b'file:///etc/passwd'),
    ('a URL of another scheme', b'javascript:alert(1)'),
    ('a star for a target', b'*'),
    ('a host and a port for a target', b'127.0.0.1:80'),
    ('a blank in the target', b'/depot/<storage>/ <id>'),
    ('a question mark before the id', b'/depot/<storage>/?<id>'),
    ('a question mark for the slash', b'/depot?<storage>/<id>'),
    ('bytes above ASCII in the target', b'<path>\xff'),
    ('UTF-8 in the target', b'/depot/<storage>/\xd9\xa0<id>'),
    ('a control character in the target', b'<path>\x01'),
    ('NUL in the target', b'<path>\x00'),
)  # fmt: skip

CONFUSION = _attacks(
    'design.md, Serving: what begins as the mountpoint is not below it',
    ('a letter behind the mountpoint', b'/depotx/<storage>/<id>'),
    ('a dot behind the mountpoint itself', b'/depot./<storage>/<id>'),
    ('two dots behind the mountpoint itself', b'/depot../<storage>/<id>'),
    ('two dots behind the mountpoint, to a file', b'/depot../secret.txt'),
    ('a blank behind the mountpoint', b'/depot%20/<storage>/<id>'),
    ('the storage in the mountpoint', b'/depot<storage>/<id>'),
    ('the mountpoint twice', b'/depot/depot/<storage>/<id>'),
    ('the mountpoint as the id', b'/depot/<storage>/depot'),
    ('the mountpoint in full-width letters', b'/%EF%BD%84epot/<storage>/<id>'),
)

ATTACKS = [*SEGMENTS, *TRAVERSAL, *ENCODED, *CHARACTERS, *SPELLINGS, *FORMS, *CONFUSION]
