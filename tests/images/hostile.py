"""Files that are made to harm whoever decodes them: what they are, by name, and what they would cost.

Each is small, so that anybody can upload it. ``BOMBS`` cost more than they seem to, ``IMPOSTORS`` are something else
than an image, and ``POLYGLOTS`` are an image and something else.
"""

from __future__ import annotations

import functools
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image

from . import pictures
from .pictures import animated, cornered, encoded

MIB = 1024 * 1024
PAYLOAD = b'<script>alert(document.domain)</script>'

Maker = Callable[[], bytes]
BOMBS: dict[str, Maker] = {}
IMPOSTORS: dict[str, Maker] = {}
POLYGLOTS: dict[str, Maker] = {}


def _in(table: dict[str, Maker]) -> Callable[[Maker], Maker]:
    def enter(make: Maker) -> Maker:
        table[make.__name__.removeprefix('_')] = make
        return make

    return enter


def _small(image_format: str) -> bytes:
    return encoded(Image.effect_noise((64, 48), 90).convert('RGB'), image_format)


# JPEG


@_in(BOMBS)
def _jpeg_of_4_gigapixels() -> bytes:
    return _with_jpeg_size(_small('JPEG'), 65_500, 65_500)


@_in(BOMBS)
def _jpeg_just_above_the_limit() -> bytes:
    return _with_jpeg_size(_small('JPEG'), 12_000, 12_000)


@_in(BOMBS)
def _jpeg_of_5000_scans() -> bytes:
    content = encoded(Image.effect_noise((2000, 2000), 1).convert('L'), 'JPEG', progressive=True, quality=5)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * 5000 + b'\xff\xd9'


@_in(BOMBS)
def _jpeg_that_changes_its_size() -> bytes:
    content = _small('JPEG')
    frame = content.index(b'\xff\xc0')
    second = _with_jpeg_size(content, 65_500, 65_500)[frame : frame + 19]
    return content[: frame + 19] + second + content[frame + 19 :]


def _with_jpeg_size(content: bytes, width: int, height: int) -> bytes:
    frame = content.index(b'\xff\xc0')
    return content[: frame + 5] + struct.pack('>HH', height, width) + content[frame + 9 :]


# PNG


def _chunk(kind: bytes, data: bytes = b'') -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def _png(width: int, height: int, *chunks: bytes, bits: int = 8, kind: int = 2, data: bytes = b'\0' * 100) -> bytes:
    header = _chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, 0))
    pixels = _chunk(b'IDAT', zlib.compress(data))
    return b'\x89PNG\r\n\x1a\n' + header + b''.join(chunks) + pixels + _chunk(b'IEND')


@_in(BOMBS)
def _png_of_4_gigapixels() -> bytes:
    return _png(65_535, 65_535, bits=1, kind=0, data=b'\0' * 10 * MIB)


@_in(BOMBS)
def _png_of_the_largest_size() -> bytes:
    return _png(2**31 - 1, 2**31 - 1)


@_in(BOMBS)
def _png_with_a_gigabyte_of_profile() -> bytes:
    bomb = zlib.compress(b'\0' * 200 * MIB, 9)
    return _png(0, 0, _chunk(b'iCCP', b'icc\0\0' + bomb))


@_in(BOMBS)
def _png_with_a_thousand_texts() -> bytes:
    text = _chunk(b'zTXt', b'Comment\0\0' + zlib.compress(b'a' * (MIB - 1), 9))
    return _png(10, 10, *[text] * 1000, data=(b'\0' * 31) * 10)


@_in(BOMBS)
def _png_of_two_million_chunks() -> bytes:
    return _png(10, 10, _chunk(b'teSt') * 2_000_000)


@_in(BOMBS)
def _png_of_100000_frames() -> bytes:
    control = struct.pack('>IIIIIHHBB', 0, 10, 10, 0, 0, 1, 1, 0, 0)
    return _png(10, 10, _chunk(b'acTL', struct.pack('>II', 100_000, 0)), _chunk(b'fcTL', control) * 100_000)


# GIF


def _gif(width: int, height: int, blocks: bytes) -> bytes:
    return b'GIF89a' + struct.pack('<HHBBB', width, height, 0x80, 0, 0) + b'\0\0\0\xff\xff\xff' + blocks + b';'


def _gif_frame(width: int, height: int, data: bytes = b'\x02\x44\x01\x00') -> bytes:
    return b',' + struct.pack('<HHHHB', 0, 0, width, height, 0) + b'\x02' + data


@_in(BOMBS)
def _gif_of_4_gigapixels() -> bytes:
    return _gif(65_535, 65_535, _gif_frame(1, 1))


@_in(BOMBS)
def _gif_whose_frame_is_larger_than_its_screen() -> bytes:
    return _gif(1, 1, _gif_frame(65_535, 65_535))


@_in(BOMBS)
def _gif_whose_second_frame_is_larger_than_its_screen() -> bytes:
    return _gif(1, 1, _gif_frame(1, 1) + _gif_frame(65_535, 65_535))


@_in(BOMBS)
def _gif_of_100000_frames() -> bytes:
    return _gif(10, 10, _gif_frame(1, 1) * 100_000)


@_in(BOMBS)
def _gif_of_900_large_frames() -> bytes:
    return _gif(10_000, 10_000, _gif_frame(10_000, 10_000) * 900)


@_in(BOMBS)
def _gif_in_three_million_pieces() -> bytes:
    return _gif(10, 10, _gif_frame(10, 10, b'\x01\x00' * 3_000_000 + b'\0'))


# WebP


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b''.join(kind + struct.pack('<I', len(data)) + data + b'\0' * (len(data) & 1) for kind, data in chunks)
    return b'RIFF' + struct.pack('<I', len(body) + 4) + b'WEBP' + body


def _24(value: int) -> bytes:
    return value.to_bytes(3, 'little')


def _canvas(width: int, height: int) -> tuple[bytes, bytes]:
    return b'VP8X', b'\x02\0\0\0' + _24(width - 1) + _24(height - 1)


def _webp_frame() -> tuple[bytes, bytes]:
    picture = encoded(Image.new('RGB', (16, 16), 'red'), 'WEBP', lossless=True)[12:]
    return b'ANMF', _24(0) + _24(0) + _24(15) + _24(15) + _24(10) + b'\0' + picture


@_in(BOMBS)
def _webp_of_268_megapixels() -> bytes:
    bits = (16_383) | (16_383 << 14)
    return _riff((b'VP8L', b'\x2f' + struct.pack('<I', bits) + b'\0' * 100))


@_in(BOMBS)
def _webp_of_281_terapixels() -> bytes:
    return _riff(_canvas(2**24, 2**24), (b'ANIM', b'\0' * 6), _webp_frame())


@_in(BOMBS)
def _webp_of_50000_frames() -> bytes:
    return _riff(_canvas(16, 16), (b'ANIM', b'\0' * 6), *[_webp_frame()] * 50_000)


@_in(BOMBS)
def _webp_of_a_million_chunks() -> bytes:
    return _riff(_canvas(16, 16), *[(b'teSt', b'')] * 1_000_000)


@_in(BOMBS)
def _webp_of_900_large_frames() -> bytes:
    return _riff(_canvas(10_000, 10_000), (b'ANIM', b'\0' * 6), *[_webp_frame()] * 900)


# AVIF and HEIC


def _with_box_size(content: bytes, width: int, height: int) -> bytes:
    """With every "image spatial extents" box (ISO/IEC 23008-12, section 6.5.3) saying another size."""
    parts = content.split(b'ispe')
    return b'ispe'.join([parts[0], *(each[:4] + struct.pack('>II', width, height) + each[12:] for each in parts[1:])])


@_in(BOMBS)
def _avif_of_4_gigapixels() -> bytes:
    return _with_box_size(_small('AVIF'), 65_535, 65_535)


@_in(BOMBS)
def _heic_of_4_gigapixels() -> bytes:
    return _with_box_size(_small('HEIF'), 65_535, 65_535)


@_in(BOMBS)
def _avif_of_the_largest_size() -> bytes:
    return _with_box_size(_small('AVIF'), 2**32 - 1, 2**32 - 1)


@_in(BOMBS)
def _heic_of_the_largest_size() -> bytes:
    return _with_box_size(_small('HEIF'), 2**32 - 1, 2**32 - 1)


@_in(BOMBS)
def _avif_of_two_million_boxes() -> bytes:
    return _small('AVIF')[:32] + b'\0\0\0\x08free' * 2_000_000


# TIFF


def _tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b'', following: int = 0) -> bytes:
    table = b''.join(struct.pack('<HHII', *each) for each in sorted(entries))
    return b'II*\0\x08\0\0\0' + struct.pack('<H', len(entries)) + table + struct.pack('<I', following) + tail


def _tiff_of(width: int, height: int, *more: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    entries = {256: (256, 4, 1, width), 257: (257, 4, 1, height), 258: (258, 3, 1, 8), 259: (259, 3, 1, 1)}
    entries |= {262: (262, 3, 1, 1), 273: (273, 4, 1, 8), 277: (277, 3, 1, 1), 278: (278, 4, 1, height)}
    entries |= {279: (279, 4, 1, 100), **{each[0]: each for each in more}}
    return list(entries.values())


@_in(BOMBS)
def _tiff_of_4_gigapixels() -> bytes:
    return _tiff(_tiff_of(65_535, 65_535), b'\0' * 1000)


@_in(BOMBS)
def _tiff_of_the_largest_size() -> bytes:
    return _tiff(_tiff_of(2**31 - 1, 2**31 - 1), b'\0' * 1000)


@_in(BOMBS)
def _tiff_whose_tags_share_a_megabyte() -> bytes:
    tags = [(tag, 1, MIB, 400_000) for tag in range(33_000, 63_000)]
    return _tiff([*_tiff_of(10, 10), *tags], b'\0' * 2 * MIB)


@_in(BOMBS)
def _tiff_of_100000_pages() -> bytes:
    page = 2 + 12 * 9 + 4
    table = b''.join(struct.pack('<HHII', *each) for each in sorted(_tiff_of(10, 10)))
    pages = [struct.pack('<H', 9) + table + struct.pack('<I', 8 + page * (at + 1)) for at in range(100_000)]
    return b'II*\0\x08\0\0\0' + b''.join(pages)[:-4] + b'\0' * 4


@_in(BOMBS)
def _tiff_of_one_huge_tile() -> bytes:
    tile = [(322, 4, 1, 65_536), (323, 4, 1, 65_536), (324, 4, 1, 8), (325, 4, 1, 100)]
    entries = [each for each in _tiff_of(10, 10, *tile, (259, 3, 1, 8)) if each[0] not in {273, 278, 279}]
    return _tiff(entries, b'\0' * 1000)


@_in(BOMBS)
def _tiff_of_65535_samples() -> bytes:
    return _tiff(_tiff_of(10_000, 10_000, (277, 3, 1, 65_535)), b'\0' * 1000)


@_in(BOMBS)
def _tiff_of_1000_samples() -> bytes:
    entries = _tiff_of(2000, 2000, (277, 3, 1, 1000), (259, 3, 1, 8), (279, 4, 1, 2 * MIB))
    return _tiff(entries, b'\0' * 2 * MIB)


@_in(BOMBS)
def _tiff_of_200_planes() -> bytes:
    return _tiff(_tiff_of(3000, 3000, (277, 3, 1, 200), (284, 3, 1, 2), (259, 3, 1, 8)), b'\0' * 2 * MIB)


@_in(BOMBS)
def _tiff_that_says_to_be_one_jpeg() -> bytes:
    entries = _tiff_of(4000, 3900, (277, 3, 1, 3), (262, 3, 1, 6), (259, 3, 1, 7), (273, 4, 1, 122), (279, 4, 1, 4))
    return _tiff(entries, b'\xff\xd8\xff\xd9')


@_in(BOMBS)
def _tiff_of_a_tile_larger_than_itself() -> bytes:
    tile = [(322, 4, 1, 8000), (323, 4, 1, 8000), (324, 4, 1, 8), (325, 4, 1, 2 * MIB), (277, 3, 1, 4), (262, 3, 1, 2)]
    entries = [each for each in _tiff_of(10, 10, *tile, (259, 3, 1, 8)) if each[0] not in {273, 278, 279}]
    return _tiff(entries, b'\0' * 2 * MIB)


@_in(BOMBS)
def _tiff_that_says_twice_how_it_is_packed() -> bytes:
    entries = _tiff_of(11_000, 11_000, (277, 3, 1, 3), (262, 3, 1, 6), (259, 3, 1, 7))
    return _tiff([*entries, (259, 3, 1, 8)], b'\xff\xd8\xff\xd9' + b'\0' * 2 * MIB)


# BMP


def _bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: bytes = b'\0' * 100) -> bytes:
    info = struct.pack('<IiiHHIIiiII', 40, width, height, 1, bits, compression, len(data), 0, 0, 0, 0)
    palette = b'\0' * 1024 if bits == 8 else b''
    start = 14 + len(info) + len(palette)
    return b'BM' + struct.pack('<IHHI', start + len(data), 0, 0, start) + info + palette + data


@_in(BOMBS)
def _bmp_of_4_gigapixels() -> bytes:
    return _bmp(65_535, 65_535)


@_in(BOMBS)
def _bmp_of_the_largest_size() -> bytes:
    return _bmp(2**31 - 1, -(2**31) + 1)


@_in(BOMBS)
def _bmp_of_packed_gigapixels() -> bytes:
    return _bmp(60_000, 60_000, bits=8, compression=1, data=b'\xff\0' * 10_000 + b'\0\x01')


# With bytes that mean nothing, so that there are not many pixels for each of them; decoders hold all of these pixels.

PADDED: dict[str, Maker] = {}
_PADDING = random.Random(6).randbytes(64 * 1024)
_WHITE = (11_300, 11_300)  # 128 megapixels


@_in(PADDED)
@functools.cache
def _padded_interlaced_png() -> bytes:
    width, height = _WHITE
    rows = b''.join(
        (b'\0' * (1 + (-(-(width - x) // across) + 7) // 8)) * -(-(height - y) // down)
        for x, y, across, down in (
            *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
        )
    )
    header = _chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 1, 3, 0, 0, 1))
    chunks = (header, _chunk(b'PLTE', b'\0' * 6), _chunk(b'teSt', _PADDING), _chunk(b'IDAT', zlib.compress(rows)))
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks) + _chunk(b'IEND')


@_in(PADDED)
@functools.cache
def _padded_progressive_jpeg() -> bytes:
    return encoded(Image.new('RGB', (8000, 8000)), 'JPEG', progressive=True, quality=5, subsampling=0) + _PADDING


@_in(PADDED)
@functools.cache
def _padded_lossless_webp() -> bytes:
    content = encoded(Image.new('RGB', (8000, 8000)), 'WEBP', lossless=True, quality=0, method=0)
    return (
        b'RIFF'
        + struct.pack('<I', len(content) + len(_PADDING))
        + content[8:]
        + (b'teSt' + struct.pack('<I', len(_PADDING)) + _PADDING)
    )


@_in(PADDED)
def _padded_gif() -> bytes:
    comment = b''.join(b'\xff' + _PADDING[at : at + 255] for at in range(0, 255 * 200, 255)) + b'\0'
    return _gif(9000, 9000, b'!\xfe' + comment + _gif_frame(9000, 9000))


@_in(PADDED)
def _padded_avif() -> bytes:
    return _with_box_size(_small('AVIF'), 7900, 7900) + struct.pack('>I', len(_PADDING) + 8) + b'free' + _PADDING


@_in(PADDED)
@functools.cache
def _packed_bmp() -> bytes:
    row = b'\xff\0' * (8000 // 255) + bytes((8000 % 255, 0, 0, 0))
    return _bmp(8000, 8000, bits=8, compression=1, data=row * 8000 + b'\0\x01')


@_in(PADDED)
def _padded_jpeg_in_tiff() -> bytes:
    return _tiff(_tiff_of(8000, 8000, (277, 3, 1, 3), (262, 3, 1, 6), (259, 3, 1, 7)), _PADDING)


@_in(PADDED)
@functools.cache
def _padded_planes_of_a_tiff() -> bytes:
    planes = [(277, 3, 1, 3), (262, 3, 1, 2), (259, 3, 1, 8), (284, 3, 1, 2)]
    return _tiff(_tiff_of(8000, 8000, *planes), zlib.compress(b'\0' * 192_000_000) + _PADDING)


BOMBS.update(PADDED)


# No images


def _svg(body: str) -> Maker:
    return lambda: (
        f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{body}</svg>'.encode()
    )


_LAUGHS = ''.join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))

IMPOSTORS.update(
    {
        'nothing': lambda: b'',
        'a byte': lambda: b'\xff',
        'zeros': lambda: b'\0' * 5000,
        'text': lambda: b'Dear reader, this is a photo.',
        'svg': _svg('<rect width="9" height="9"/>'),
        'svg that reads a file': _svg('<image href="file:///etc/passwd" width="9" height="9"/>'),
        'svg that asks a server': _svg('<image href="http://127.0.0.1:9/x.png" width="9" height="9"/>'),
        'svg that asks for a style': _svg('<style>@import url(http://127.0.0.1:9/x.css);</style>'),
        'svg that includes a file': lambda: (
            b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
        ),
        'svg of a billion laughs': lambda: (
            f'<!DOCTYPE svg [<!ENTITY l0 "ha">{_LAUGHS}]><svg xmlns="http://www.w3.org/2000/svg">&l9;</svg>'.encode()
        ),
        'svg, compressed': lambda: b'\x1f\x8b\x08\0' + b'\0' * 100,
        'html': lambda: b'<!DOCTYPE html><html>' + PAYLOAD,
        'pdf': lambda: b'%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF',
        'postscript': lambda: b'%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file showpage',
        'magick vector graphics': lambda: b'push graphic-context\nfill \'url(https://127.0.0.1/x"|ls "-la)\'\npop',
        'magick script': lambda: b'<?xml version="1.0"?><image><read filename="/etc/passwd"/></image>',
        'photoshop': lambda: b'8BPS\0\x01' + b'\0' * 500,
        'icon': lambda: b'\0\0\x01\0\x01\0' + b'\0' * 500,
        'portable pixmap of gigapixels': lambda: b'P6 65535 65535 255\n' + b'\0' * 500,
        'x bitmap': lambda: b'#define x_width 65535\n#define x_height 65535\nstatic char x_bits[] = {0};',
        'radiance': lambda: b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 65535 +X 65535\n',
        'open exr': lambda: b'\x76\x2f\x31\x01' + b'\0' * 500,
        'fits': lambda: b'SIMPLE  =                    T' + b' ' * 3000,
        'jpeg 2000': lambda: b'\0\0\0\x0cjP  \r\n\x87\n' + b'\0' * 500,
        'jpeg xl': lambda: b'\xff\x0a' + b'\0' * 500,
        'vips': lambda: b'\xb6\xa6\xf2\x08' + b'\0' * 500,
        'matlab': lambda: b'MATLAB 5.0 MAT-file' + b' ' * 500,
        'big tiff': lambda: b'II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0' + b'\0' * 500,
        'mp4': lambda: b'\0\0\0\x18ftypmp42\0\0\0\0mp42isom' + b'\0' * 500,
        'zip': lambda: _zip(),
        'elf': lambda: b'\x7fELF' + b'\0' * 500,
        'html before a png': lambda: PAYLOAD + _small('PNG'),
        'pdf before a jpeg': lambda: b'%PDF-1.7\n' + _small('JPEG'),
        'the first bytes of a jpeg before html': lambda: b'\xff\xd8\xff\xe0' + PAYLOAD,
        'the first bytes of a png before html': lambda: b'\x89PNG\r\n\x1a\n' + PAYLOAD,
        'the first bytes of a gif before a script': lambda: b'GIF89a/*' + b' ' * 50 + b'*/=1;alert(1)',
        'the first bytes of a webp before html': lambda: b'RIFF\xff\0\0\0WEBPVP8 ' + PAYLOAD,
        'the first bytes of an avif before html': lambda: b'\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf' + PAYLOAD,
        'the first bytes of a tiff before html': lambda: b'II*\0' + PAYLOAD,
        'the first bytes of a bmp before html': lambda: b'BM' + PAYLOAD,
        'an empty png': lambda: _png(0, 0),
        'a gif without a picture': lambda: _gif(10, 10, b''),
        'a tiff without a directory': lambda: b'II*\0\0\0\0\0',
        'a tiff whose directory is elsewhere': lambda: b'II*\0\xff\xff\xff\x7f',
        'a tiff that goes round in circles': lambda: _tiff([(256, 4, 1, 10)], following=8),
    }
)


# Images, and something else


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        archive.writestr('payload.html', PAYLOAD)
    return buffer.getvalue()


def _followed(image_format: str, tail: Maker) -> Maker:
    return lambda: encoded(cornered(), image_format) + tail()


for _format in ('JPEG', 'PNG', 'GIF', 'WEBP', 'TIFF', 'BMP'):
    POLYGLOTS[f'{_format} and an archive'] = _followed(_format, _zip)
    POLYGLOTS[f'{_format} and a page'] = _followed(_format, lambda: PAYLOAD)


@_in(POLYGLOTS)
def _jpeg_with_a_page_in_its_comment() -> bytes:
    return encoded(cornered(), 'JPEG', comment=PAYLOAD)


@_in(POLYGLOTS)
def _gif_with_a_page_in_its_comment() -> bytes:
    return encoded(cornered(), 'GIF', comment=PAYLOAD)


@_in(POLYGLOTS)
def _png_with_a_page_in_its_text() -> bytes:
    content = encoded(cornered(), 'PNG')
    return content[:33] + _chunk(b'tEXt', b'Comment\0' + PAYLOAD) + content[33:]


@_in(POLYGLOTS)
def _png_with_a_page_in_its_profile() -> bytes:
    content = encoded(cornered(), 'PNG')
    profile = pictures.swapping_profile().replace(b'none', b'none' + PAYLOAD[:0]) + PAYLOAD
    return content[:33] + _chunk(b'iCCP', b'icc\0\0' + zlib.compress(profile)) + content[33:]


@_in(POLYGLOTS)
def _jpeg_with_a_page_in_its_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = PAYLOAD.decode()
    return encoded(cornered(), 'JPEG', exif=exif)


@_in(POLYGLOTS)
def _webp_with_a_page_in_its_xmp() -> bytes:
    return encoded(cornered(), 'WEBP', xmp=PAYLOAD)


def truncated() -> dict[str, bytes]:
    """Every format at each tenth, and animations too."""
    whole = {each: encoded(cornered(), each) for each in pictures.FORMATS}
    whole |= {f'{each}, animated': animated(pictures.CORNERS, each) for each in ('GIF', 'WEBP', 'PNG')}
    whole['JPEG, progressive'] = encoded(cornered(), 'JPEG', progressive=True)
    return {
        f'{name} at {tenth}/10': content[: len(content) * tenth // 10]
        for name, content in whole.items()
        for tenth in range(10)
    }


def damaged(image_format: str, seed: int) -> bytes:
    """A picture of which a few bytes are others."""
    chance = random.Random(f'{image_format}{seed}')
    content = bytearray(encoded(cornered(60, 40), image_format))
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.choice((0, 0xFF, 0x7F, chance.randrange(256)))
    return bytes(content)
