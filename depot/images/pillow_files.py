"""Opening and saving images by Pillow: formats, frames, and what is kept of neither."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO, Any, NamedTuple, cast

from ..errors import BackendMissing, ConfigurationError
from .made import Made
from .pil import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# Each is opened by its own plugin: not by Image.open(), whose limit of pixels is the application's own, and global.
_PLUGINS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    'jpeg': JpegImagePlugin.JpegImageFile,
    'png': PngImagePlugin.PngImageFile,
    'gif': GifImagePlugin.GifImageFile,
    'webp': WebPImagePlugin.WebPImageFile,
    'avif': AvifImagePlugin.AvifImageFile,
    'tiff': TiffImagePlugin.TiffImageFile,
    'bmp': BmpImagePlugin.BmpImageFile,
}

_HEIF = 'HEIF'

#: Pillow's names of the formats that keep transparency, and of those that keep frames.
WITH_ALPHA = frozenset({'PNG', 'GIF', 'WEBP', 'AVIF', _HEIF, 'TIFF', 'JPEG2000', 'ICO', 'ICNS', 'TGA', 'DDS'})
ANIMATED = frozenset({'PNG', 'GIF', 'WEBP', 'AVIF'})

_ALIASES = {'JPG': 'JPEG', 'TIF': 'TIFF', 'HEIC': _HEIF}

_OPTIONS: dict[str, dict[str, Any]] = {
    'JPEG': {'quality': 85},
    'WEBP': {'quality': 85},
    'AVIF': {'quality': 75, 'speed': 8},
    'TIFF': {'compression': 'tiff_lzw'},
}


class Timing(NamedTuple):
    """How an animation plays."""

    #: Milliseconds, of each frame.
    durations: Sequence[float]
    #: How often; 0 is for ever. A GIF says how often it is repeated, once less.
    plays: int


def opened(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    """The image, of which only the header has been read."""
    return (_heif_plugin() if name == 'heic' else _PLUGINS[name])(file)


def pillow_name(name: str) -> str:
    """Pillow's name of a format that it can write, however it is cased.

    Raises :class:`~depot.errors.ConfigurationError` for any other.
    """
    upper = str(name).upper()
    upper = _ALIASES.get(upper, upper)
    Image.preinit()
    if upper not in Image.SAVE:
        Image.init()
    if upper not in Image.SAVE and upper != _HEIF:
        raise ConfigurationError(f'format = {name!r} is none that Pillow writes; choose from {", ".join(Image.SAVE)}')
    return upper


def saved(frames: Sequence[Image.Image], name: str, timing: Timing | None = None) -> Made:
    """The frames in a format, by Pillow's name of it; with a timing they are an animation, else pages."""
    buffer = io.BytesIO()
    if name == _HEIF:
        _heif().from_pillow(frames[0]).save(buffer)
    else:
        frames[0].save(buffer, name, **_OPTIONS.get(name, {}), **_several(frames, name, timing))
    content_type = 'image/heic' if name == _HEIF else Image.MIME.get(name, f'image/{name.lower()}')
    short_name = 'heic' if name == _HEIF else name.lower()
    return Made(buffer.getvalue(), short_name, content_type, *frames[0].size)


def sample(name: str) -> bytes:
    """A small file of a format that is read, with transparency and frames if it can have them."""
    written = pillow_name(name)
    mode = 'RGBA' if written in WITH_ALPHA else 'RGB'
    frames = [Image.new(mode, (8, 8), each) for each in ('red', 'blue')]
    return saved(frames if written in ANIMATED else frames[:1], written, Timing((100, 100), 0)).content


def _several(frames: Sequence[Image.Image], name: str, timing: Timing | None) -> dict[str, Any]:
    if len(frames) < 2:
        return {}
    options: dict[str, Any] = {'save_all': True, 'append_images': frames[1:]}
    if timing:
        options['duration'] = [round(each) for each in timing.durations]
        options['loop'] = timing.plays
    if name == 'GIF':
        # Each frame is whole: what is transparent in it shall not show the one before.
        options['disposal'] = 2
        if timing and timing.plays == 1:
            del options['loop']  # which GIF says by saying nothing
        elif timing and timing.plays:
            options['loop'] = timing.plays - 1
    return options


def _heif() -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise BackendMissing("HEIC needs the package pillow-heif: pip install 'filedepot[images]'") from error
    return pillow_heif


def _heif_plugin() -> Callable[[IO[bytes]], ImageFile.ImageFile]:
    # Not registered with Pillow: what the application's own Image.open() reads is the application's to say.
    return cast('Callable[[IO[bytes]], ImageFile.ImageFile]', _heif().HeifImageFile)
