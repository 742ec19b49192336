"""The door to Pillow: nothing else of ``depot`` imports it.

Nothing of what Pillow keeps for the whole process is changed: an application may have limits and formats of its own.
"""

from __future__ import annotations

from ..errors import BackendMissing

try:
    from PIL import (
        AvifImagePlugin,
        BmpImagePlugin,
        GifImagePlugin,
        Image,
        ImageCms,
        ImageColor,
        ImageFile,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )
except ImportError as error:
    raise BackendMissing("images need the package Pillow, at least 11.3: pip install 'filedepot[images]'") from error

__all__ = [
    'AvifImagePlugin',
    'BmpImagePlugin',
    'GifImagePlugin',
    'Image',
    'ImageCms',
    'ImageColor',
    'ImageFile',
    'JpegImagePlugin',
    'PngImagePlugin',
    'TiffImagePlugin',
    'WebPImagePlugin',
]
