"""What a file is, and whether it is whole, is seen before it is decoded; every form that a format allows is whole."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from depot.errors import ImageTooLarge, InvalidImage
from depot.images import decoding
from depot.images.formats.tiff import with_orientations
from depot.images.limits import Limits
from depot.images.pillow_wanted import Wanted
from depot.images.recipe import Variant
from depot.images.structure import examined, format_of, is_held_whole
from depot.images.transform import transform

from . import pictures
from .pictures import animated, cornered, encoded


def jpeg(**options: object) -> bytes:
    return encoded(cornered(), 'JPEG', **options)


def _ending_without_length(content: bytes) -> bytes:
    """With a last box that goes up to the end of the file, whose length is 0: ISO/IEC 14496-12, section 4.2."""
    start = content.rindex(b'mdat') - 4
    return content[:start] + b'\0\0\0\0' + content[start + 4 :]


def _with_a_long_length(content: bytes) -> bytes:
    """With a last box whose length has 64 bits; the places of what is in it are not looked at."""
    start = content.rindex(b'mdat') - 4
    body = content[start + 8 :]
    return content[:start] + struct.pack('>I4sQ', 1, b'mdat', len(body) + 16) + body


def _big_endian_tiff() -> bytes:
    return b'MM\0*\0\0\0\x08' + struct.pack('>HHHIII', 1, 256, 4, 1, 10, 0)


WHOLE: dict[str, tuple[str, Callable[[], bytes]]] = {
    'jpeg': ('jpeg', jpeg),
    'jpeg, progressive': ('jpeg', lambda: jpeg(progressive=True)),
    'jpeg, grey': ('jpeg', lambda: encoded(cornered().convert('L'), 'JPEG')),
    'jpeg with a restart interval': ('jpeg', lambda: jpeg(restart_marker_rows=1)),
    'jpeg with bytes behind it': ('jpeg', lambda: jpeg() + b'\0' * 100),
    'png': ('png', lambda: encoded(cornered(), 'PNG')),
    'png, animated': ('png', lambda: animated(pictures.CORNERS, 'PNG')),
    'gif': ('gif', lambda: encoded(cornered(), 'GIF')),
    'gif, animated': ('gif', lambda: animated(pictures.CORNERS)),
    'gif of 1987': ('gif', lambda: encoded(cornered(), 'GIF').replace(b'GIF89a', b'GIF87a')),
    'webp': ('webp', lambda: encoded(cornered(), 'WEBP')),
    'webp, animated': ('webp', lambda: animated(pictures.CORNERS, 'WEBP')),
    'webp with bytes behind it': ('webp', lambda: encoded(cornered(), 'WEBP') + b'\0' * 100),
    'avif': ('avif', lambda: encoded(cornered(), 'AVIF')),
    'avif, animated': ('avif', lambda: animated(pictures.CORNERS, 'AVIF')),
    'avif whose last box has no length': ('avif', lambda: _ending_without_length(encoded(cornered(), 'AVIF'))),
    'avif whose last box has a long length': ('avif', lambda: _with_a_long_length(encoded(cornered(), 'AVIF'))),
    'heic': ('heic', lambda: encoded(cornered(), 'HEIF')),
    'tiff': ('tiff', lambda: encoded(cornered(), 'TIFF')),
    'tiff of some pages': ('tiff', lambda: animated(pictures.CORNERS, 'TIFF')),
    'tiff, big-endian': ('tiff', _big_endian_tiff),
    'tiff, white by next to nothing': (
        'tiff',
        lambda: encoded(Image.new('1', (4000, 4000), 1), 'TIFF', compression='group4'),
    ),
    'bmp': ('bmp', lambda: encoded(cornered(), 'BMP')),
}


@pytest.mark.parametrize('name', WHOLE)
def test_a_whole_file_is_what_it_is(name: str) -> None:
    expected, make = WHOLE[name]
    file = io.BytesIO(make())
    file.read(10)
    assert examined(file, Limits()) == expected
    assert file.tell() == 0


@pytest.mark.parametrize(
    ('brands', 'expected'),
    [
        (b'avif', 'avif'),
        (b'avis', 'avif'),
        (b'mif1\0\0\0\0avif', 'avif'),
        (b'heic', 'heic'),
        (b'mif1\0\0\0\0heic', 'heic'),
        (b'msf1\0\0\0\0hevc', 'heic'),
        (b'isom\0\0\0\0mp42', None),
        (b'jp2 ', None),
    ],
)
def test_what_is_in_boxes_is_what_its_brands_say(brands: bytes, expected: str | None) -> None:
    assert format_of(struct.pack('>I', len(brands) + 8) + b'ftyp' + brands) == expected


@pytest.mark.parametrize('name', WHOLE)
def test_the_first_bytes_of_a_file_are_no_image_wherever_it_is_cut_off(name: str) -> None:
    content = WHOLE[name][1]()
    for length in range(64):
        with pytest.raises(InvalidImage):
            decoding.shrunk(io.BytesIO(content[:length]), [Wanted(30, 30, 'PNG')])


def test_the_scans_of_an_image_in_several_are_counted() -> None:
    content = jpeg(progressive=True)
    last = content.rindex(b'\xff\xda')
    with pytest.raises(ImageTooLarge, match='scans; 100 are read'):
        examined(io.BytesIO(content[:last] + content[last:] * 100), Limits())


def circling_exif(count: int, order: str = '>') -> bytes:
    """A directory of pointers to itself."""
    entries = struct.pack(f'{order}HHII', 0x8769, 4, 1, 8) * count
    return {'>': b'MM\0*\0\0\0\x08', '<': b'II*\0\x08\0\0\0'}[order] + struct.pack(f'{order}H', count) + entries


def with_exif(kind: str, exif: bytes) -> bytes:
    """A picture, with this in the place of its EXIF."""
    content = encoded(cornered(), kind, exif=b'Exif\0\0' + exif)
    assert exif in content
    return content


@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP'])
def test_exif_that_leads_in_circles_is_refused(kind: str, order: str) -> None:
    with pytest.raises(ImageTooLarge, match='EXIF'):
        examined(io.BytesIO(with_exif(kind, circling_exif(100, order))), Limits())


def test_exif_that_leads_in_circles_is_found_behind_rubbish() -> None:
    content = with_exif('JPEG', circling_exif(100))
    start = content.index(b'\xff\xe1')
    for rubbish in (b'rubbish', b'x' * 1_048_570):  # which decoders pass over
        with pytest.raises(ImageTooLarge, match='EXIF'):
            examined(io.BytesIO(content[:start] + rubbish + content[start:]), Limits())


def test_the_exif_of_a_camera_is_read() -> None:
    directories = struct.pack('>HHHIIHHIII', 2, 0x8769, 4, 1, 42, 0x8825, 4, 1, 42, 0)
    for kind in ('JPEG', 'PNG', 'WEBP'):
        assert examined(io.BytesIO(with_exif(kind, b'MM\0*\0\0\0\x08' + directories)), Limits()) == kind.lower()


@pytest.mark.parametrize('exif', [b'', b'MM', b'MM\0*\0\0\0\x08', b'MM\0*\xff\xff\xff\xff', b'II*\0\x08\0\0\0\xff'])
def test_exif_that_is_cut_off_leads_nowhere(exif: bytes) -> None:
    content = encoded(cornered(), 'JPEG')
    segment = b'\xff\xe1' + struct.pack('>H', len(exif) + 8) + b'Exif\0\0' + exif
    assert examined(io.BytesIO(content[:2] + segment + content[2:]), Limits()) == 'jpeg'


PACKINGS = [(mode, each) for mode in ('L', 'RGB', 'CMYK') for each in ('raw', 'packbits', 'tiff_lzw', 'jpeg')]


@pytest.mark.parametrize(
    ('mode', 'packing'),
    [*PACKINGS, ('RGB', 'tiff_adobe_deflate'), ('1', 'raw'), ('1', 'tiff_lzw'), ('1', 'group3'), ('1', 'group4')],
)
def test_a_tiff_of_one_colour_is_read_however_it_is_packed(mode: str, packing: str) -> None:
    content = encoded(Image.new(mode, (3000, 2000), 1 if mode == '1' else None), 'TIFF', compression=packing)
    made = decoding.shrunk(io.BytesIO(content), [Wanted(30, 30, 'PNG')])[0]
    assert made is not None
    assert (made.width, made.height) == (30, 20)
    rendition = decoding.transformed(content, Variant(resize_to_limit=(30, 30)))
    assert (rendition.width, rendition.height) == (30, 20)


def test_a_tiff_in_large_pieces_is_held_as_a_whole() -> None:
    small = encoded(Image.new('RGB', (4000, 3000)), 'TIFF', compression='tiff_lzw')
    large = encoded(Image.new('RGB', (4000, 3000)), 'TIFF', compression='jpeg', tiffinfo={278: 3000})
    assert not is_held_whole(io.BytesIO(small), 'tiff')
    assert is_held_whole(io.BytesIO(large), 'tiff')
    decoding.transformed(large, Variant(resize_to_limit=(30, 30)))
    with pytest.raises(ImageTooLarge, match='Decoding the image takes 72000000 bytes'):
        transform(large, Variant(resize_to_limit=(30, 30)), Limits(memory=71_000_000))


@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize(('kind', 'value'), [(3, 'HH'), (4, 'I')])
def test_only_an_orientation_that_there_is_not_is_another_one(order: str, kind: int, value: str) -> None:
    def in_orientation(number: int) -> io.BytesIO:
        numbers = (number, 0)[: len(value)]
        head = {'>': b'MM\0*\0\0\0\x08', '<': b'II*\0\x08\0\0\0'}[order]
        return io.BytesIO(head + struct.pack(f'{order}HHHI{value}I', 1, 274, kind, 1, *numbers, 0))

    assert with_orientations(in_orientation(6)) is None
    upright = with_orientations(in_orientation(0))
    assert upright is not None
    assert with_orientations(io.BytesIO(upright)) is None
