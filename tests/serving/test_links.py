"""The tokens of URLs: what they grant, and every way to misuse one."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot import signing
from depot.serving import links
from depot.serving.links import NOTHING_MORE, Grant, Links, token_of

KEYS = ['old key', 'new key']
PATH = 'files/0193506a-1111-7abc-8def-0123456789ab'
GRANT = Grant('Bericht Nº 7.pdf', 'attachment', 'thumb')
NOW = 1_795_000_000

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
GRANTS = st.builds(
    Grant, st.none() | ANY_TEXT, st.sampled_from([None, 'inline', 'attachment']), st.none() | ANY_TEXT, st.none()
)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which can be changed."""
    now = [float(NOW)]
    monkeypatch.setattr(signing, 'time', lambda: now[0])
    return now


def link(path: str = PATH, **changes: Any) -> str:
    given: dict[str, Any] = {'grant': GRANT, 'expires': 60, **changes}
    return Links(KEYS).link(path, **given)


# What is granted


@given(ANY_TEXT, GRANTS, ANY_TEXT)
def test_what_was_granted_comes_back(path: str, grant: Grant, fingerprint: str) -> None:
    links = Links(KEYS)
    token = links.link(path, grant, None, fingerprint)
    assert links.grant(path, token, fingerprint) == grant


def test_a_grant_knows_when_it_ends() -> None:
    assert Links(KEYS).grant(PATH, link()) == GRANT._replace(expires_at=NOW + 60)


def test_a_token_that_grants_nothing_more_is_short() -> None:
    assert len(Links(KEYS).link(PATH, NOTHING_MORE, 3600)) == 64


def test_a_url_that_never_expires_is_always_the_same(now: list[float]) -> None:
    token = link(expires=None)
    now[0] += 1e9
    assert link(expires=None) == token
    assert Links(KEYS).grant(PATH, token) == GRANT


def test_a_token_without_a_fingerprint_is_valid_for_every_request() -> None:
    assert Links(KEYS).grant(PATH, link(), 'session 1') is not None


# What is refused: the path, the token and the fingerprint of a request, and the links that it meets


class Attack(NamedTuple):
    token: str
    path: str = PATH
    fingerprint: str = ''
    links: Links = Links(KEYS)


def _halves(token: str) -> list[str]:
    return token.split('.')


def _flipped(token: str, at: int) -> str:
    return token[:at] + ('A' if token[at] != 'A' else 'B') + token[at + 1 :]


@pytest.fixture
def good() -> str:
    return link()


OTHER_FILE = 'files/0193506a-2222-7abc-8def-0123456789ab'

ATTACKS = {
    'no token': lambda good: Attack(''),
    'the first character flipped': lambda good: Attack(_flipped(good, 0)),
    'the last character of what is said flipped': lambda good: Attack(_flipped(good, good.index('.') - 1)),
    'the first character of the signature flipped': lambda good: Attack(_flipped(good, good.index('.') + 1)),
    'the last character flipped': lambda good: Attack(_flipped(good, -1 % len(good))),
    'upper case': lambda good: Attack(good.upper()),
    'the first character cut': lambda good: Attack(good[1:]),
    'the last character cut': lambda good: Attack(good[:-1]),
    'the signature cut in half': lambda good: Attack(good[:-21]),
    'the signature cut': lambda good: Attack(good.partition('.')[0]),
    'the signature empty': lambda good: Attack(good.partition('.')[0] + '.'),
    'the signature alone': lambda good: Attack('.' + good.partition('.')[2]),
    'twice': lambda good: Attack(good + good),
    'signed twice': lambda good: Attack(f'{good}.{_halves(good)[1]}'),
    'padded': lambda good: Attack(good + '='),
    'a blank before': lambda good: Attack(' ' + good),
    'a blank after': lambda good: Attack(good + ' '),
    'a line break after': lambda good: Attack(good + '\n'),
    'a NUL after': lambda good: Attack(good + '\0'),
    'a letter that Base64 passes over': lambda good: Attack(good[:-5] + 'é' + good[-5:]),
    'what is said of one, signature of another': lambda good: Attack(
        f'{_halves(good)[0]}.{_halves(link(grant=Grant("other.pdf")))[1]}'
    ),
    'a later expiry, same signature': lambda good: Attack(f'{_halves(link(expires=9999))[0]}.{_halves(good)[1]}'),
    'no expiry, same signature': lambda good: Attack(f'{_halves(link(expires=None))[0]}.{_halves(good)[1]}'),
    'another name, same signature': lambda good: Attack(
        f'{_halves(link(grant=GRANT._replace(filename="virus.exe")))[0]}.{_halves(good)[1]}'
    ),
    'shown instead of saved, same signature': lambda good: Attack(
        f'{_halves(link(grant=GRANT._replace(disposition="inline")))[0]}.{_halves(good)[1]}'
    ),
    'another rendition, same signature': lambda good: Attack(
        f'{_halves(link(grant=GRANT._replace(rendition=None)))[0]}.{_halves(good)[1]}'
    ),
    'another file': lambda good: Attack(good, OTHER_FILE),
    'another storage': lambda good: Attack(good, PATH.replace('files', 'other')),
    'a storage whose name is longer': lambda good: Attack(good, f'my{PATH}'),
    'the id written otherwise': lambda good: Attack(good, PATH.upper()),
    'a slash more': lambda good: Attack(good, f'{PATH}/'),
    'no id': lambda good: Attack(good, 'files/'),
    'a rendition by its path': lambda good: Attack(good, f'{PATH}/thumb'),
    'another purpose': lambda good: Attack(good, links=Links(KEYS, 'upload')),
    'a token of another purpose': lambda good: Attack(Links(KEYS, 'upload').link(PATH, GRANT, 60)),
    'no purpose': lambda good: Attack(good, links=Links(KEYS, '')),
    'another key': lambda good: Attack(good, links=Links('another key')),
    'a token of another key': lambda good: Attack(Links('another key').link(PATH, GRANT, 60)),
    'a token of an old key that is removed': lambda good: Attack(Links('old key').link(PATH), links=Links('new key')),
    'the key is its own derivation': lambda good: Attack(Links('depot.serve').link(PATH)),
    'expired by a second': lambda good: Attack(link(expires=-1)),
    'expired just now': lambda good: Attack(link(expires=0)),
    'another fingerprint': lambda good: Attack(link(fingerprint='session 1'), fingerprint='session 2'),
    'the fingerprint left out': lambda good: Attack(link(fingerprint='session 1')),
    'the path is in the fingerprint': lambda good: Attack(
        link('files', fingerprint='session'), 'files", "session', fingerprint=''
    ),
    'the fingerprint is in the path': lambda good: Attack(
        link('files", "session', fingerprint=''), 'files', fingerprint='session'
    ),
}


def test_the_links_of_the_attacks_accept_what_is_theirs(good: str) -> None:
    assert Attack(good).links.grant(PATH, good) is not None
    assert Links(KEYS).grant(PATH, Links('old key').link(PATH)) is not None
    assert Links(KEYS).grant(PATH, link(fingerprint='session 1'), 'session 1') is not None
    assert Links(KEYS).grant(PATH, link(expires=1)) is not None


@pytest.mark.parametrize('attack', ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_granted_nothing(attack: Any, good: str) -> None:
    token, path, fingerprint, links = attack(good)
    assert (token, path, fingerprint, links) != Attack(good)
    assert links.grant(path, token, fingerprint) is None


def test_no_token_at_all_grants_nothing() -> None:
    assert Links(KEYS).grant(PATH, None) is None


@given(ANY_TEXT)
def test_a_token_is_worth_nothing_for_any_other_path(path: str) -> None:
    assert path == PATH or Links(KEYS).grant(path, link()) is None


@given(st.data())
def test_a_token_with_any_character_changed_grants_nothing(data: st.DataObject) -> None:
    token = link()
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.characters(codec=None, categories=None)) + token[at + 1 :]
    assert changed == token or Links(KEYS).grant(PATH, changed) is None


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_whatever_comes_grants_nothing_and_raises_nothing(path: str, token: str, fingerprint: str) -> None:
    assert Links(KEYS).grant(path, token, fingerprint) is None


@pytest.mark.parametrize(
    'said',
    [
        None,
        'text',
        7,
        {},
        {'filename': 'a'},
        [7],
        [['a']],
        ['a', 'download'],
        ['a', ''],
        ['a', None, 7],
        ['a', None, None, None],
        [None, True],
        [{}],
    ],
    ids=repr,
)
def test_a_valid_signature_over_another_shape_grants_nothing(said: Any) -> None:
    links = Links(KEYS)
    bound_to = signing.json.dumps([PATH, ''])
    assert links.grant(PATH, links._signer.sign([], bound_to)) == NOTHING_MORE
    assert links.grant(PATH, links._signer.sign(said, bound_to)) is None


def test_every_refusal_asks_the_key_as_often(monkeypatch: pytest.MonkeyPatch, good: str) -> None:
    asked: list[object] = []
    verify = signing.itsdangerous.Signer.verify_signature
    monkeypatch.setattr(
        signing.itsdangerous.Signer, 'verify_signature', lambda *args: asked.append(None) or verify(*args)
    )
    counts = set()
    for attack in ATTACKS.values():
        token, path, fingerprint, links = attack(good)
        asked.clear()
        links.grant(path, token, fingerprint)
        counts.add(len(asked))
    assert counts == {2}


# The query string


@pytest.mark.parametrize(
    ('query', 'token'),
    [
        ('', None),
        ('a=b', None),
        ('token', ''),
        ('token=', ''),
        ('token=abc.d-_', 'abc.d-_'),
        ('token=abc%2Ed%2D%5F', 'abc.d-_'),
        ('utm_source=mail&token=abc&x', 'abc'),
        ('Token=abc', None),
        ('token=abc&token=abc', ''),
        ('token=a=b', 'a=b'),
        ('token=%ff%zz%', '\ufffd%zz%'),
        ('&&=&', None),
        ('&' * 100_000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_token_of_a_query(query: str, token: str | None) -> None:
    assert token_of(query) == token


@given(ANY_TEXT)
def test_any_query_can_be_asked_for_a_token(query: str) -> None:
    token = token_of(query)
    assert token is None or Links(KEYS).grant(PATH, token) is None


def test_grants_are_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr(links, '_REMEMBERED', 2)
    several = Links('key')
    for path in 'a/1', 'a/2', 'a/3', 'a/1':
        assert several.grant(path, several.link(path)) == NOTHING_MORE
    assert len(several._granted) <= 2
