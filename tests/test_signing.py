"""Signed messages: what was signed comes back, and nothing else does."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any

import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot import signing
from depot.errors import ConfigurationError, WrongSignature
from depot.signing import Signer

KEY = 'a key of this test'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ALL_TEXT = st.text(st.characters(codec=None, categories=None))  # lone surrogates too


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(signing, 'time', lambda: seconds)

    set_to(1_000_000)
    return set_to


def refused(signer: Signer, token: str, bound_to: str = '') -> bool:
    try:
        signer.unsign(token, bound_to)
    except WrongSignature:
        return True
    return False


@given(JSON, ALL_TEXT)
def test_what_was_signed_comes_back(value: Any, bound_to: str) -> None:
    signer = Signer(KEY, 'test')
    assert signer.unsign(signer.sign(value, bound_to), bound_to) == value


@given(ALL_TEXT)
def test_any_text_can_be_signed(text: str) -> None:
    signer = Signer(KEY, 'test')
    assert signer.unsign(signer.sign(text, expires=60)) == text


@given(JSON)
def test_a_token_needs_no_encoding_in_a_url(value: Any) -> None:
    assert re.fullmatch(r'[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}', Signer(KEY, 'test').sign(value, expires=60))


@pytest.mark.parametrize('value', [float('nan'), float('inf'), b'bytes', object()])
def test_what_json_cannot_say_is_not_signed(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Signer(KEY, 'test').sign(value)


@given(JSON, st.data())
def test_a_token_with_any_character_changed_is_refused(value: Any, data: st.DataObject) -> None:
    signer = Signer(KEY, 'test')
    token = signer.sign(value, 'bound', 60)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec=None, categories=None) | st.sampled_from('AQgwBRhx.-_='))
    changed = token[:at] + other + token[at + 1 :]
    assert changed == token or refused(signer, changed, 'bound')


@given(JSON, st.data())
def test_a_token_with_anything_put_in_or_cut_out_is_refused(value: Any, data: st.DataObject) -> None:
    signer = Signer(KEY, 'test')
    token = signer.sign(value)
    start = data.draw(st.integers(0, len(token)))
    stop = data.draw(st.integers(start, len(token)))
    changed = token[:start] + data.draw(ALL_TEXT | st.sampled_from(['', '=', '.', ' ', '\n'])) + token[stop:]
    assert changed == token or refused(signer, changed)


def test_the_last_character_has_one_spelling_only() -> None:
    """256 bits are 42 characters and four bits of one more, whose other two do not count in Base64."""
    signer = Signer(KEY, 'test')
    token = signer.sign('value')
    spellings = [token[:-1] + each for each in 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    assert [each for each in spellings if not refused(signer, each)] == [token]


@given(ALL_TEXT, ALL_TEXT)
def test_what_it_is_bound_to_has_to_be_known(one: str, other: str) -> None:
    signer = Signer(KEY, 'test')
    assert one == other or refused(signer, signer.sign('value', one), other)


@pytest.mark.parametrize(('one', 'other'), [('', '\0'), ('a', 'a '), ('a', 'A'), ('é', 'e\u0301'), ('a"', 'a\\"')])
def test_what_it_is_bound_to_is_compared_exactly(one: str, other: str) -> None:
    signer = Signer(KEY, 'test')
    assert refused(signer, signer.sign('value', one), other)


def test_nothing_moves_from_what_it_is_bound_to_into_what_it_says() -> None:
    signer = Signer(KEY, 'test')
    blanks = 'ICAg'  # in Base64, before which and after which JSON is the same
    assert refused(signer, blanks + signer.sign('value', f'a{blanks}'), 'a')


def test_what_it_is_bound_to_is_not_in_it() -> None:
    signer = Signer(KEY, 'test')
    payload = signer.sign('value', 'a secret').partition('.')[0]
    assert itsdangerous.base64_decode(payload) == b'["value",null]'


def test_a_token_for_one_purpose_is_worth_nothing_for_another() -> None:
    assert refused(Signer(KEY, 'other'), Signer(KEY, 'test').sign('value'))


def test_a_token_of_another_key_is_refused() -> None:
    assert refused(Signer('another key', 'test'), Signer(KEY, 'test').sign('value'))


# Expiry


def test_a_token_expires_by_the_second(clock: Callable[[float], None]) -> None:
    signer = Signer(KEY, 'test')
    token = signer.sign('value', expires=60)
    assert signer.read(token) == ('value', 1_000_060)
    clock(1_000_059.999)
    assert signer.unsign(token) == 'value'
    clock(1_000_060)
    assert refused(signer, token)


def test_a_part_of_a_second_is_rounded_up(clock: Callable[[float], None]) -> None:
    signer = Signer(KEY, 'test')
    assert signer.read(signer.sign('value', expires=0.001)).expires_at == 1_000_001


def test_a_token_without_an_expiry_works_for_good(clock: Callable[[float], None]) -> None:
    signer = Signer(KEY, 'test')
    token = signer.sign('value')
    clock(1e12)
    assert signer.read(token) == ('value', None)


def test_the_instant_is_in_the_token_so_no_other_expiry_can_be_claimed(clock: Callable[[float], None]) -> None:
    signer = Signer(KEY, 'test')
    short, long = signer.sign('value', expires=1).split('.'), signer.sign('value', expires=9999).split('.')
    assert refused(signer, f'{long[0]}.{short[1]}')


# Keys


@pytest.mark.parametrize('keys', ['text', b'bytes', ['text'], ('text', b'bytes'), 'é', '\ud800'])
def test_keys_are_text_or_bytes(keys: Any) -> None:
    assert Signer(keys, 'test').unsign(Signer(keys, 'test').sign('value')) == 'value'


@pytest.mark.parametrize(
    'keys', [None, '', b'', [], [''], ['text', ''], ['text', None], 5, {'a': 1}, {'text'}, [['a']]]
)
def test_what_is_no_key_is_refused(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match='a key to sign with is text or bytes, not empty'):
        Signer(keys, 'test')


def test_the_newest_key_signs_and_an_old_one_verifies_until_it_is_removed() -> None:
    of_old = Signer('old', 'test').sign('value')
    both = Signer(['old', 'new'], 'test')
    assert both.unsign(of_old) == 'value'
    assert refused(Signer('new', 'test'), of_old)
    assert refused(Signer('old', 'test'), both.sign('value'))
    assert Signer('new', 'test').unsign(both.sign('value')) == 'value'


def test_no_key_is_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Signer(['s3cret', ''], 'test')
    assert 's3cret' not in f'{caught.value!r} {Signer("s3cret", "test")!r}'


# Refusals


@given(ALL_TEXT)
def test_anything_else_is_refused(token: str) -> None:
    assert refused(Signer(KEY, 'test'), token)


@pytest.mark.parametrize(
    'token',
    ['', '.', '..', 'a.b', 'é.é', '\0', '\ud800.\udfff', '.' * 1000, 'A' * 1_000_000, '[' * 100_000, 'W10.' + 'A' * 43],
    ids=lambda token: repr(token[:10]),
)
def test_a_hostile_token_is_refused(token: str) -> None:
    assert refused(Signer(KEY, 'test'), token)


def forged(payload: bytes) -> str:
    """A token with a valid signature over anything: as if the key were used elsewhere, in the same way."""
    signer = Signer(KEY, 'test')
    text = itsdangerous.base64_encode(payload).decode()
    return f'{text}.{signer._signer.get_signature(signing._message(text, "")).decode()}'


def test_what_is_forged_here_is_well_forged() -> None:
    assert Signer(KEY, 'test').unsign(forged(b'["value",null]')) == 'value'


@pytest.mark.parametrize(
    'payload',
    [
        b'',
        b'"ab"',
        b'{"a": 1, "b": 2}',
        b'[]',
        b'["value"]',
        b'["value", null, null]',
        b'["value", "soon"]',
        b'["value", 1e400]',
        b'["value", NaN]',
        b'["value", []]',
        b'\xff\xff',
        b'["value", null',
        b'[' * 100_000,
        b'["value", ' + b'9' * 5000 + b']',
    ],
    ids=lambda payload: repr(payload[:20]),
)
def test_a_valid_signature_over_another_shape_is_refused(payload: bytes) -> None:
    assert refused(Signer(KEY, 'test'), forged(payload))


def test_refusals_do_not_differ(clock: Callable[[float], None]) -> None:
    signer = Signer(KEY, 'test')
    expired = signer.sign('value', expires=1)
    clock(2_000_000)
    told = set()
    for token in ('', expired, signer.sign('value', 'bound'), forged(b'[]'), Signer('other', 'test').sign('value')):
        with pytest.raises(WrongSignature) as caught:
            signer.unsign(token)
        told.add((str(caught.value), caught.value.__cause__, caught.value.__suppress_context__))
    assert len(told) == 1
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_wrong_signature_is_a_value_error() -> None:
    assert issubclass(WrongSignature, ValueError)
