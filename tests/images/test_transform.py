"""What a rendition keeps of its original, what it does not, and how it is written."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image, ImageCms, ImageDraw

from depot.errors import ImageTooLarge, InvalidImage, InvalidVariant
from depot.images.arguments import FORMATS
from depot.images.limits import Limits
from depot.images.made import Made
from depot.images.recipe import Variant
from depot.images.transform import transform

from .pictures import BLUE, GREEN, RED, animated, are_near, encoded, frame_colours, opened, oriented, swapping_profile
from .scenes import corners, difference, faded, pictures_in, scene

PLACE = 'Fifty-two degrees north'
CLEAR = (0, 0, 0, 0)


def make(content: bytes, *steps: Any, **recipe: Any) -> Made:
    return transform(content, Variant(*steps, **recipe))


def picture_of(content: bytes, *steps: Any, **recipe: Any) -> Image.Image:
    (picture,) = pictures_in(make(content, *steps, **{'format': 'png', **recipe}).content)
    return picture


def taken_somewhere(image_format: str = 'JPEG') -> bytes:
    """A photo that tells where it was taken, in all the ways there are."""
    exif = Image.Exif()
    exif[0x010E] = PLACE
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = 'N'
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    profile = {'icc_profile': swapping_profile()}
    return encoded(scene(), image_format, exif=exif, xmp=f'<x>{PLACE}</x>'.encode(), comment=PLACE, **profile)


@pytest.mark.parametrize('image_format', FORMATS)
def test_nothing_tells_where_a_photo_was_taken(image_format: str) -> None:
    original = taken_somewhere()
    assert PLACE.encode() in original
    made = make(original, format=image_format)
    picture = opened(made.content)
    assert PLACE.encode() not in made.content
    assert not picture.getexif()
    assert not {'icc_profile', 'xmp', 'exif', 'comment'} & picture.info.keys()


@pytest.mark.parametrize('image_format', ['jpeg', 'webp', 'png', 'avif'])
def test_metadata_are_kept_if_the_recipe_says_so_and_the_image_is_upright_all_the_same(image_format: str) -> None:
    made = make(taken_somewhere(), format=image_format, keep_metadata=True)
    exif = opened(made.content).getexif()
    assert exif[0x010E] == PLACE
    assert exif.get_ifd(0x8825)[1] == 'N'
    assert exif.get(0x0112, 1) == 1
    assert (made.width, made.height) == (200, 300)


def test_the_small_picture_that_a_camera_adds_is_never_kept() -> None:
    """It may show what was cut off."""
    photo = pyvips.Image.new_from_buffer(encoded(scene(), 'JPEG'), '').copy()
    photo.set_type(pyvips.GValue.blob_type, 'jpeg-thumbnail-data', encoded(scene(60, 40), 'JPEG'))
    original = photo.jpegsave_buffer(keep='all')
    assert original.count(b'\xff\xd8\xff') == 2
    assert make(original, keep_metadata=True).content.count(b'\xff\xd8\xff') == 1


@pytest.mark.parametrize('source_format', ['JPEG', 'PNG', 'GIF', 'WEBP', 'AVIF'])
def test_the_format_is_that_of_the_original(source_format: str) -> None:
    assert make(encoded(scene(), source_format)).format == source_format.lower()


@pytest.mark.parametrize('source_format', ['TIFF', 'BMP', 'HEIF'])
def test_the_format_is_png_if_browsers_do_not_show_that_of_the_original(source_format: str) -> None:
    made = make(encoded(scene(), source_format))
    assert made[1:3] == ('png', 'image/png')
    assert opened(made.content).format == 'PNG'


@pytest.mark.parametrize('where', ['bytes', 'a file'])
@pytest.mark.parametrize('orientation', [0, 9, 300])
def test_a_tiff_in_an_orientation_that_there_is_not_is_taken_as_it_is(
    tmp_path: Path, orientation: int, where: str
) -> None:
    """As other formats are, and as the classes do it."""
    content = encoded(scene(), 'TIFF', tiffinfo={274: orientation})
    assert opened(content).tag_v2[274] == orientation
    (tmp_path / 'photo.tiff').write_bytes(content)
    made = transform(content if where == 'bytes' else tmp_path / 'photo.tiff', Variant(format='png'))
    (picture,) = pictures_in(made.content)
    assert difference(picture, scene()) == 0
    assert (tmp_path / 'photo.tiff').read_bytes() == content


def test_each_page_of_a_document_may_be_in_an_orientation_that_there_is_not() -> None:
    pages = encoded(scene(), 'TIFF', save_all=True, append_images=[scene()], tiffinfo={274: 9})
    assert difference(picture_of(pages), scene()) == 0


def test_what_is_transparent_is_white_where_a_format_has_no_transparency() -> None:
    clear = encoded(Image.new('RGBA', (30, 20), (200, 0, 0, 0)))
    assert are_near(corners(opened(make(clear, format='jpeg').content)), [(255, 255, 255)] * 4, 2)


@pytest.mark.parametrize('background', ['#204060', '#777'])
def test_what_is_transparent_gets_the_background_of_the_recipe(background: str) -> None:
    for mode in ('RGBA', 'LA'):
        clear = encoded(Image.new('RGBA', (30, 20), CLEAR).convert(mode))
        made = opened(make(clear, format='jpeg', background=background).content)
        wanted = Image.new('RGB', (1, 1), background).getpixel((0, 0))
        assert are_near(corners(made), [wanted] * 4, 3)


def test_what_is_transparent_stays_so_where_it_can() -> None:
    for image_format in ('png', 'webp', 'avif'):
        made = opened(make(encoded(faded()), format=image_format, lossless=True).content)
        assert made.mode == 'RGBA'
        assert difference(made, faded()) < 2
        assert made.getchannel('A').getextrema()[0] < 3


def test_colours_without_a_profile_of_a_press_are_taken_for_those_of_one() -> None:
    cyan = encoded(Image.new('CMYK', (30, 20), (255, 0, 0, 0)), 'JPEG')
    assert are_near(corners(picture_of(cyan)), [(0, 160, 225)] * 4, 20)  # a press cannot print 0, 255, 255


def test_a_profile_that_is_none_changes_nothing() -> None:
    for rubbish in (b'rubbish' * 40, swapping_profile()[:200]):
        photo = encoded(scene(), 'PNG', icc_profile=rubbish)
        assert difference(picture_of(photo), scene()) < 1.5


def test_a_profile_that_says_what_is_so_without_one_changes_nothing() -> None:
    common = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    small = pyvips.Image.black(1, 1, bands=3).icc_transform('srgb', input_profile='srgb').get('icc-profile-data')
    plain = make(encoded(scene(), 'JPEG'), resize=(90, 90))
    for profile in (common, small):
        assert make(encoded(scene(), 'JPEG', icc_profile=profile), resize=(90, 90)) == plain


def test_a_picture_with_more_bands_than_colours_is_one() -> None:
    many = pyvips.Image.black(30, 20).bandjoin([10, 200, 30, 1, 2, 3]).extract_band(1, n=6)
    many = many.cast('uchar').copy(interpretation='srgb')
    assert are_near(corners(picture_of(many.tiffsave_buffer())), [(10, 200, 30)] * 4, 2)


def test_black_and_white_is_read() -> None:
    content = encoded(Image.new('1', (30, 20), 1), 'TIFF')
    assert corners(picture_of(content)) == [(255, 255, 255)] * 4


# Animations


@pytest.mark.parametrize('target', ['gif', 'webp'])
@pytest.mark.parametrize('source', ['GIF', 'WEBP'])
def test_an_animation_keeps_its_frames_their_order_and_their_time(source: str, target: str) -> None:
    made = make(animated([RED, GREEN, BLUE], source, loop=2), resize=(60, 60), format=target)
    frames = pyvips.Image.new_from_buffer(made.content, '', n=-1)
    assert are_near(frame_colours(made.content), [(*each, 255) for each in (RED, GREEN, BLUE)])
    assert frames.get('delay') == [100, 200, 300]
    assert frames.get('loop') == pyvips.Image.new_from_buffer(animated([RED, GREEN], source, loop=2), '').get('loop')
    assert (made.width, made.height) == (60, 40)


def test_frames_that_look_the_same_all_stay() -> None:
    first = pyvips.Image.black(30, 20, bands=3).copy(interpretation='srgb')
    strip = pyvips.Image.arrayjoin([first, first, first + 200], across=1).cast('uchar').copy()
    strip.set_type(pyvips.GValue.gint_type, 'page-height', 20)
    original = strip.gifsave_buffer(keep_duplicate_frames=True)
    assert opened(make(original, fliphor=True).content).n_frames == 3


@pytest.mark.parametrize('target', ['jpeg', 'png', 'avif'])
def test_an_animation_becomes_its_first_frame_where_it_cannot_stay_one(target: str) -> None:
    made = make(animated([RED, GREEN, BLUE]), format=target)
    assert are_near(frame_colours(made.content), [(*RED, 255)])


@pytest.mark.parametrize('frames', [1, 2, 3, 4])
def test_a_recipe_says_how_many_frames_are_kept(frames: int) -> None:
    made = make(animated([RED, GREEN, BLUE]), frames=frames, rotate=90)
    assert are_near(frame_colours(made.content), [(*each, 255) for each in (RED, GREEN, BLUE)][:frames])
    assert (made.width, made.height) == (200, 300)


def test_a_long_animation_takes_no_longer_than_its_frames() -> None:
    """Libvips would take minutes, and gigabytes, if all of them were put together before they are made."""
    colours = [(each, 255 - each, 128) for each in range(250)]
    made = make(animated(colours, 'WEBP', size=(16, 12), lossless=True), rotate=30, blur=1, lossless=True)
    assert are_near(frame_colours(made.content), [(*each, 255) for each in colours], 2)


def test_the_pages_of_a_document_are_no_animation() -> None:
    pages = [Image.new('RGB', (30, 20), each) for each in ('red', 'blue')]
    document = encoded(pages[0], 'TIFF', save_all=True, append_images=pages[1:])
    assert frame_colours(make(document, format='gif').content) == [(255, 0, 0, 255)]


def test_all_frames_are_cropped_in_one_place() -> None:
    frames = [_with_a_spot(at) for at in (40, 260)]
    original = encoded(frames[0], 'GIF', save_all=True, append_images=frames[1:], duration=100)
    cropped = pictures_in(make(original, resize_to_fill=(200, 200, {'crop': 'attention'}), format='webp').content)
    assert [_has_a_spot(each) for each in cropped] == [True, False]


# Cropping and laying over


def _with_a_spot(x: int) -> Image.Image:
    """A grey picture, in which something is."""
    picture = Image.new('RGB', (300, 200), (128, 128, 128))
    draw = ImageDraw.Draw(picture)
    for size, colour in ((30, 'red'), (20, 'yellow'), (10, 'red')):
        draw.ellipse((x - size, 100 - size, x + size, 100 + size), fill=colour)
    return picture


def _has_a_spot(picture: Image.Image) -> bool:
    return max(high - low for low, high in picture.convert('RGB').getextrema()) > 60


@pytest.mark.parametrize('crop', ['attention', 'entropy'])
@pytest.mark.parametrize('x', [40, 260])
def test_the_interesting_part_is_kept(x: int, crop: str) -> None:
    content = encoded(_with_a_spot(x))
    assert _has_a_spot(picture_of(content, resize_to_fill=(50, 100, {'crop': crop})))
    assert not _has_a_spot(picture_of(content, resize_to_fill=(50, 100)))


EDGES = {
    'north-west': (0, 0),
    'north': (145, 0),
    'north-east': (290, 0),
    'west': (0, 95),
    'centre': (145, 95),
    'east': (290, 95),
    'south-west': (0, 190),
    'south': (145, 190),
    'south-east': (290, 190),
}


def _overlaid(*layer: Any, overlay: Image.Image | None = None) -> Image.Image:
    mark = encoded(overlay or Image.new('RGB', (10, 10), 'red'))
    white = encoded(Image.new('RGB', (300, 200), 'white'))
    made = transform(white, Variant(composite=layer, format='png'), overlays={'mark.png': mark})
    (picture,) = pictures_in(made.content)
    assert picture.mode == 'RGB'
    return picture


def _box_of_red(picture: Image.Image) -> Any:
    return picture.getchannel('G').point(lambda value: 255 - value).getbbox()


@pytest.mark.parametrize('gravity', EDGES)
def test_an_overlay_is_where_the_recipe_says_to_the_pixel(gravity: str) -> None:
    left, top = EDGES[gravity]
    assert _box_of_red(_overlaid('mark.png', {'gravity': gravity})) == (left, top, left + 10, top + 10)
    x, y = (-7 if 'east' in gravity else 7), (-3 if 'south' in gravity else 3)
    moved = _overlaid('mark.png', {'gravity': gravity, 'x': 7, 'y': 3})
    assert _box_of_red(moved) == (left + x, top + y, left + x + 10, top + y + 10)


def test_what_of_an_overlay_is_outside_is_cut_off() -> None:
    assert _box_of_red(_overlaid('mark.png', {'gravity': 'south-east', 'x': -4})) == (294, 190, 300, 200)
    assert _box_of_red(_overlaid('mark.png', overlay=Image.new('RGB', (500, 500), 'red'))) == (0, 0, 300, 200)


def test_an_overlay_lets_shine_through_what_is_below() -> None:
    assert corners(_overlaid('mark.png', {'gravity': 'north-west', 'opacity': 0.5}))[0] == pytest.approx(
        (255, 128, 128), abs=1
    )
    half = Image.new('RGBA', (10, 10), (255, 0, 0, 128))
    assert corners(_overlaid('mark.png', {'gravity': 'north-west'}, overlay=half))[0] == pytest.approx(
        (255, 127, 127), abs=1
    )


def test_overlays_come_from_the_configured_places_only(tmp_path: Path) -> None:
    for name, colour in (('first', 'red'), ('second', 'blue')):
        (tmp_path / name / 'marks').mkdir(parents=True)
        (tmp_path / name / 'marks/it.png').write_bytes(encoded(Image.new('RGB', (300, 200), colour)))
    (tmp_path / 'second/other.png').write_bytes(encoded(Image.new('RGB', (300, 200), 'blue')))
    (tmp_path / 'outside.png').write_bytes(encoded(scene()))
    limits = Limits(overlays=(str(tmp_path / 'first'), str(tmp_path / 'second')))

    def corner(name: str) -> Any:
        made = transform(encoded(scene()), Variant(composite=name, format='png'), limits)
        return corners(opened(made.content))[0]

    assert corner('marks/it.png') == RED
    assert corner('other.png') == BLUE
    with pytest.raises(InvalidVariant, match="no overlay 'outside.png' in"):
        corner('outside.png')


def test_without_a_place_there_is_no_overlay() -> None:
    with pytest.raises(InvalidVariant, match='no place is configured'):
        make(encoded(scene()), composite='mark.png')


def test_an_overlay_that_is_no_image_is_the_fault_of_the_recipe() -> None:
    for content in b'no image', encoded(scene())[:-60]:
        with pytest.raises(InvalidVariant, match="overlay 'mark.png' is of no use: .*"):
            transform(encoded(scene()), Variant(composite='mark.png'), overlays={'mark.png': content})


def test_an_overlay_is_held_to_the_limits() -> None:
    with pytest.raises(InvalidVariant, match="overlay 'mark.png' is of no use: .* pixels"):
        transform(
            encoded(Image.new('RGB', (30, 20))),
            Variant(composite='mark.png'),
            Limits(pixels=10_000),
            {'mark.png': encoded(scene())},
        )


# How it is written


def test_a_lower_quality_takes_fewer_bytes() -> None:
    for image_format in ('jpeg', 'webp', 'avif'):
        sizes = [len(make(encoded(scene()), format=image_format, quality=each).content) for each in (20, 60, 95)]
        assert sizes == sorted(set(sizes)), image_format


def test_lossless_is_without_a_loss() -> None:
    for image_format in ('webp', 'avif', 'png'):
        made = make(encoded(scene()), format=image_format, lossless=True)
        assert difference(opened(made.content), scene()) == 0, image_format


def test_progressive_is_said_by_the_same_word_for_all_formats() -> None:
    assert opened(make(encoded(scene()), format='jpeg', progressive=True).content).info['progressive']
    assert opened(make(encoded(scene()), format='png', progressive=True).content).info['interlace']
    for image_format in FORMATS:
        assert difference(opened(make(encoded(scene()), format=image_format, progressive=True).content), scene()) < 6


@pytest.mark.parametrize('image_format', FORMATS)
@pytest.mark.parametrize('effort', [1, 10])
def test_an_effort_is_one_for_every_format(image_format: str, effort: int) -> None:
    made = make(encoded(scene(60, 40)), format=image_format, effort=effort)
    assert difference(opened(made.content), scene(60, 40)) < 6


@pytest.mark.parametrize('colours', [2, 3, 4, 16, 100, 256])
@pytest.mark.parametrize('image_format', ['png', 'gif'])
def test_there_are_no_more_colours_than_the_recipe_says(image_format: str, colours: int) -> None:
    palette = opened(make(encoded(scene()), format=image_format, colours=colours).content)
    assert 2 <= len(palette.convert('RGB').getcolors(100_000) or []) <= colours


def test_colours_are_as_fine_as_their_lightness_if_the_recipe_says_so() -> None:
    fine = opened(make(encoded(scene()), format='jpeg', subsampling=False).content)
    coarse = opened(make(encoded(scene()), format='jpeg', subsampling=True).content)
    assert [each[1:3] for each in fine.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert coarse.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ('image_format', 'most'), [('jpeg', '65,500'), ('gif', '65,535'), ('webp', '16,383'), ('avif', '16,384')]
)
def test_a_picture_that_a_format_cannot_have_is_refused_by_a_word_on_its_limit(image_format: str, most: str) -> None:
    side = int(most.replace(',', ''))
    for size in (side + 1, 2), (2, side + 1):
        with pytest.raises(
            ImageTooLarge, match=f'{size[0]} x {size[1]} pixels; {image_format} has at most {most} a side'
        ):
            make(encoded(Image.new('L', size)), format=image_format)
        assert make(encoded(Image.new('L', size)), format=image_format, resize=(99, 99)).content
    assert make(encoded(Image.new('L', (side, 2))), format=image_format, effort=1).width == side


def test_an_animation_that_a_format_cannot_have_is_refused_as_well() -> None:
    moving = animated([RED, GREEN], size=(20_000, 2))
    with pytest.raises(ImageTooLarge, match='webp has at most 16,383 a side'):
        make(moving, format='webp')
    assert make(moving).width == 20_000


# Limits, and what is around


@pytest.mark.parametrize('source_format', ['JPEG', 'PNG', 'GIF', 'WEBP', 'AVIF', 'TIFF', 'BMP', 'HEIF'])
def test_a_picture_of_more_pixels_than_allowed_is_refused(source_format: str) -> None:
    content, variant = encoded(scene(), source_format), Variant(resize=(10, 10))
    assert transform(content, variant, Limits(pixels=60_000)).width == 10
    with pytest.raises(ImageTooLarge, match='300 x 200 pixels'):
        transform(content, variant, Limits(pixels=59_999))


@pytest.mark.parametrize(
    'recipe', [{'resize_to_fit': (700, 400)}, {'resize_and_pad': (700, 400)}, {'resize_to_fill': (300, 900)}]
)
def test_a_result_of_more_pixels_than_allowed_is_refused(recipe: dict[str, Any]) -> None:
    content = encoded(scene())
    with pytest.raises(ImageTooLarge):
        transform(content, Variant(**recipe), Limits(pixels=200_000))
    with pytest.raises(ImageTooLarge):
        transform(content, Variant(('fliphor', True), **recipe), Limits(pixels=200_000))


def test_an_animation_counts_with_all_frames_that_are_kept() -> None:
    content = animated([RED, GREEN, BLUE])
    with pytest.raises(ImageTooLarge, match='3 frames'):
        transform(content, Variant(), Limits(pixels=150_000))
    assert transform(content, Variant(frames=2), Limits(pixels=150_000)).width == 300
    assert transform(content, Variant(format='png'), Limits(pixels=150_000)).width == 300


def test_only_the_formats_that_are_allowed_are_read() -> None:
    with pytest.raises(
        InvalidImage, match=r'is a gif file; the formats that are read are jpeg, png; .*loaders=.* allows others'
    ):
        transform(encoded(scene(), 'GIF'), Variant(), Limits(loaders=('jpeg', 'png')))


@pytest.mark.parametrize(
    'content', [b'', b'GIF89a', b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', b'%PDF-1.4']
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidImage):
        make(content)


def test_what_takes_too_much_memory_is_refused() -> None:
    limits = Limits(memory=900_000)
    turned = oriented(6, 'JPEG', (400, 300))
    for content, recipe in (
        (encoded(scene(), 'AVIF'), {'resize': (10, 10)}),  # the whole of it is decoded
        (encoded(scene(600, 800), 'JPEG', progressive=True), {'resize': (10, 10)}),
        (encoded(scene(600, 600)), {'fliphor': True}),
        (encoded(scene()), {'format': 'avif'}),
        (encoded(scene()), {'format': 'webp', 'lossless': True}),
        (turned, {'resize': (390, 390)}),
    ):
        with pytest.raises(ImageTooLarge, match='memory'):
            transform(content, Variant(**recipe), limits)
    for content, recipe in ((encoded(scene(600, 800), 'JPEG'), {}), (turned, {'resize': (100, 100)})):
        assert transform(content, Variant(**recipe), limits).content


def test_a_file_and_its_bytes_become_the_same(tmp_path: Path) -> None:
    path = tmp_path / 'a[shrink=8].jpg'  # which libvips would take for an option
    path.write_bytes(taken_somewhere())
    variant = Variant(resize=(50, 50))
    assert transform(path, variant) == transform(path.read_bytes(), variant)


def test_many_at_once_become_the_same() -> None:
    contents = [encoded(scene(), each) for each in ('JPEG', 'PNG', 'WEBP', 'GIF')] * 8
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda each: make(each, resize=(90, 90), sharpen=True), contents))
    assert len(set(made)) == 4


def test_nothing_stays_open(tmp_path: Path) -> None:
    path = tmp_path / 'photo'
    path.write_bytes(encoded(scene(), 'JPEG'))
    gc.collect()  # what earlier tests have left
    before = len(os.listdir('/proc/self/fd'))
    for width in range(1, 30):
        transform(path, Variant(resize=(width, width)))
    assert len(os.listdir('/proc/self/fd')) <= before


def test_an_application_uses_libvips_as_it_did_before() -> None:
    def settings() -> tuple[Any, ...]:
        asked = [
            f'vips_{each}' for each in ('cache_get_max', 'cache_get_max_mem', 'cache_get_max_files', 'concurrency_get')
        ]
        return tuple(int(getattr(pyvips.vips_lib, each)()) for each in asked)

    before = settings()
    make(encoded(scene()), resize=(50, 50))
    with pytest.raises(InvalidImage):
        make(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    assert settings() == before
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    assert pyvips.Image.new_from_buffer(drawing, '').width == 9


def test_without_the_library_there_is_a_word_on_how_to_install_it() -> None:
    code = 'import sys; sys.modules["pyvips"] = None\nimport depot.images.transform'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert "BackendMissing: images need pyvips and libvips: pip install 'filedepot[images]'" in done.stderr
