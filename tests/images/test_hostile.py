"""Files that are made to harm: an error of ours, soon, at no cost, and the process goes on."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from depot.errors import ImageTooLarge, InvalidImage
from depot.images import decoding
from depot.images.made import Made
from depot.images.pillow_wanted import Wanted
from depot.images.recipe import Variant
from depot.images.settings import configure_images

from . import hostile, pictures
from .hostile import BOMBS, IMPOSTORS, PADDED, PAYLOAD, POLYGLOTS

WANTED = [Wanted(100, 100), Wanted(30, 30, 'PNG')]
VARIANT = Variant(resize_to_limit=(100, 100))
MOVING = Variant(resize_to_limit=(100, 100), format='webp')

#: The ways from a file to what is made of it.
WAYS: dict[str, Callable[[bytes], Any]] = {
    'classes': lambda content: decoding.shrunk(io.BytesIO(content), WANTED),
    'recipes': lambda content: [decoding.transformed(content, VARIANT)],
    'recipes with frames': lambda content: [decoding.transformed(content, MOVING)],
}


@pytest.fixture(autouse=True)
def default_limits() -> Iterator[None]:
    configure_images()
    yield
    configure_images()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[bytes], list[Made | None]]:
    return WAYS[request.param]


@pytest.mark.parametrize('bomb', BOMBS)
def test_a_bomb_is_refused(way: Callable[[bytes], Any], bomb: str) -> None:
    with pytest.raises(InvalidImage):
        way(BOMBS[bomb]())


@pytest.mark.parametrize('bomb', PADDED)
def test_a_bomb_that_is_padded_is_refused_for_the_memory_that_it_takes(way: Callable[[bytes], Any], bomb: str) -> None:
    with pytest.raises(ImageTooLarge, match='Decoding the image takes .* bytes'):
        way(PADDED[bomb]())


@pytest.mark.parametrize('image_format', ['HEIF', 'AVIF', 'BMP'])
def test_what_decoders_hold_wholly_is_held_to_the_memory_that_is_allowed(
    way: Callable[[bytes], Any], image_format: str
) -> None:
    configure_images(memory=300 * 200 * 5)
    with pytest.raises(ImageTooLarge, match='Decoding the image takes .* bytes'):
        way(pictures.encoded(pictures.cornered(), image_format))


@pytest.mark.parametrize('impostor', IMPOSTORS)
def test_what_is_no_image_is_refused(way: Callable[[bytes], Any], impostor: str) -> None:
    with pytest.raises(InvalidImage):
        way(IMPOSTORS[impostor]())


@pytest.mark.parametrize('polyglot', POLYGLOTS)
def test_what_is_made_of_a_polyglot_is_nothing_but_an_image(
    way: Callable[[bytes], list[Made | None]], polyglot: str
) -> None:
    content = POLYGLOTS[polyglot]()
    assert PAYLOAD in content or b'PK\x03\x04' in content or b'iCCP' in content
    for made in filter(None, way(content)):
        assert (made.width, made.height) in {(100, 67), (30, 20)}
        assert b'script' not in made.content
        assert b'PK\x03\x04' not in made.content
        assert b'iCCP' not in made.content


@pytest.mark.parametrize('name', TRUNCATED := hostile.truncated())
def test_a_truncated_image_is_refused(way: Callable[[bytes], Any], name: str) -> None:
    with pytest.raises(InvalidImage):
        way(TRUNCATED[name])


@pytest.mark.parametrize('image_format', pictures.FORMATS)
def test_a_damaged_image_is_refused_or_shown_and_nothing_else(way: Callable[[bytes], Any], image_format: str) -> None:
    for seed in range(60):
        with contextlib.suppress(InvalidImage):
            made = way(hostile.damaged(image_format, seed))
            assert all(each is None or max(each.width, each.height) <= 100 for each in made)


@pytest.mark.parametrize('loader', ['jpeg', 'png', 'gif', 'webp', 'avif', 'heic', 'tiff', 'bmp'])
def test_a_format_that_is_not_listed_is_refused(way: Callable[[bytes], Any], loader: str) -> None:
    configure_images(loaders='jpeg, png' if loader not in {'jpeg', 'png'} else 'gif')
    content = pictures.encoded(pictures.cornered(), 'HEIF' if loader == 'heic' else loader.upper())
    with pytest.raises(InvalidImage, match=f'is a {loader} file; the formats that are read are'):
        way(content)


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [
        ('pixels', 59_999, '300 x 200 pixels, 59999 are allowed'),
        ('bytes', 300, 'bytes, 300 are allowed'),
        ('density', 1, r'\d+ pixels for each of its bytes, 1 are allowed'),
        ('memory', 59_999, 'Decoding the image takes .* bytes, 59999 are allowed'),
    ],
)
def test_a_limit_says_what_is_too_much_and_how_to_allow_more(
    way: Callable[[bytes], Any], option: str, value: int, message: str
) -> None:
    configure_images(**{option: value})
    size = (5000, 4000) if option == 'density' else (300, 200)
    with pytest.raises(ImageTooLarge, match=rf'{message}; configure_images\({option}=...\) allows more'):
        way(pictures.encoded(pictures.cornered(*size), 'BMP' if option == 'memory' else 'PNG'))


def test_frames_are_limited(way: Callable[[bytes], Any]) -> None:
    configure_images(frames=3)
    with pytest.raises(ImageTooLarge, match='4 frames or more, 3 are allowed'):
        way(pictures.animated(pictures.CORNERS))


def test_the_pixels_of_all_frames_that_are_decoded_count() -> None:
    configure_images(pixels=239_999)
    moving = pictures.animated(pictures.CORNERS)
    with pytest.raises(ImageTooLarge, match='300 x 200 pixels in 4 frames'):
        decoding.shrunk(io.BytesIO(moving), [Wanted(30, 30, 'GIF')])
    assert decoding.shrunk(io.BytesIO(moving), [Wanted(30, 30, 'JPEG')])


def test_many_pixels_of_one_colour_are_no_bomb_if_they_are_not_too_many(way: Callable[[bytes], Any]) -> None:
    plain = pictures.encoded(pictures.cornered(5000, 4000), 'PNG')
    assert way(plain)[0].width == 100


# What they cost


def test_a_bomb_costs_under_a_second_and_under_64_mib() -> None:
    """Seconds are those of the processor, which other tests do not slow down; memory is the most at any time."""
    command = [sys.executable, '-W', 'error', '-m', 'tests.images.costs']
    # Coverage would cost more than what is measured.
    environment = {name: value for name, value in os.environ.items() if not name.startswith('COVERAGE')}
    run = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    costs = json.loads(run.stdout)
    assert len(costs) == len(WAYS) * (len(BOMBS) + len(IMPOSTORS))
    too_much = {name: cost for name, cost in costs.items() if cost['seconds'] >= 1 or cost['mib'] >= 64}
    assert not too_much
