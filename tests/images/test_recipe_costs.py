"""What a recipe costs is up to the image that it is for: it must not be much for a small file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from depot.errors import ImageTooLarge
from depot.images.limits import Limits
from depot.images.recipe import Variant
from depot.images.transform import transform

from .pictures import animated, encoded
from .recipe_costs import CASES, SECONDS
from .scenes import pictures_in


def test_no_recipe_makes_a_bomb_of_a_small_file() -> None:
    """Seconds are those of the processor, which other tests do not slow down; memory is the most at any time."""
    command = [sys.executable, '-W', 'error', '-m', 'tests.images.recipe_costs']
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    costs = json.loads(run.stdout)
    assert costs.keys() == CASES.keys()
    too_much = {
        name: cost for name, cost in costs.items() if cost['mib'] >= CASES[name].mib or cost['seconds'] >= SECONDS
    }
    assert not too_much


@pytest.mark.parametrize(
    ('size', 'recipe'),
    [((60, 15_000), {'resize_to_fit': (800, None)}), ((3_900, 3_900), {'rotate': 30, 'resize': (200, 200)})],
)
def test_a_recipe_does_not_make_millions_of_pixels_of_some_bytes(size: tuple[int, int], recipe: dict[str, Any]) -> None:
    with pytest.raises(ImageTooLarge, match='for each of its bytes'):
        transform(encoded(Image.new('1', size)), Variant(**recipe), Limits(pixels=10**9))


@pytest.mark.parametrize('angle', [30, 45.5, -60])
def test_what_is_turned_askew_is_held_to_the_limits(angle: float) -> None:
    with pytest.raises(ImageTooLarge, match='pixels, 1000000 are allowed'):
        transform(encoded(Image.new('L', (20, 5_000))), Variant(rotate=angle, resize=(9, 9)), Limits(pixels=1_000_000))


def test_a_narrow_image_is_not_turned_askew_before_it_is_smaller() -> None:
    narrow = encoded(Image.effect_noise((60, 15_000), 90))
    with pytest.raises(ImageTooLarge, match='so narrow that it has .* turned by 30 degrees; resize it before'):
        transform(narrow, Variant(rotate=30, sharpen=True, resize=(200, 200)))
    assert transform(narrow, Variant(resize=(200, 200), rotate=30)).height < 200


def test_all_frames_of_a_result_are_held_to_the_limits() -> None:
    moving = animated([(each, 0, 0) for each in range(100)], size=(30, 20))
    enlarged = Variant(resize_to_fit=(300, 200))
    with pytest.raises(ImageTooLarge, match='memory'):
        transform(moving, enlarged, Limits(memory=12_000_000))
    assert transform(moving, enlarged, Limits(memory=50_000_000)).width == 300


@pytest.mark.parametrize('crop', ['centre', 'attention', 'entropy'])
def test_of_a_narrow_image_the_part_that_is_kept_is_enlarged(crop: str) -> None:
    narrow = Image.new('RGB', (60, 10_000), 'white')
    narrow.paste((200, 0, 0), (10, 4_980, 50, 5_020))
    (made,) = pictures_in(transform(encoded(narrow), Variant(resize_to_fill=(600, 600, {'crop': crop}))).content)
    assert made.size == (600, 600)
    reds = made.convert('RGB').getchannel('G').point(lambda value: 255 if value < 128 else 0).getbbox()
    assert reds
    left, top, right, bottom = reds
    assert (left, right) == pytest.approx((100, 500), abs=3)
    assert bottom - top == pytest.approx(400, abs=6)


@pytest.mark.parametrize('size', [(1, 10_000), (10_000, 1), (2, 60_000)])
@pytest.mark.parametrize('crop', ['centre', 'south-east', 'attention'])
def test_only_what_is_kept_of_an_image_counts_however_narrow_it_is(size: tuple[int, int], crop: str) -> None:
    gradient = Image.linear_gradient('L').resize(size)
    made = transform(encoded(gradient), Variant(resize_to_fill=(200, 200, {'crop': crop})))
    assert (made.width, made.height) == (200, 200)


def test_an_image_is_not_enlarged_beyond_all() -> None:
    with pytest.raises(ImageTooLarge, match='The image has 16000 x 1040000000 pixels'):
        transform(encoded(Image.new('L', (1, 65_000))), Variant(resize_to_fill=(16_000, 10)))
