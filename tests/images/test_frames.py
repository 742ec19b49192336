"""Every frame of an animation is an image of its own."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from depot.images.recipe import Variant
from depot.images.transform import transform

from .pictures import _TURNED, are_near, cornered, corners_of_frames, encoded
from .scenes import pictures_in

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
LOSSLESS = {'format': 'webp', 'lossless': True}


def frames_of(content: bytes, **recipe: Any) -> list[Image.Image]:
    return [each.convert('RGBA') for each in pictures_in(transform(content, Variant(**recipe, **LOSSLESS)).content)]


def animation(frames: list[Image.Image], image_format: str = 'WEBP', **options: Any) -> bytes:
    lossless = {'lossless': True} if image_format == 'WEBP' else {}
    return encoded(
        frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, **lossless, **options
    )


@pytest.mark.parametrize('image_format', ['GIF', 'WEBP'])
@pytest.mark.parametrize('size', [(60, 40), (61, 43), (31, 5), (7, 333)])
@pytest.mark.parametrize(
    'recipe',
    [
        {},
        {'resize': (50, 50)},
        {'resize': (17, 17)},
        {'resize_to_fit': (200, None)},
        {'resize_to_fill': (31, 31)},
        {'resize_to_fill': (31, 31), 'sharpen': True},
        {'resize_to_fill': (131, 131, {'crop': 'attention'})},
        {'blur': 3},
        {'rotate': 90, 'resize': (20, 20)},
    ],
)
def test_no_frame_shines_into_another(image_format: str, size: tuple[int, int], recipe: dict[str, Any]) -> None:
    colours = [RED, GREEN, BLUE]
    frames = frames_of(animation([Image.new('RGB', size, each) for each in colours], image_format), **recipe)
    assert len(frames) == 3
    for frame, colour in zip(frames, colours, strict=True):
        found = {each for _, each in frame.getcolors(1_000_000) or []}
        assert are_near(found, [(*colour, 255)] * len(found), 2)


@pytest.mark.parametrize('recipe', [{}, {'resize_to_fill': (30, 20)}, {'resize': (30, 30)}, {'rotate': 180}])
@pytest.mark.parametrize('orientation', _TURNED)
def test_every_frame_is_upright(orientation: int, recipe: dict[str, Any]) -> None:
    turn = _TURNED[orientation]
    upright = [cornered(96, 64), cornered(96, 64, (BLUE, BLUE, RED, GREEN)), cornered(96, 64, (RED,) * 4)]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = [each if turn is None else each.transpose(turn) for each in upright]
    made = transform(animation(stored, exif=exif), Variant(**recipe, **LOSSLESS, keep_metadata=True))
    wanted = corners_of_frames(transform(animation(upright), Variant(**recipe, **LOSSLESS)).content)
    assert made.width / made.height == pytest.approx(1.5)
    assert len(wanted) == 3
    for found, right in zip(corners_of_frames(made.content), wanted, strict=True):
        assert are_near(found, right, 2)
    assert pictures_in(made.content)[0].getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize('lossless', [True, False])
def test_an_animation_says_that_it_is_transparent_in_parts(lossless: bool) -> None:
    """Browsers go by that: without it, they show black (RFC 9649, section 2.7)."""
    content = animation([Image.new('RGB', (60, 40), each) for each in (RED, BLUE)])
    made = transform(content, Variant(resize_and_pad=(40, 40), format='webp', lossless=lossless))
    for frame in pictures_in(made.content):
        assert frame.mode == 'RGBA'
        assert [frame.getpixel((20, y))[3] for y in (2, 20, 37)] == [0, 255, 0]
    assert pictures_in(transform(content, Variant(resize=(30, 30))).content)[0].mode == 'RGB'


def test_an_animation_keeps_its_metadata_if_the_recipe_says_so() -> None:
    exif = Image.Exif()
    exif[0x010E] = 'A place'
    content = animation([Image.new('RGB', (60, 40), each) for each in (RED, BLUE)], exif=exif)
    made = transform(content, Variant(resize=(30, 30), blur=1, keep_metadata=True))
    assert pictures_in(made.content)[0].getexif()[0x010E] == 'A place'
