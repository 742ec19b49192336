"""Where images are decoded: here, or in a process of their own, as the settings say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from . import worker
from .made import Made
from .pillow_wanted import Wanted
from .recipe import Variant
from .settings import limits_in_force


def shrunk(file: IO[bytes], wanted: Sequence[Wanted]) -> list[Made | None]:
    """What :func:`depot.images.pillow.render` makes of a seekable file, within the limits in force."""
    limits = limits_in_force()
    if limits.worker:
        return worker.run('pillow', [list(each) for each in wanted], file, limits)
    from . import pillow  # here, because it loads Pillow, which a worker alone needs otherwise

    return pillow.render(file, wanted, limits)


def transformed(source: bytes | Path, variant: Variant) -> Made:
    """What :func:`depot.images.transform.transform` makes, within the limits in force."""
    limits = limits_in_force()
    if not limits.worker:
        from .transform import transform

        return transform(source, variant, limits)
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, 'rb') as file:
        (made,) = worker.run('transform', variant.to_text(), file, limits)
    assert made is not None
    return made
