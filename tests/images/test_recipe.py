"""A recipe is one thing, however it is written."""

from __future__ import annotations

import contextlib
import copy
import enum
import json
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.errors import InvalidVariant
from depot.images.recipe import Variant


class Three(enum.IntEnum):
    times = 3


SAME: dict[str, list[Variant]] = {
    'a size': [
        Variant(resize_to_limit=(200, 100)),
        Variant(resize_to_limit=[200, 100]),
        Variant(resize_to_limit={'height': 100, 'width': 200}),
        Variant(resize=(200, 100)),
        Variant(('resize', (200, 100))),
        Variant(resize=(200, 100), eager=True),
        Variant(resize=(200, 100), rotate=360, fliphor=False, blur=None, quality=None),
        Variant(resize=(200, 100), lossless=False, background='white', progressive=False),
    ],
    'an option of an operation': [
        Variant(resize_to_fill=(200, 100, {'crop': 'north-east'})),
        Variant(resize_to_fill={'width': 200, 'height': 100, 'crop': 'North_East'}),
    ],
    'a default of an operation': [
        Variant(resize_to_fill=(200, None)),
        Variant(resize_to_fill=(200, None, {})),
        Variant(resize_to_fill={'width': 200}),
        Variant(resize_to_fill=(200, None, {'crop': 'center'})),
    ],
    'an angle': [Variant(rotate=90), Variant(rotate=90.0), Variant(rotate=-270), Variant(rotate={'angle': 450})],
    'a colour': [
        Variant(background='#00f'),
        Variant(background='#0000FF'),
        Variant(background='#0000ffff'),
        Variant(background=(0, 0, 255)),
        Variant(background=[0, 0, 255, 255]),
    ],
    'a colour by its name': [Variant(background='Red'), Variant(background='#f00')],
    'grey': [Variant(background=each) for each in ('gray', 'grey', '#808080')],
    'a format': [Variant(format='jpeg'), Variant(format='JPG')],
    'a number': [Variant(blur=3), Variant(blur=3.0), Variant(blur=Fraction(3)), Variant(blur=Three.times)],
    'a whole number': [Variant(quality=3), Variant(quality=Three.times)],
    'a corner': [Variant(composite=('a.png', {'gravity': each})) for each in ('south-west', 'SouthWest', 'south west')],
    'sharper': [Variant(sharpen=True), Variant(sharpen=1), Variant(sharpen=1.0), Variant(sharpen={'sigma': 1})],
    'order of options': [Variant(format='webp', quality=3), Variant(quality=3, format='webp')],
}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({'resize': 200}, 'resize_to_limit takes (width, height)'),
    ({'resize': (200,)}, 'resize_to_limit takes (width, height)'),
    ({'resize': (200, 200, 200)}, 'resize_to_limit takes (width, height)'),
    ({'resize': (None, None)}, 'at least one side'),
    ({'resize': (0, 200)}, 'width is a whole number from 1 to 16383, not 0'),
    ({'resize': (200, 16384)}, 'height is a whole number from 1 to 16383, not 16384'),
    ({'resize': (True, 200)}, 'not True'),
    ({'resize': ('200', 200)}, "not '200'"),
    ({'resize': {'w': 200, 3: 4}}, "not 'w', 3"),
    ({'resize_to_fill': (1, 1, {'crop': 'middle'})}, 'crop is one of centre'),
    ({'fliphor': 'yes'}, 'fliphor takes True'),
    ({'rotate': 'left'}, 'angle is a number of degrees'),
    ({'rotate': float('nan')}, 'angle is a number of degrees'),
    ({'blur': True}, 'sigma is a number from 0.1 to 250'),
    ({'blur': 251}, 'sigma is a number from 0.1 to 250'),
    ({'blur': float('inf')}, 'sigma is a number from 0.1 to 250'),
    ({'blur': {}}, 'sigma is a number from 0.1 to 250'),
    ({'composite': '/etc/passwd'}, 'the name of an overlay'),
    ({'composite': '../logo.png'}, 'the name of an overlay'),
    ({'composite': 'marks/../../logo.png'}, 'the name of an overlay'),
    ({'composite': 'C:\\logo.png'}, 'the name of an overlay'),
    ({'composite': '.hidden'}, 'the name of an overlay'),
    ({'composite': 'logo.png\n'}, 'the name of an overlay'),
    ({'background': '#12345'}, 'background is'),
    ({'background': (1, 2, 256)}, 'background is'),
    ({'background': 'reddish'}, 'or white, black, transparent, aqua'),
    ({'format': 'bmp'}, 'format is one of jpeg, png, gif, webp, avif'),
    ({'quality': 0}, 'quality is a whole number from 1 to 100'),
    ({'frames': 0}, 'frames is a whole number'),
    ({'lossless': 1}, 'lossless is True or False'),
    ({'eager': 'no'}, "eager is True or False, not 'no'"),
    ({'enlarge': (1, 1)}, "called 'enlarge'; choose from resize_to_fit"),
    ({'page': 3}, 'not made yet'),
    ({'source': 'pdf'}, 'not made yet'),
]


@pytest.mark.parametrize('written', SAME.values(), ids=SAME.keys())
def test_recipes_that_mean_the_same_are_equal_and_have_one_key(written: list[Variant]) -> None:
    assert len({each.key for each in written}) == len({each.to_text() for each in written}) == len(set(written)) == 1


def test_recipes_that_mean_something_else_have_another_key() -> None:
    firsts = [written[0] for written in SAME.values()]
    assert len({each.key for each in firsts}) == len(set(firsts)) == len(firsts)


def test_the_order_of_operations_counts() -> None:
    assert Variant(rotate=90, fliphor=True) != Variant(fliphor=True, rotate=90)
    assert Variant(rotate=90, fliphor=True).key != Variant(fliphor=True, rotate=90).key


def test_an_operation_may_happen_more_than_once() -> None:
    variant = Variant(('rotate', 90), ('fliphor', True), rotate=90)
    assert [step.operation for step in variant.steps] == ['rotate', 'fliphor', 'rotate']


def test_a_key_never_changes() -> None:
    """Renditions that were made are found by it; with another text for a recipe, VERSION is another as well."""
    variant = Variant(resize_to_fill=(200, 100, {'crop': 'attention'}), sharpen=True, format='webp', quality=80)
    assert variant.to_text() == (
        '[1,[["resize_to_fill",[200,100,{"crop":"attention"}]],["sharpen",1]],{"format":"webp","quality":80}]'
    )
    assert variant.key == 'c1efa1f872388e98b9625a13fc3c03ea'
    assert re.fullmatch('[0-9a-f]{32}', Variant().key)


@pytest.mark.parametrize(('recipe', 'message'), REFUSED, ids=lambda each: str(each)[:40])
def test_what_is_no_recipe_is_refused_with_what_would_be_one(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidVariant, match=re.escape(message)):
        Variant(**recipe)


@pytest.mark.parametrize('step', ['rotate', ('rotate',), ('rotate', 90, 90), (90, 'rotate'), None])
def test_a_step_is_a_pair(step: Any) -> None:
    with pytest.raises(InvalidVariant, match='pair'):
        Variant(step)


def test_what_is_misspelt_is_refused_with_all_that_there_is() -> None:
    with pytest.raises(InvalidVariant, match="'eger'; choose from resize_to_fit, .*, keep_metadata, eager$"):
        Variant(resize=(1, 1), eger=True)


def test_a_name_that_a_column_gives_is_no_recipe() -> None:
    with pytest.raises(
        InvalidVariant, match=r"not 'thumb'; a variant that a column has a name for is an attribute: \.thumb"
    ):
        Variant('thumb')  # type: ignore[arg-type]


@pytest.mark.parametrize('variant', [written[-1] for written in SAME.values()], ids=SAME.keys())
def test_a_recipe_comes_back_from_its_text(variant: Variant) -> None:
    assert Variant.from_text(variant.to_text()) == variant
    assert eval(repr(variant)) == variant


@pytest.mark.parametrize(
    'text',
    [
        *('', '[]', 'null', '3', '[2,[],{}]', '[1,3,{}]', '[1,[],[]]', '[1,["rotate"],{}]', '[1,[],{"rotate":"x"}]'),
        *('[' * 100_000, '[1,[["rotate",NaN]],{}]'),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(InvalidVariant):
        Variant.from_text(text)


@pytest.mark.parametrize('text', [None, 3, ['rotate', 90]])
def test_what_is_no_text_is_no_recipe_either(text: Any) -> None:
    with pytest.raises(InvalidVariant, match='Not the text of a recipe'):
        Variant.from_text(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
def test_whatever_stands_for_the_steps_of_a_text_is_read_or_refused(steps: Any) -> None:
    text = json.dumps([1, steps, {}])
    with contextlib.suppress(InvalidVariant):
        assert Variant.from_text(text).key


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_recipe_is_copied_and_pickled(copied: Any) -> None:
    variant = Variant(resize=(200, 100), format='webp', eager=True)
    assert copied(variant) == variant
    assert copied(variant).eager


def test_a_recipe_does_not_change() -> None:
    variant: Any = Variant(resize=(200, 100))
    with pytest.raises(AttributeError):
        variant.eager = True
    with pytest.raises(AttributeError):
        del variant.steps
    with pytest.raises(TypeError):
        variant.options['quality'] = 1
    with pytest.raises(TypeError):
        variant.steps[0].arguments['width'] = 1


def test_a_recipe_can_be_made_from_the_parts_of_another() -> None:
    variant = Variant(resize=(200, 100), format='webp')
    assert Variant(*variant.steps, **variant.options) == variant
    assert Variant(*variant.steps, grayscale=True).steps[0] == variant.steps[0]


def test_a_recipe_needs_no_image_library() -> None:
    code = 'import sys, depot.images.recipe; sys.exit(bool({"pyvips", "PIL"} & set(sys.modules)))'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0


def test_an_option_that_stands_outside_of_its_operation_is_told_where_it_belongs() -> None:
    with pytest.raises(
        InvalidVariant, match=r"belongs to resize_to_fill, as in .*\(width, height, \{'crop': \.\.\.\}\)"
    ):
        Variant(resize_to_fill=(200, 200), crop='attention')


@pytest.mark.parametrize('angle', [10**400, -(10**400), float('inf'), float('nan'), 36_001])
def test_an_angle_beyond_all_is_refused(angle: float) -> None:
    with pytest.raises(InvalidVariant, match='a number of degrees'):
        Variant(rotate=angle)


def test_an_angle_that_is_nearly_none_is_none() -> None:
    assert Variant(rotate=-1e-20) == Variant()


def test_a_number_of_thousands_of_digits_is_refused_as_any_other() -> None:
    with pytest.raises(InvalidVariant, match='a whole number from 1 to 100'):
        Variant(quality=10**5000)
