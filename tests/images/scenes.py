"""One scene in every kind of file, and what each operation is to make of it: by Pillow, not by libvips."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pillow_heif
import pyvips
from PIL import Image, ImageChops, ImageCms, ImageFilter, ImageStat

from .pictures import _TURNED, encoded, swapping_profile

WIDTH, HEIGHT = 300, 200


@functools.cache
def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Red grows to the right, green to the bottom, blue to the middle; colours that every kind of file can have."""
    down = Image.linear_gradient('L')
    bands = (down.rotate(90), down, Image.radial_gradient('L'))
    soft = [
        each.resize((width, height), Image.Resampling.BICUBIC).point(lambda value: 64 + value / 2) for each in bands
    ]
    return Image.merge('RGB', soft)


@functools.cache
def faded() -> Image.Image:
    """The scene, less and less transparent from the top to the bottom."""
    picture = scene().convert('RGBA')
    picture.putalpha(Image.linear_gradient('L').resize(picture.size))
    return picture


@functools.cache
def grey() -> Image.Image:
    """The scene's green band alone."""
    return scene().getchannel('G')


class File(NamedTuple):
    """A file, what it shows, and by how much each channel may differ from that on average."""

    make: Callable[[], bytes]
    shows: Callable[[], Image.Image] = scene
    bound: float = 1.5
    frames: int = 1


def _vips(image: Image.Image) -> pyvips.Image:
    bands = len(image.getbands())
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, 'uchar')
    return made.copy(interpretation='srgb' if bands > 2 else 'b-w')


def _deep(image: Image.Image, save: str, **options: Any) -> bytes:
    deep = (_vips(image).cast('ushort') * 257).cast('ushort')
    deep = deep.copy(interpretation='rgb16' if image.mode != 'L' else 'grey16')
    content: bytes = getattr(deep, save)(**options)
    return content


def _oriented(orientation: int, image_format: str = 'JPEG') -> bytes:
    turn = _TURNED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = scene() if turn is None else scene().transpose(turn)
    return encoded(stored, image_format, exif=exif, **({'subsampling': 0} if image_format == 'JPEG' else {}))


def _heic_on_its_side() -> bytes:
    """In HEIC the orientation is a part of the image (ISO/IEC 23008-12, section 6.5.10), and that of Exif is a copy."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = pillow_heif.from_pillow(scene().transpose(_TURNED[6]))
    file[0].info['exif'] = exif.tobytes()
    buffer = io.BytesIO()
    file.save(buffer, quality=95)
    return buffer.getvalue()


def _with_profile(image_format: str) -> bytes:
    red, green, blue = scene().split()
    return encoded(Image.merge('RGB', (blue, green, red)), image_format, icc_profile=swapping_profile())


@functools.cache
def _press() -> bytes:
    """The profile of a press, which libvips has with it."""
    profile = pyvips.Image.black(1, 1, bands=3).icc_transform('cmyk', input_profile='srgb').get('icc-profile-data')
    assert isinstance(profile, bytes)
    return profile


@functools.cache
def _separated() -> Image.Image:
    """The scene in the colours of a press."""
    return _converted(scene(), ImageCms.createProfile('sRGB'), io.BytesIO(_press()), 'CMYK')


@functools.cache
def printed() -> Image.Image:
    """The scene as a press can print it, which has not all colours that a screen has."""
    return _converted(_separated(), io.BytesIO(_press()), ImageCms.createProfile('sRGB'), 'RGB')


def _converted(image: Image.Image, source: Any, target: Any, mode: str) -> Image.Image:
    made = ImageCms.profileToProfile(image, source, target, outputMode=mode, renderingIntent=_RELATIVE)
    assert made
    return made


_RELATIVE = ImageCms.Intent.RELATIVE_COLORIMETRIC


def _animated(image_format: str, **options: Any) -> bytes:
    frames = [scene(), ImageChops.invert(scene()), scene().convert('L').convert('RGB')]
    return encoded(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, loop=0, **options)


_PALETTE = 6.0
_LOSSY = 3.0

FILES: dict[str, File] = {
    **{f'jpeg in orientation {n}': File(functools.partial(_oriented, n), bound=_LOSSY) for n in range(1, 9)},
    'jpeg, progressive': File(lambda: encoded(scene(), 'JPEG', progressive=True), bound=_LOSSY),
    'jpeg, grey': File(lambda: encoded(grey(), 'JPEG'), grey, _LOSSY),
    'jpeg, cmyk': File(lambda: encoded(_separated(), 'JPEG', icc_profile=_press()), printed, _LOSSY),
    'jpeg, cmyk without a profile': File(lambda: encoded(_separated(), 'JPEG'), printed, _LOSSY),
    'jpeg with a profile': File(lambda: _with_profile('JPEG'), bound=_LOSSY),
    'png': File(lambda: encoded(scene())),
    'png, 16 bits': File(lambda: _deep(scene(), 'pngsave_buffer')),
    'png, 16 bits and alpha': File(lambda: _deep(faded(), 'pngsave_buffer'), faded, 2),
    'png, 16 bits, grey': File(lambda: _deep(grey(), 'pngsave_buffer'), grey),
    'png, interlaced': File(lambda: _vips(scene()).pngsave_buffer(interlace=True)),
    'png with a palette': File(lambda: encoded(scene().quantize(256)), bound=_PALETTE),
    'png with alpha': File(lambda: encoded(faded()), faded, 2),
    'png, grey with alpha': File(lambda: encoded(faded().convert('LA')), lambda: faded().convert('LA'), 2),
    'png with a profile': File(lambda: _with_profile('PNG'), bound=2.5),
    'png in orientation 6': File(functools.partial(_oriented, 6, 'PNG')),
    'gif': File(lambda: encoded(scene(), 'GIF'), bound=_PALETTE),
    'gif, animated': File(lambda: _animated('GIF'), bound=_PALETTE, frames=3),
    'webp': File(lambda: encoded(scene(), 'WEBP'), bound=_LOSSY),
    'webp, lossless': File(lambda: encoded(scene(), 'WEBP', lossless=True), bound=_LOSSY),
    'webp with alpha': File(lambda: encoded(faded(), 'WEBP'), faded, _LOSSY),
    'webp with a profile': File(lambda: _with_profile('WEBP'), bound=_LOSSY),
    'webp in orientation 8': File(functools.partial(_oriented, 8, 'WEBP'), bound=_LOSSY),
    'webp, animated': File(lambda: _animated('WEBP', lossless=True), bound=_LOSSY, frames=3),
    'avif': File(lambda: encoded(scene(), 'AVIF'), bound=_LOSSY),
    'avif in orientation 6': File(functools.partial(_oriented, 6, 'AVIF'), bound=_LOSSY),
    'avif with alpha': File(lambda: encoded(faded(), 'AVIF'), faded, _LOSSY),
    'tiff': File(lambda: encoded(scene(), 'TIFF')),
    'tiff, 16 bits': File(lambda: _deep(scene(), 'tiffsave_buffer')),
    'tiff, cmyk': File(lambda: encoded(_separated(), 'TIFF', icc_profile=_press()), printed),
    'tiff, packed': File(lambda: encoded(scene(), 'TIFF', compression='tiff_lzw')),
    'tiff with alpha': File(lambda: encoded(faded(), 'TIFF'), faded, 2),
    'tiff in orientation 5': File(functools.partial(_oriented, 5, 'TIFF')),
    'tiff in Lab': File(lambda: _vips(scene()).colourspace('lab').tiffsave_buffer(), bound=2),
    'bmp': File(lambda: encoded(scene(), 'BMP')),
    'bmp with a palette': File(lambda: encoded(scene().quantize(256), 'BMP'), bound=_PALETTE),
    'heic': File(lambda: encoded(scene(), 'HEIF'), bound=_LOSSY),
    'heic in orientation 6': File(_heic_on_its_side, bound=_LOSSY),
    'heic with alpha': File(lambda: encoded(faded(), 'HEIF'), faded, _LOSSY),
}


def _smaller(picture: Image.Image, width: int, height: int) -> Image.Image:
    if picture.mode not in {'LA', 'RGBA'}:
        return picture.resize((width, height), Image.Resampling.LANCZOS)
    return picture.convert('RGBA').convert('RGBa').resize((width, height), Image.Resampling.LANCZOS).convert('RGBA')


def _padded(picture: Image.Image, colour: str | None) -> Image.Image:
    whole = Image.new('RGBA', (200, 200), colour or (0, 0, 0, 0))
    inner = _smaller(picture, 200, 133).convert('RGBA')
    whole.paste(Image.alpha_composite(whole.crop((0, 33, 200, 166)), inner) if colour else inner, (0, 33))
    return whole


def _turned(picture: Image.Image) -> Image.Image:
    """30 degrees, in the smallest whole size around it: 300 cos 30° + 200 sin 30°, 300 sin 30° + 200 cos 30°."""
    whole = picture.convert('RGBA').rotate(-30, Image.Resampling.BICUBIC, expand=True)
    left, top = (whole.width - 360) // 2, (whole.height - 323) // 2
    return whole.crop((left, top, left + 360, top + 323))


def _grey(picture: Image.Image) -> Image.Image:
    """The luminance of IEC 61966-2-1, section 5.2, which is a sum of light and not of its code values."""
    if picture.mode in {'L', 'LA'}:
        return picture
    light = [_LIGHT[value] for value in range(256)]
    values = bytes(
        _code(0.2126 * light[red] + 0.7152 * light[green] + 0.0722 * light[blue])
        for red, green, blue in zip(*(each.tobytes() for each in picture.convert('RGB').split()), strict=True)
    )
    made = Image.frombytes('L', picture.size, values)
    return Image.merge('LA', (made, picture.getchannel('A'))) if picture.mode == 'RGBA' else made


_LIGHT = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in range(256)]


def _code(light: float) -> int:
    return round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


def _sepia(picture: Image.Image) -> Image.Image:
    matrix = (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
    made = picture.convert('RGB').convert('RGB', matrix)
    if picture.mode in {'LA', 'RGBA'}:
        made.putalpha(picture.getchannel('A'))
    return made


def _blurred(picture: Image.Image) -> Image.Image:
    if picture.mode == 'L':
        return picture.filter(ImageFilter.GaussianBlur(3))
    return picture.convert('RGBA').convert('RGBa').filter(ImageFilter.GaussianBlur(3)).convert('RGBA')


#: The overlay: half transparent, 90 × 70.
MARK = Image.new('RGBA', (90, 70), (200, 30, 60, 128))


def _marked(picture: Image.Image) -> Image.Image:
    whole = picture.convert('RGBA')
    whole.alpha_composite(MARK, (WIDTH - 90 - 10, HEIGHT - 70 - 5))
    return whole


class Operation(NamedTuple):
    """A recipe, and what it is to make of an upright picture of the scene's size."""

    recipe: dict[str, Any]
    reference: Callable[[Image.Image], Image.Image]


OPERATIONS: dict[str, Operation] = {
    'nothing': Operation({}, lambda it: it),
    'fit, smaller': Operation({'resize_to_fit': (150, 150)}, lambda it: _smaller(it, 150, 100)),
    'fit, larger': Operation({'resize_to_fit': (450, 450)}, lambda it: _smaller(it, 450, 300)),
    'fit, by width': Operation({'resize_to_fit': (99, None)}, lambda it: _smaller(it, 99, 66)),
    'fit, by height': Operation({'resize_to_fit': (None, 33)}, lambda it: _smaller(it, 50, 33)),
    'limit, smaller': Operation({'resize_to_limit': (25, 25)}, lambda it: _smaller(it, 25, 17)),
    'limit, larger': Operation({'resize_to_limit': (450, 450)}, lambda it: it),
    'fill': Operation({'resize_to_fill': (100, 100)}, lambda it: _smaller(it, 150, 100).crop((25, 0, 125, 100))),
    'fill, larger': Operation(
        {'resize_to_fill': (450, 250)}, lambda it: _smaller(it, 450, 300).crop((0, 25, 450, 275))
    ),
    'fill, east': Operation(
        {'resize_to_fill': (100, 100, {'crop': 'east'})}, lambda it: _smaller(it, 150, 100).crop((50, 0, 150, 100))
    ),
    'fill, by width': Operation({'resize_to_fill': (150, None)}, lambda it: _smaller(it, 150, 100)),
    'pad': Operation({'resize_and_pad': (200, 200)}, lambda it: _padded(it, None)),
    'pad, coloured': Operation(
        {'resize_and_pad': (200, 200, {'background': '#204060'})}, lambda it: _padded(it, '#204060')
    ),
    'rotate by 90': Operation({'rotate': 90}, lambda it: it.transpose(Image.Transpose.ROTATE_270)),
    'rotate by 180': Operation({'rotate': 180}, lambda it: it.transpose(Image.Transpose.ROTATE_180)),
    'rotate by -90': Operation({'rotate': -90}, lambda it: it.transpose(Image.Transpose.ROTATE_90)),
    'rotate by 30': Operation({'rotate': 30}, _turned),
    'fliphor': Operation({'fliphor': True}, lambda it: it.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    'flipver': Operation({'flipver': True}, lambda it: it.transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
    'grayscale': Operation({'grayscale': True}, _grey),
    'sepia': Operation({'sepia': True}, _sepia),
    'blur': Operation({'blur': 3}, _blurred),
    'sharpen': Operation({'sharpen': True}, lambda it: it),  # a scene without edges stays what it is
    'composite': Operation({'composite': ('mark.png', {'gravity': 'south-east', 'x': 10, 'y': 5})}, _marked),
    'one after the other': Operation(
        {'resize': (150, 150), 'rotate': 90, 'flipver': True, 'resize_to_fill': (50, 60)},
        lambda it: _smaller(
            _smaller(it, 150, 100).transpose(Image.Transpose.ROTATE_270).transpose(Image.Transpose.FLIP_TOP_BOTTOM),
            50,
            75,
        ).crop((0, 7, 50, 67)),
    ),
}


@functools.cache
def content_of(name: str) -> bytes:
    """The file of this name in the table."""
    return FILES[name].make()


@functools.cache
def expected(shows: Callable[[], Image.Image], operation: str) -> Image.Image:
    """What an operation is to make of what a file shows."""
    return OPERATIONS[operation].reference(shows())


def on_white(picture: Image.Image) -> Image.Image:
    """The picture as a page shows it."""
    picture = picture.convert('RGBA')
    return Image.alpha_composite(Image.new('RGBA', picture.size, 'white'), picture).convert('RGB')


def difference(one: Image.Image, other: Image.Image) -> float:
    """By how much a channel differs on average, of the one that differs most."""
    return max(ImageStat.Stat(ImageChops.difference(on_white(one), on_white(other))).mean)


def corners(picture: Image.Image) -> list[Any]:
    """The colours of the four pixels at the corners, as a page shows them."""
    shown = on_white(picture)
    right, bottom = shown.width - 1, shown.height - 1
    return [shown.getpixel(each) for each in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def pictures_in(content: bytes) -> list[Image.Image]:
    """All frames of a file."""
    with Image.open(io.BytesIO(content)) as file:
        frames = []
        for at in range(getattr(file, 'n_frames', 1)):
            file.seek(at)
            frames.append(file.copy())
        return frames


def in_gif(picture: Image.Image) -> Image.Image:
    """The picture as GIF can have it: a pixel is transparent or not."""
    whole = picture.convert('RGBA')
    whole.putalpha(whole.getchannel('A').point(lambda value: 255 * (value >= 128)))
    return whole
