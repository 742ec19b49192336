"""The manual shows what there is: each operation with a picture, each option in the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from depot.images.arguments import OPERATIONS, OPTIONS
from depot.images.recipe import Variant

PAGE = (Path(__file__).parents[2] / 'docs/image-operations.rst').read_text(encoding='utf-8')

RECIPES = [eval(f'Variant({each})') for each in re.findall(r'^\.\. rendition:: ?(.*)$', PAGE, re.MULTILINE)]


@pytest.mark.parametrize('operation', OPERATIONS)
def test_an_operation_has_a_picture_and_a_word(operation: str) -> None:
    assert any(step.operation == operation for variant in RECIPES for step in variant.steps)
    assert f'``{operation}``' in PAGE or f'{operation}=True' in PAGE


@pytest.mark.parametrize('option', OPTIONS)
def test_an_option_is_in_the_table(option: str) -> None:
    assert f'    * - ``{option}``\n' in PAGE


def test_a_picture_is_shown_for_every_recipe() -> None:
    assert len(RECIPES) == PAGE.count('.. rendition::') == len(set(RECIPES))
    assert all(isinstance(each, Variant) for each in RECIPES)
