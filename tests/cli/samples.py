"""Files as users have them, made without any image library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

PDF = b"""%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >> endobj
trailer << /Root 1 0 R >>
%%EOF
"""

#: A colour at a place: both coordinates go from 0 to 1, so do the three parts of the colour.
Paint = Callable[[float, float], tuple[float, float, float]]


def png(paint: Paint, width: int, height: int) -> bytes:
    """A PNG picture; ``paint`` says the colour of each of its points."""
    rows = (_png_row(paint, y / height, width) for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    chunks = ((b'IHDR', header), (b'IDAT', zlib.compress(b''.join(rows), 9)), (b'IEND', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(_png_chunk(*each) for each in chunks)


def _png_row(paint: Paint, y: float, width: int) -> bytes:
    points = (paint(x / width, y) for x in range(width))
    return b'\0' + bytes(round(255 * min(1, max(0, part))) for point in points for part in point)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def jpeg(width: int, height: int, size: int) -> bytes:
    """A grey JPEG picture of at least ``size`` bytes, most of them in comments.

    Each block of 8 × 8 points is two bits: "no brighter than the last", "no
    detail". So both Huffman tables have a single code, of one bit.
    """
    blocks = -(-width // 8) * -(-height // 8)
    bits = b'\x00' * (blocks * 2 // 8) + (b'\x3f' if blocks * 2 % 8 else b'')
    frame = struct.pack('>BHHBBBB', 8, height, width, 1, 1, 0x11, 0)
    tables = [(0xDB, b'\x00' + b'\x01' * 64), *((0xC4, bytes([each, 1, *[0] * 15, 0])) for each in (0x00, 0x10))]
    comment = (0xFE, bytes(range(1, 251)) * 262)
    comments = [comment] * (size // len(comment[1]) + 1)
    segments = [(0xE0, b'JFIF\0\1\1\0\0\1\0\1\0\0'), *comments, *tables, (0xC0, frame), (0xDA, b'\1\1\0\0\x3f\0')]
    return b'\xff\xd8' + b''.join(_jpeg_segment(*each) for each in segments) + bits + b'\xff\xd9'


def _jpeg_segment(marker: int, data: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, marker, len(data) + 2) + data
