"""Every kind of file × every operation: exact sizes, the right way up, all frames, and colours within a bound."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops

from depot.images.recipe import Variant
from depot.images.transform import transform

from .pictures import encoded
from .scenes import FILES, MARK, OPERATIONS, content_of, corners, difference, expected, in_gif, pictures_in

OVERLAYS = {'mark.png': encoded(MARK)}

# A single pixel of a lossy file, or one beside an edge, is farther away than all are on average.
_PIXEL = 6


@pytest.mark.parametrize('operation', OPERATIONS)
@pytest.mark.parametrize('name', FILES)
def test_an_operation_on_a_file(name: str, operation: str) -> None:
    file, variant = FILES[name], Variant(**OPERATIONS[operation].recipe, format='png', lossless=True)
    made = transform(content_of(name), variant, overlays=OVERLAYS)
    (picture,) = pictures_in(made.content)
    wanted = expected(file.shows, operation)
    assert picture.size == (made.width, made.height) == wanted.size
    assert difference(picture, wanted) <= file.bound
    for found, right in zip(corners(picture), corners(wanted), strict=True):
        assert max(abs(a - b) for a, b in zip(found, right, strict=True)) <= _PIXEL * file.bound


@pytest.mark.parametrize('operation', OPERATIONS)
@pytest.mark.parametrize('image_format', ['gif', 'webp'])
@pytest.mark.parametrize('name', [name for name, file in FILES.items() if file.frames > 1])
def test_an_operation_on_all_frames(name: str, image_format: str, operation: str) -> None:
    variant = Variant(**OPERATIONS[operation].recipe, format=image_format, lossless=True)
    made = transform(content_of(name), variant, overlays=OVERLAYS)
    shown = OPERATIONS[operation].reference
    first = FILES[name].shows()
    wanted = [shown(each) for each in (first, ImageChops.invert(first), first.convert('L').convert('RGB'))]
    frames = pictures_in(made.content)
    assert [frame.size for frame in frames] == [(made.width, made.height)] * FILES[name].frames
    for frame, right in zip(frames, wanted, strict=True):
        assert frame.size == right.size
        assert difference(frame, right) <= FILES[name].bound + 4  # palettes


@pytest.mark.parametrize('image_format', ['jpeg', 'png', 'gif', 'webp', 'avif'])
@pytest.mark.parametrize('name', FILES)
def test_a_file_in_a_format(name: str, image_format: str) -> None:
    made = transform(content_of(name), Variant(format=image_format, quality=90))
    frames = pictures_in(made.content)
    assert (made.format, made.content_type) == (image_format, f'image/{image_format}')
    assert frames[0].size == (made.width, made.height) == (300, 200)
    assert len(frames) == (FILES[name].frames if image_format in {'gif', 'webp'} else 1)
    shown = in_gif(FILES[name].shows()) if image_format == 'gif' else FILES[name].shows()
    assert difference(frames[0], shown) <= FILES[name].bound + 5


def test_the_bounds_are_narrow_enough() -> None:
    """An operation that was not done, or was done the other way round, is seen."""
    scene = FILES['png'].shows()
    for name, (recipe, _) in OPERATIONS.items():
        made = expected(FILES['png'].shows, name)
        untouched = scene.resize(made.size)
        changed = not recipe.keys() <= {'sharpen', 'blur', 'resize_to_fit', 'resize_to_limit'} and 'width' not in name
        assert (difference(made, untouched) > 2 * FILES['png'].bound) == changed, name
        assert difference(made, made.transpose(Image.Transpose.ROTATE_180)) > 2 * FILES['png'].bound, name
