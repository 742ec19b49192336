"""From an image to the bytes of a file: which format it gets, and what the options of a recipe are called there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ImageTooLarge
from .arguments import FORMATS
from .colours import flattened, standard
from .sizes import Size
from .vips import KEPT, Image

#: What an image becomes whose own format is none that renditions are made in.
FALLBACK = 'png'

CONTENT_TYPES = {name: f'image/{name}' for name in FORMATS}

_OPAQUE = frozenset({'jpeg'})

_QUALITY = {'jpeg': 80, 'webp': 80, 'avif': 60}

# The longest side: of JPEG libjpeg's, of GIF and WebP the formats' own (GIF89a, section 18; RFC 6386, section 9.1), of
# AVIF libvips's.
_SIDES = {'jpeg': 65_500, 'gif': 65_535, 'webp': 16_383, 'avif': 16_384}

# Bytes for a pixel of a frame that an encoder holds which does not go row by row, measured with 12 million and more.
_BYTES_WHOLE = {'gif': 12, 'webp': 12, 'avif': 24}
_BYTES_LOSSLESS = {**_BYTES_WHOLE, 'webp': 32}

# The picture inside the metadata that cameras add, which shows what was before the recipe.
_SMALL_PICTURE = 'jpeg-thumbnail-data'

# Where a WebP says what it has: RFC 9649, section 2.7.
_WEBP_FLAGS = 20
_ANIMATED = 0x02
_ALPHA = 0x10

# The depths that a PNG with a palette can have: https://www.w3.org/TR/png-3/, section 11.2.1.
_PNG_DEPTHS = (1, 2, 4, 8)

_Options = Mapping[str, Any]


def format_for(source_format: str, options: _Options) -> str:
    """The format that is asked for, or that of the original, or the one of last resort."""
    asked = options['format']
    return asked or (source_format if source_format in FORMATS else FALLBACK)


def check_sides(size: Size, image_format: str) -> None:
    """Raises :class:`~depot.errors.ImageTooLarge` for what no file of this format can have."""
    most = _SIDES.get(image_format)
    if most is not None and max(size) > most:
        raise ImageTooLarge(
            f'The image would have {size.width} x {size.height} pixels; {image_format} has at most {most:,} a side: '
            f'resize it, or choose another format'
        )


def bytes_of_a_pixel(image_format: str, options: _Options) -> int:
    """How much memory encoding takes, but for the rows that are just worked on."""
    return (_BYTES_LOSSLESS if options['lossless'] else _BYTES_WHOLE).get(image_format, 0)


def encoded(image: Image, image_format: str, options: _Options) -> bytes:
    """The file; without metadata, unless the recipe says otherwise."""
    image = standard(image)
    if image_format in _OPAQUE:
        image = flattened(image, options['background'])
    save, option_names = _ENCODERS[image_format]
    given = {name: value for name, value in option_names(options).items() if value is not None}
    if image.get_typeof(_SMALL_PICTURE):
        image = image.copy()
        image.remove(_SMALL_PICTURE)
    content: bytes = getattr(image, save)(keep=KEPT[options['keep_metadata']], **given)
    return _transparent(content) if image_format == 'webp' and image.hasalpha() else content


def _transparent(content: bytes) -> bytes:
    """The file; an animation says in its header that it is transparent in parts, which libvips leaves out.

    Browsers go by that, and show black otherwise: RFC 9649, section 2.7.
    """
    if content[12:16] != b'VP8X' or not content[_WEBP_FLAGS] & _ANIMATED:
        return content
    return content[:_WEBP_FLAGS] + bytes([content[_WEBP_FLAGS] | _ALPHA]) + content[_WEBP_FLAGS + 1 :]


def _jpeg(options: _Options) -> dict[str, Any]:
    return {
        'Q': options['quality'] or _QUALITY['jpeg'],
        'interlace': options['progressive'],
        'optimize_coding': True,
        'subsample_mode': _subsampling(options),
    }


def _png(options: _Options) -> dict[str, Any]:
    colours = options['colours']
    return {
        'Q': options['quality'],
        'interlace': options['progressive'],
        'compression': _scaled(options['effort'], 9),
        'palette': colours and True,
        'bitdepth': colours and max(each for each in _PNG_DEPTHS if 2**each <= colours),
    }


def _gif(options: _Options) -> dict[str, Any]:
    colours = options['colours']
    return {
        'interlace': options['progressive'],
        'effort': options['effort'],
        'bitdepth': colours and colours.bit_length() - 1,
        'keep_duplicate_frames': True,  # one that is like the one before it is a part of the timing
    }


def _webp(options: _Options) -> dict[str, Any]:
    return {
        'Q': options['quality'] or _QUALITY['webp'],
        'lossless': options['lossless'],
        'effort': _scaled(options['effort'], 6),
    }


def _avif(options: _Options) -> dict[str, Any]:
    return {
        'compression': 'av1',
        'bitdepth': 8,
        'Q': options['quality'] or _QUALITY['avif'],
        'lossless': options['lossless'],
        'effort': _scaled(options['effort'], 9),
        'subsample_mode': None if options['lossless'] else _subsampling(options),
    }


def _scaled(effort: int | None, most: int) -> int | None:
    """An effort from 1 to 10 as the encoder counts it, from 0."""
    return None if effort is None else round((effort - 1) * most / 9)


def _subsampling(options: _Options) -> str:
    return {None: 'auto', True: 'on', False: 'off'}[options['subsampling']]


_ENCODERS: dict[str, tuple[str, Callable[[_Options], dict[str, Any]]]] = {
    'jpeg': ('jpegsave_buffer', _jpeg),
    'png': ('pngsave_buffer', _png),
    'gif': ('gifsave_buffer', _gif),
    'webp': ('webpsave_buffer', _webp),
    'avif': ('heifsave_buffer', _avif),
}
