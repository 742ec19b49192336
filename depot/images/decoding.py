"""Where images are decoded: here, or in a process of their own, as the settings say."""

from __future__ import annotations

import functools
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from . import worker
from .hiccups import machine_failures
from .made import Made
from .pillow_wanted import Wanted
from .recipe import Variant
from .settings import limits_in_force

log = logging.getLogger('depot.images')

# Whether libvips in this process is a copy of that of a parent, which may have been used: the threads that it counts
# on are not there, and whoever waits for them waits for ever.
_is_copied = False


@machine_failures()
def shrunk(file: IO[bytes], wanted: Sequence[Wanted]) -> list[Made | None]:
    """What :func:`depot.images.pillow.render` makes of a seekable file, within the limits in force.

    Raises what it raises, and :class:`~depot.errors.StorageFailure` for what is not the image's fault.
    """
    limits = limits_in_force()
    if limits.worker:
        return worker.run('pillow', [list(each) for each in wanted], file, limits)
    from . import pillow  # here, because it loads Pillow, which a worker alone needs otherwise

    return pillow.render(file, wanted, limits)


@machine_failures()
def transformed(source: bytes | Path, variant: Variant) -> Made:
    """What :func:`depot.images.transform.transform` makes, within the limits in force.

    In a child that was forked when its parent had loaded libvips, a worker process makes it, whatever the settings say.
    Raises what it raises, :class:`~depot.errors.StorageFailure` for what is not the image's fault, and
    ``FileNotFoundError`` if there is no such file.
    """
    limits = limits_in_force()
    if _is_copied:
        _tell()
    elif not limits.worker:
        from .transform import transform

        return transform(source, variant, limits)
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, 'rb') as file:
        (made,) = worker.run('transform', variant.to_text(), file, limits)
    assert made is not None
    return made


@functools.cache  # once
def _tell() -> None:
    log.warning(
        'libvips was loaded before this process was forked, and does not work in it: each rendition is made in a'
        ' process of its own, which takes a little longer'
    )


def _begin_anew() -> None:
    """Runs in a child that was forked."""
    global _is_copied
    _is_copied = 'pyvips' in sys.modules
    _tell.cache_clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_begin_anew)
